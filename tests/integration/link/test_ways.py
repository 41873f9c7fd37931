"""Packages that are linked file by file, hard-linked or copied, and really imported."""

import os
import stat
import subprocess
import tempfile
from pathlib import Path

import msgspec
import pytest

from envmgr.events import Event, Noted
from envmgr.files import write_atomically
from envmgr.link.execution import without_absent_bytecode
from envmgr.link.foreign import read_foreign
from envmgr.link.generation import read_record
from envmgr.link.prefix import current_generation, delete_prefix
from envmgr.names import GenerationId
from envmgr.spec.views import LinkWay
from envmgr.store.bytecode import Compiler
from envmgr.store.entry import Entry, read_manifest
from envmgr.store.store import Store
from tests.support.views import add, lay_out, make_view, run, this_interpreter
from tests.support.wheels import make_wheel

DEMO = make_wheel(
    "demo",
    files={
        "demo/__init__.py": "VALUE = 1\n",
        "demo/template.py": "{{ this is no Python }}\n",
        "demo/data/x.txt": "x",
        "single.py": "import demo\n",
    },
    data={"scripts/tool": "#!/bin/sh\necho tool\n", "data/share/demo/y.txt": "y"},
    executable=["demo-1.0.data/scripts/tool"],
)
REALPATH = "import os, demo; print(os.path.realpath(demo.__file__))"


@pytest.fixture
def entry(store: Store, tmp_path: Path) -> Entry:
    made = add(store, DEMO, tmp_path / "shelf")
    with Compiler(this_interpreter()) as compiler:
        compiler.submit(made, read_manifest(made))
    return made


def package(prefix: Path) -> Path:
    return current_generation(prefix) / this_interpreter().site_packages / "demo"


def python(prefix: Path, program: str) -> str:
    return run(prefix / "bin/python", "-c", program)


def cached(directory: Path) -> Path:
    return directory / "__pycache__" / f"__init__.{this_interpreter().cache_tag}.pyc"


def modes_of(root: Path) -> dict[str, int]:
    return {
        str(path.relative_to(root)): stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*")
    }


@pytest.mark.parametrize("way", LinkWay)
def test_the_package_is_imported_with_its_bytecode(
    entry: Entry, prefix: Path, way: LinkWay
) -> None:
    make_view(prefix, [entry], compiled=True, way=way)

    said = python(prefix, "import single, demo; print(demo.VALUE, demo.__cached__)")

    value, file = said.split()
    assert value == "1"
    assert Path(file).is_file()
    assert run(prefix / "bin/tool") == "tool"
    assert (prefix / "share/demo/y.txt").read_text() == "y"


@pytest.mark.parametrize("way", LinkWay)
def test_only_copies_and_hard_links_are_where_they_seem_to_be(
    entry: Entry, prefix: Path, way: LinkWay
) -> None:
    make_view(prefix, [entry], way=way)

    inside = python(prefix, REALPATH).startswith(os.path.realpath(prefix))

    assert inside == (way in {LinkWay.COPY, LinkWay.HARDLINK})


@pytest.mark.parametrize("way", [LinkWay.FILE, LinkWay.HARDLINK, LinkWay.COPY])
def test_new_files_can_be_written_next_to_the_package_and_stay_out_of_the_store(
    entry: Entry, prefix: Path, way: LinkWay
) -> None:
    before = modes_of(entry.path)
    make_view(prefix, [entry], compiled=True, way=way)

    code = "import demo, os; open(os.path.dirname(demo.__file__) + '/data/new.txt', 'w').close()"
    python(prefix, code)

    assert (package(prefix) / "data/new.txt").is_file()
    assert modes_of(entry.path) == before


def test_copies_can_be_changed_and_the_change_is_what_runs(entry: Entry, prefix: Path) -> None:
    make_view(prefix, [entry], compiled=True, way=LinkWay.COPY)
    module = package(prefix) / "__init__.py"
    stamp = module.stat().st_mtime_ns
    assert python(prefix, "import demo; print(demo.VALUE)") == "1"

    module.write_text("VALUE = 2\n", "utf-8")
    os.utime(module, ns=(stamp, stamp))

    assert python(prefix, "import demo; print(demo.VALUE)") == "2"
    store_file = entry.path / "site-packages/demo/__init__.py"
    assert store_file.read_text("utf-8") == "VALUE = 1\n"


