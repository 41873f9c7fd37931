"""Views of real wheels, in which the real interpreter runs."""

import json
import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

from envmgr.link.prefix import current_generation
from envmgr.names import PackageName
from envmgr.store.bytecode import Compiler
from envmgr.store.entry import read_manifest
from envmgr.store.store import Store
from tests.support.views import add, make_view, run, this_interpreter
from tests.support.wheels import make_wheel

TOOL = make_wheel(
    "tool",
    files={
        "tool/__init__.py": (
            "import sys\n"
            "class Main:\n"
            "    @staticmethod\n"
            "    def run():\n"
            "        print('ran', *sys.argv[1:])\n"
            "        return 0\n"
            "def fail():\n"
            "    return 7\n"
        )
    },
    data={
        "scripts/ask": "#!python\nimport sys, tool\nprint('asked', sys.prefix)\n",
        "scripts/shell": "#!/bin/sh\necho shell\n",
        "data/share/tool/x.txt": "shared",
        "headers/tool.h": "// tool\n",
    },
    entry_points={
        "console_scripts": {"run-tool": "tool:Main.run [extra]", "fail": "tool:fail"},
        "gui_scripts": {"window": "tool:Main.run"},
    },
)


def python(prefix: Path, program: str, *options: str) -> str:
    return run(prefix / "bin/python", *options, "-c", program)


