"""uv takes a wheel with links for the wheel it is without them, and refuses the strict form."""

import subprocess
import sys
from pathlib import Path

import pytest

from envmgr.events import silent
from envmgr.pipeline.wheel_link import LinkRequest, link_wheel
from envmgr.wheel.writing import EARLIEST
from tests.support.elves import Elf
from tests.support.wheels import make_wheel

UV = Path(sys.executable).parent / "uv"
FOO = bytes(Elf(soname="libfoo.so.1"))
COPIES = make_wheel("foo", files={"foo/libfoo.so": FOO, "foo/libfoo.so.1": FOO})


@pytest.mark.parametrize("strict", [False, True])
def test_uv_and_a_wheel_with_links(tmp_path: Path, strict: bool) -> None:
    request = LinkRequest(
        source=COPIES.write_to(tmp_path),
        output=tmp_path / "out",
        timestamp=EARLIEST,
        strict=strict,
    )
    wheel = link_wheel(request, silent).wheel.path
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    common = ["--offline", "--no-config", "--cache-dir", str(tmp_path / "cache")]
    common += ["--python", str(tmp_path / "venv/bin/python")]

    done = subprocess.run(
        [UV, "pip", "install", str(wheel), *common], capture_output=True, text=True, check=False
    )

    placed = sorted(path.name for path in (tmp_path / "venv").glob("lib/python*/*/foo/*"))
    assert placed == ([] if strict else ["libfoo.so.1"])
    assert (done.returncode == 0) is not strict, done.stderr
    if not strict:
        subprocess.run([UV, "pip", "uninstall", "foo", *common], check=True, capture_output=True)
        assert not list((tmp_path / "venv").glob("lib/python*/*/foo*"))