def test_copies_have_modes_of_files_that_a_person_made(entry: Entry, prefix: Path) -> None:
    old = os.umask(0o077)
    try:
        make_view(prefix, [entry], compiled=True, way=LinkWay.COPY)
    finally:
        os.umask(old)

    files = {path: mode for path, mode in modes_of(package(prefix)).items() if "." in path}
    assert set(files.values()) == {0o644}
    assert stat.S_IMODE((prefix / "bin/tool").stat().st_mode) == 0o755


def test_the_bytecode_of_copies_is_checked_against_the_source(entry: Entry, prefix: Path) -> None:
    make_view(prefix, [entry], compiled=True, way=LinkWay.COPY)
    original = cached(entry.path / "site-packages/demo").read_bytes()

    copied = cached(package(prefix)).read_bytes()

    assert original[4:8] == b"\1\0\0\0"
    assert copied == original[:4] + b"\3\0\0\0" + original[8:]


def test_hard_links_are_the_files_of_the_entry_itself(entry: Entry, prefix: Path) -> None:
    make_view(prefix, [entry], compiled=True, way=LinkWay.HARDLINK)

    for path in ("__init__.py", "data/x.txt", cached(Path()).as_posix()):
        ours, theirs = package(prefix) / path, entry.path / "site-packages/demo" / path
        assert ours.stat().st_ino == theirs.stat().st_ino
        assert not ours.is_symlink()
        assert stat.S_IMODE(ours.stat().st_mode) == 0o444


def test_deleting_a_view_leaves_the_entry_as_it_was(entry: Entry, prefix: Path) -> None:
    before = modes_of(entry.path)
    make_view(prefix, [entry], compiled=True, way=LinkWay.HARDLINK)

    delete_prefix(prefix)

    assert modes_of(entry.path) == before
    assert (entry.path / "site-packages/demo/__init__.py").read_text("utf-8") == "VALUE = 1\n"


def test_where_hard_links_are_refused_files_are_copied_and_it_is_noted(
    entry: Entry, tmp_path: Path
) -> None:
    other = Path("/dev/shm")  # noqa: S108 - a second file system is what this needs
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.fail("this machine has no second file system at /dev/shm")
    told: list[Event] = []
    with tempfile.TemporaryDirectory(dir=other) as scratch:
        prefix = Path(scratch, "env")
        make_view(prefix, [entry], compiled=True, way=LinkWay.HARDLINK, report=told.append)

        assert python(prefix, "import demo; print(demo.VALUE)") == "1"
        assert python(prefix, REALPATH).startswith(scratch)
        modes = {path: mode for path, mode in modes_of(package(prefix)).items() if "." in path}
        assert set(modes.values()) == {0o444}
        assert stat.S_IMODE((prefix / "bin/tool").stat().st_mode) == 0o555
    (note,) = [event.text for event in told if isinstance(event, Noted)]
    assert note == (
        "copied 7 files of which hard links were asked for: the file system refuses them "
        "(Invalid cross-device link)"
    )


@pytest.mark.parametrize("way", LinkWay)
def test_modules_without_bytecode_get_none_and_are_not_counted(
    entry: Entry, prefix: Path, way: LinkWay
) -> None:
    view = lay_out(prefix, GenerationId("x"), [entry], compiled=True, way=way)
    make_view(prefix, [entry], compiled=True, way=way)

    entries = without_absent_bytecode(view).entries

    generation = current_generation(prefix)
    made = sum(len(names) + len(files) for _, names, files in os.walk(generation))
    assert made == entries + len(["generation.json"])
    assert not list(generation.rglob("__pycache__/template.*"))


def test_without_bytecode_in_the_store_python_writes_its_own_beside_a_copy(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    make_view(prefix, [add(store, DEMO, tmp_path)], way=LinkWay.COPY)

    subprocess.run(
        [prefix / "bin/python", "-c", "import demo"], check=True, env={"PATH": os.defpath}
    )

    assert cached(package(prefix)).is_file()


def test_names_that_the_record_says_are_taken_are_not_foreign(entry: Entry, prefix: Path) -> None:
    identity = make_view(prefix, [entry], compiled=True, way=LinkWay.COPY)
    generation = current_generation(prefix)
    assert read_foreign(generation).others == ("demo", "single.py")
    record = read_record(prefix, identity)
    assert record is not None

    marked = msgspec.structs.replace(record, taken=("demo", "single.py"))
    write_atomically(generation / "generation.json", msgspec.json.encode(marked))

    assert not read_foreign(generation)