def test_what_is_in_the_view_is_imported_and_nothing_else(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    make_view(prefix, [add(store, make_wheel("alpha", "2.0"), tmp_path)])

    assert python(prefix, "import alpha; print(alpha.__version__)") == "2.0"
    assert python(prefix, "import importlib.util as u; print(u.find_spec('hypothesis'))") == "None"


def test_it_is_a_virtual_environment_of_the_interpreter(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    make_view(prefix, [add(store, TOOL, tmp_path)])

    said = json.loads(
        python(
            prefix,
            "import sys, sysconfig, json; print(json.dumps([sys.prefix, sys.base_prefix, "
            "sysconfig.get_path('purelib'), sysconfig.get_path('scripts')]))",
        )
    )

    generation = str(current_generation(prefix))
    assert said == [
        generation,
        sysconfig.get_config_var("installed_base"),
        f"{generation}/{this_interpreter().site_packages}",
        f"{generation}/bin",
    ]


def test_programs_of_every_kind_run(store: Store, tmp_path: Path, prefix: Path) -> None:
    make_view(prefix, [add(store, TOOL, tmp_path)])
    bin_ = prefix / "bin"

    assert run(bin_ / "run-tool", "a", "b c") == "ran a b c"
    assert run(bin_ / "window") == "ran"
    assert run(bin_ / "ask") == f"asked {current_generation(prefix)}"
    assert run(bin_ / "shell") == "shell"
    assert subprocess.run([bin_ / "fail"], check=False).returncode == 7


@pytest.mark.parametrize(
    "below",
    ["x" * 100 + "/" + "y" * 60, "with blank", 'it\'s $HOME `odd` "x" \\n', "Ünïcode ø"],
)
def test_programs_run_wherever_the_prefix_stands(store: Store, tmp_path: Path, below: str) -> None:
    prefix = tmp_path / below / "env"
    make_view(prefix, [add(store, TOOL, tmp_path)])

    assert run(prefix / "bin/run-tool", "a", "b c") == "ran a b c"
    assert run(prefix / "bin/ask") == f"asked {current_generation(prefix)}"
    assert python(prefix, "import tool; print(1)") == "1"


def test_data_and_headers_stand_where_programs_look(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    make_view(prefix, [add(store, TOOL, tmp_path)])

    assert (prefix / "share/tool/x.txt").read_text() == "shared"
    assert (prefix / this_interpreter().headers / "tool/tool.h").read_text() == "// tool\n"


def test_namespace_packages_of_many_wheels_are_one_package(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    pkgutil = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
    wheels = [
        make_wheel("ns-one", files={"ns/one/__init__.py": "x = 1\n"}),
        make_wheel("ns-two", files={"ns/two.py": "x = 2\n"}),
        make_wheel("old-one", files={"old/__init__.py": pkgutil, "old/one.py": "x = 3\n"}),
        make_wheel("old-two", files={"old/__init__.py": pkgutil, "old/two.py": "x = 4\n"}),
    ]
    make_view(prefix, [add(store, wheel, tmp_path) for wheel in wheels])

    said = python(
        prefix,
        "import ns.one, ns.two, old.one, old.two; print(ns.one.x, ns.two.x, old.one.x, old.two.x)",
    )

    assert said == "1 2 3 4"


def test_importlib_metadata_sees_every_package_with_all_its_files(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    odd = make_wheel("odd", files={'odd/a,b "c".txt': "x", "odd/__init__.py": ""})
    requested = frozenset({PackageName("tool")})
    urls = {PackageName("odd"): '{"url": "https://example.org/odd.whl", "archive_info": {}}'}
    entries = [add(store, wheel, tmp_path) for wheel in (TOOL, odd)]
    make_view(prefix, entries, requested=requested, direct_urls=urls)

    program = """
import importlib.metadata as m, json
found = {d.metadata["Name"]: d for d in m.distributions()}
top = m.packages_distributions() if hasattr(m, "packages_distributions") else None
print(json.dumps({
    "files": {n: sorted(str(f) for f in d.files) for n, d in found.items()},
    "missing": [str(f) for d in found.values() for f in d.files if not f.locate().exists()],
    "installer": {n: d.read_text("INSTALLER") for n, d in found.items()},
    "requested": [n for n, d in found.items() if d.read_text("REQUESTED") is not None],
    "urls": {n: d.read_text("direct_url.json") for n, d in found.items()},
    "record": [n for n, d in found.items() if d.read_text("RECORD") is not None],
    "programs": sorted(e.name for d in found.values() for e in d.entry_points),
    "top": top,
}))
"""
    said = json.loads(python(prefix, program))

    assert said["missing"] == []
    assert 'odd/a,b "c".txt' in said["files"]["odd"]
    assert {"../../../bin/run-tool", "../../../share/tool/x.txt"} <= {*said["files"]["tool"]}
    assert said["installer"] == {"tool": "envmgr\n", "odd": "envmgr\n"}
    assert said["requested"] == ["tool"]
    assert said["urls"] == {"tool": None, "odd": urls[PackageName("odd")]}
    assert said["record"] == []
    assert said["programs"] == ["fail", "run-tool", "window"]
    assert said["top"] == {"tool": ["tool"], "odd": ["odd"]}


def test_nothing_in_the_store_can_be_written_through_a_view(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    entry = add(store, make_wheel("alpha"), tmp_path)
    make_view(prefix, [entry])
    before = {path: path.lstat().st_mtime_ns for path in entry.path.rglob("*")}

    python(prefix, "import alpha")

    if os.geteuid() != 0:
        assert {path: path.lstat().st_mtime_ns for path in entry.path.rglob("*")} == before
    assert not os.access(entry.path / "site-packages/alpha", os.W_OK) or os.geteuid() == 0


def test_two_environments_share_one_entry_and_are_apart(store: Store, tmp_path: Path) -> None:
    shared = add(store, make_wheel("shared"), tmp_path)
    old, new = (add(store, make_wheel("other", version), tmp_path) for version in ("1", "2"))
    one, two = tmp_path / "one", tmp_path / "two"
    make_view(one, [shared, old])
    make_view(two, [shared, new])

    program = (
        "import os, shared, other; print(os.path.realpath(shared.__file__), other.__version__)"
    )

    path = shared.path / "site-packages/shared/__init__.py"
    assert python(one, program) == f"{path} 1"
    assert python(two, program) == f"{path} 2"


def test_bytecode_from_the_store_is_used_in_folded_and_in_real_directories(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    wheels = [
        make_wheel("folded", files={"folded/__init__.py": "x = 'source'\n"}),
        make_wheel("single", files={"single.py": "x = 'source'\n", "ns/a.py": "x = 'source'\n"}),
        make_wheel("other", files={"ns/b.py": "x = 'source'\n"}),
    ]
    entries = [add(store, wheel, tmp_path) for wheel in wheels]
    with Compiler(this_interpreter()) as compiler:
        for entry in entries:
            compiler.submit(entry, read_manifest(entry))
    for entry in entries:
        for path in (
            *entry.path.rglob("a.py"),
            *entry.path.rglob("__init__.py"),
            *entry.path.rglob("single.py"),
            *entry.path.rglob("b.py"),
        ):
            path.chmod(0o644)
            path.write_text("x = 'changed'\n")
    make_view(prefix, entries, compiled=True)

    said = python(
        prefix,
        "import folded, single, ns.a, ns.b; print(folded.x, single.x, ns.a.x, ns.b.x)",
    )

    assert said == "source source source source"


def test_a_module_that_does_not_compile_has_no_dangling_link(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    entry = add(store, make_wheel("old", files={"py2.py": "print 1\n", "ok.py": ""}), tmp_path)
    with Compiler(this_interpreter()) as compiler:
        compiler.submit(entry, read_manifest(entry))

    make_view(prefix, [entry], compiled=True)

    cache = prefix / this_interpreter().site_packages / "__pycache__"
    assert [name for name in os.listdir(cache) if not (cache / name).exists()] == []
    assert [name.partition(".")[0] for name in os.listdir(cache)] == ["ok"]


def test_pip_is_answered_by_what_to_do_instead(store: Store, tmp_path: Path, prefix: Path) -> None:
    make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])

    for name in ("pip", "pip3"):
        done = subprocess.run(
            [prefix / "bin" / name, "install", "x"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "envmgr sync trial" in done.stderr
