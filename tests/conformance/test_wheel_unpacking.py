"""Where the files of a wheel go, against uv."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

from envmgr.wheel.archive import open_wheel
from envmgr.wheel.unpack import unpacked_members
from tests.support.wheels import Wheel, make_wheel

RICH = make_wheel(
    "Rich.er",
    "1.0+local",
    files={"rich_er/__init__.py": "", "rich_er/run": "x", "single.py": "y", "ns/sub/ä.txt": "é"},
    data={
        "purelib/pure.py": "1",
        "platlib/plat/x.py": "2",
        "data/share/x/y": "3",
        "scripts/tool": "#!/bin/sh\necho\n",
    },
    executable=["rich_er/run"],
    dist_info_files={"licenses/LICENSE": "free"},
    purelib=False,
)
WRITTEN_BY_INSTALLERS = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json"}
PLACES = {"site-packages/": "", "data/": "", "scripts/": "bin/"}


def _ours(wheel: Wheel, directory: Path) -> dict[str, tuple[bytes, bool]]:
    found = {}
    with open_wheel(wheel.write_to(directory), wheel.filename) as opened:
        for member in unpacked_members(opened):
            part = member.path.partition("/")[0] + "/"
            found[PLACES[part] + member.path.removeprefix(part)] = (member.data, member.executable)
    return found


def _uvs(wheel: Wheel, directory: Path) -> dict[str, tuple[bytes, bool]]:
    target = directory / "target"
    subprocess.run(
        [find_uv_bin(), "pip", "install", "--quiet", "--offline", "--no-deps", "--no-config",
         "--cache-dir", directory / "cache", "--python", sys.executable, "--target", target,
         directory / wheel.filename],
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(directory)},
    )  # fmt: skip
    return {
        str(path.relative_to(target)): (path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR))
        for path in target.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_files_go_where_uv_puts_them(tmp_path: Path) -> None:
    ours, uvs = _ours(RICH, tmp_path), _uvs(RICH, tmp_path)
    kept = {path for path in uvs if path.rpartition("/")[2] not in WRITTEN_BY_INSTALLERS}
    assert {path for path in ours if not path.endswith("/RECORD")} == kept
    assert {path: ours[path] for path in kept} == {path: uvs[path] for path in kept}
