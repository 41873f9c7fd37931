"""``store verify``, ``repair``, ``du`` and ``compile``, on a store that was damaged on purpose."""

import importlib.util
import marshal
import os
import py_compile
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from envmgr.files import remove_tree
from envmgr.link.generation import read_current
from envmgr.names import EnvironmentName
from envmgr.pipeline.compiling import compile_store
from envmgr.pipeline.environments import delete
from envmgr.pipeline.repair import Repaired, repair_store
from envmgr.pipeline.types import ByName
from envmgr.pipeline.upkeep import Verified, disk_use, verify_store
from envmgr.store.bytecode import is_compiled
from envmgr.store.entry import MANIFEST, WHEEL_NAME, read_manifest
from envmgr.store.sources import SOURCES
from envmgr.store.staging import machine_token
from envmgr.store.store import open_store
from tests.support.index_server import IndexServer, Status
from tests.support.project import Project
from tests.support.upkeep import collect, create_at, entry_of
from tests.support.views import this_interpreter

SAY = "import alpha; print(alpha.__version__)"
MODULE = "site-packages/alpha/__init__.py"
CACHED = f"site-packages/alpha/__pycache__/__init__.{sys.implementation.cache_tag}.pyc"


@pytest.fixture
def made(project: Project) -> Project:
    project.write("alpha ==1.0", "beta ==1.1")
    project.create()
    return project


def verify(project: Project, *, fast: bool = False) -> Verified:
    return verify_store(project.settings, project.events.append, fast=fast)


def repair(project: Project, *, dry_run: bool = False) -> Repaired:
    return repair_store(project.settings, project.environ, project.events.append, dry_run=dry_run)


def findings(verified: Verified) -> list[tuple[str, str]]:
    return [(each.kind, each.path) for entry in verified.damaged for each in entry.findings]


def write(path: Path, data: bytes, mode: int = 0o444) -> None:
    """Write into a closed entry as root's programs can, and leave the modes as they were."""
    path.parent.chmod(0o755)
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    path.chmod(mode)
    path.parent.chmod(0o555)


def remove(path: Path) -> None:
    path.parent.chmod(0o755)
    remove_tree(path)
    path.parent.chmod(0o555)


def flip_a_byte(entry: Path) -> None:
    data = bytearray((entry / MODULE).read_bytes())
    data[0] ^= 1
    write(entry / MODULE, bytes(data))


def cache(entry: Path, name: str, data: bytes) -> None:
    directory = entry / "site-packages/alpha/__pycache__"
    directory.parent.chmod(0o755)
    directory.mkdir(exist_ok=True)
    directory.parent.chmod(0o555)
    write(directory / name, data)


def compile_by_time(entry: Path) -> None:
    (entry / "site-packages/alpha").chmod(0o755)
    py_compile.compile(os.fspath(entry / MODULE), doraise=True)
    (entry / "site-packages/alpha/__pycache__").chmod(0o555)
    (entry / CACHED).chmod(0o444)
    (entry / "site-packages/alpha").chmod(0o555)


def compile_another_source(entry: Path) -> None:
    code = marshal.dumps(compile("__version__ = 'wrong'", "x", "exec"))
    header = importlib.util.MAGIC_NUMBER + b"\1\0\0\0" + importlib.util.source_hash(b"other")
    cache(entry, Path(CACHED).name, header + code)


def lead_elsewhere(entry: Path) -> None:
    remove(entry / MODULE)
    (entry / MODULE).parent.chmod(0o755)
    (entry / MODULE).symlink_to("/dev/null")
    (entry / MODULE).parent.chmod(0o555)


def add_a_directory(entry: Path) -> None:
    (entry / "site-packages").chmod(0o755)
    (entry / "site-packages/more").mkdir()
    (entry / "site-packages").chmod(0o555)


Damage = Callable[[Path], object]

SEEN_FAST: dict[str, tuple[Damage, tuple[str, str]]] = {
    "truncated": (lambda entry: write(entry / MODULE, b""), ("changed", MODULE)),
    "removed": (lambda entry: remove(entry / MODULE), ("missing", MODULE)),
    "a link": (lead_elsewhere, ("changed", MODULE)),
    "added": (
        lambda entry: write(entry / "site-packages/alpha/more.py", b"x = 1"),
        ("extra", "site-packages/alpha/more.py"),
    ),
    "beside": (lambda entry: write(entry / "more", b""), ("extra", "more")),
    "a directory": (add_a_directory, ("extra", "site-packages/more")),
    "numba": (
        lambda entry: cache(entry, "__init__.f-1.py312.nbi", b"index"),
        ("extra", "site-packages/alpha/__pycache__/__init__.f-1.py312.nbi"),
    ),
    "bytecode of a program": (compile_by_time, ("bytecode", CACHED)),
    "bytecode cut short": (
        lambda entry: cache(entry, Path(CACHED).name, importlib.util.MAGIC_NUMBER),
        ("bytecode", CACHED),
    ),
    "bytecode of nothing": (
        lambda entry: cache(entry, f"more.{sys.implementation.cache_tag}.pyc", b"x" * 20),
        ("extra", f"site-packages/alpha/__pycache__/more.{sys.implementation.cache_tag}.pyc"),
    ),
    "a file's mode": (lambda entry: (entry / MODULE).chmod(0o644), ("mode", MODULE)),
    "a directory's mode": (
        lambda entry: (entry / "site-packages/alpha").chmod(0o775),
        ("mode", "site-packages/alpha"),
    ),
    "the entry's mode": (lambda entry: entry.chmod(0o755), ("mode", "")),
    "no manifest": (lambda entry: remove(entry / MANIFEST), ("facts", MANIFEST)),
    "a bad manifest": (lambda entry: write(entry / MANIFEST, b"\x80"), ("facts", MANIFEST)),
    "no name": (lambda entry: remove(entry / WHEEL_NAME), ("facts", WHEEL_NAME)),
    "other sources": (lambda entry: write(entry / SOURCES, b"x\n"), ("facts", SOURCES)),
}
"""Damage, and what it is called: kind and path."""

SEEN_IN_FULL: dict[str, tuple[Damage, tuple[str, str]]] = {
    "a byte": (flip_a_byte, ("changed", MODULE)),
    "another source": (compile_another_source, ("bytecode", CACHED)),
}

ALL = {**SEEN_FAST, **SEEN_IN_FULL}


def test_a_store_that_is_whole_is_said_to_be(made: Project) -> None:
    verified = verify(made)
    assert (verified.entries, verified.damaged) == (2, ())
    assert verified.files == sum(
        len(read_manifest(entry).files) for entry in open_store(made.settings.stores).own_entries()
    )


def test_bytecode_of_envmgr_is_expected(made: Project) -> None:
    compile_store(sys.executable, made.settings, made.environ, made.events.append)
    assert (entry_of(made, made.prefix, "alpha").path / CACHED).exists()
    assert verify(made).damaged == ()


@pytest.mark.parametrize("name", ALL)
def test_damage_is_found_and_repaired(made: Project, name: str) -> None:
    damage, found = ALL[name]
    entry = entry_of(made, made.prefix, "alpha").path
    damage(entry)

    verified = verify(made)
    assert findings(verified) == [found]
    assert verified.damaged[0].environments == (made.prefix,)
    assert verified.damaged[0].path == entry

    (would,) = repair(made, dry_run=True).entries
    assert findings(verify(made)) == [found]
    (repaired,) = repair(made).entries
    assert would.outcome == repaired.outcome == "repaired"
    assert verify(made).damaged == ()
    assert repair(made).entries == ()
    assert made.python(SAY) == "1.0"


@pytest.mark.parametrize("name", SEEN_FAST)
def test_a_fast_look_finds_what_sizes_modes_and_names_tell(made: Project, name: str) -> None:
    damage, found = SEEN_FAST[name]
    damage(entry_of(made, made.prefix, "alpha").path)
    assert findings(verify(made, fast=True)) == [found]


@pytest.mark.parametrize("name", SEEN_IN_FULL)
def test_a_fast_look_reads_no_contents(made: Project, name: str) -> None:
    damage, _ = SEEN_IN_FULL[name]
    damage(entry_of(made, made.prefix, "alpha").path)
    assert verify(made, fast=True).damaged == ()


def test_a_manifest_made_of_damaged_files_does_not_hide_the_damage(made: Project) -> None:
    entry = entry_of(made, made.prefix, "alpha")
    flip_a_byte(entry.path)
    remove(entry.path / MANIFEST)
    read_manifest(entry)
    assert (entry.path / MANIFEST).exists()

    assert findings(verify(made)) == [("changed", MODULE)]
    repair(made)
    assert verify(made).damaged == ()
    assert made.python(SAY) == "1.0"


def test_what_a_killed_collection_left_is_counted_and_swept(made: Project) -> None:
    place = open_store(made.settings.stores).path / "entries"
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    name = f".staging-{machine_token()}-{dead.pid}-0"
    (place / name / "site-packages").mkdir(parents=True)

    assert (verify(made).damaged, verify(made).leftovers) == ((), 1)
    assert repair(made, dry_run=True).leftovers == 1
    assert repair(made).leftovers == 1
    assert not (place / name).exists()
    assert verify(made).leftovers == 0


def test_an_entry_of_which_nothing_is_left_comes_back_in_its_place(made: Project) -> None:
    entry = entry_of(made, made.prefix, "alpha").path
    for item in entry.iterdir():
        remove(item)

    (repaired,) = repair(made).entries

    assert (repaired.outcome, repaired.fetched) == ("repaired", True)
    assert verify(made).damaged == ()
    assert made.python(SAY) == "1.0"


def test_a_program_keeps_the_file_it_has_open(made: Project) -> None:
    entry = entry_of(made, made.prefix, "alpha").path
    flip_a_byte(entry)
    damaged = (entry / MODULE).read_bytes()
    with (entry / MODULE).open("rb") as file:
        repair(made)
        assert file.read() == damaged != (entry / MODULE).read_bytes()


def test_bytecode_of_the_damaged_source_goes_with_it(made: Project) -> None:
    entry = entry_of(made, made.prefix, "alpha").path
    write(entry / MODULE, (entry / MODULE).read_bytes().replace(b"1.0", b"6.6"))
    compile_store(sys.executable, made.settings, made.environ, made.events.append)
    assert made.python(SAY) == "6.6"

    repair(made)

    assert made.python(SAY) == "1.0"
    assert not is_compiled(entry_of(made, made.prefix, "alpha"), this_interpreter())


def test_what_a_create_is_working_on_is_passed_over_and_said_so(made: Project) -> None:
    entry = entry_of(made, made.prefix, "alpha")
    entry.path.chmod(0o755)
    with open_store(made.settings.stores).leased([entry.key]):
        assert verify(made).damaged == ()
        assert repair(made).entries == ()
    assert f"{entry.path} is in use by another envmgr" in made.told()
    assert findings(verify(made)) == [("mode", "")]


def test_an_index_that_is_away_leaves_the_entry_and_says_so(
    made: Project, server: IndexServer
) -> None:
    entry = entry_of(made, made.prefix, "alpha").path
    flip_a_byte(entry)
    (entry / "site-packages/alpha").chmod(0o755)
    server.fail("/files/*", Status(500))

    (left,) = repair(made).entries

    assert left.outcome == "left"
    assert left.reason is not None
    assert "alpha-1.0" in left.reason
    server.heal()
    assert repair(made).entries[0].outcome == "repaired"
    assert verify(made).damaged == ()


def test_without_a_lock_nobody_knows_the_wheel(made: Project) -> None:
    flip_a_byte(entry_of(made, made.prefix, "alpha").path)
    made.lock_file.unlink()
    (left,) = repair(made).entries
    assert left.outcome == "left"
    assert left.reason is not None
    assert "no lock says" in left.reason


def test_what_nobody_needs_is_left_to_the_collection(made: Project) -> None:
    flip_a_byte(entry_of(made, made.prefix, "alpha").path)
    delete(ByName(EnvironmentName("project")), made.settings, made.events.append)
    (left,) = repair(made).entries
    assert left.reason == "no environment needs it; `envmgr store gc --older-than 0d` removes it"
    collect(made)
    assert verify(made).entries == 0


def test_what_is_one_environments_own_is_told_from_what_is_shared(
    made: Project, tmp_path: Path
) -> None:
    made.write("beta ==1.1", "checks")
    prefix = create_at(made, tmp_path / "env").prefix

    use = disk_use(None, made.settings, made.events.append)

    rows = {each.prefix: each for each in use.environments}
    assert set(rows) == {prefix, made.prefix}
    assert rows[made.prefix].own.entries == 0
    assert rows[made.prefix].shared.entries == 2
    assert rows[prefix].own.entries == 1
    assert rows[prefix].shared == rows[made.prefix].shared
    assert use.total.entries == 3
    assert use.total.bytes == rows[prefix].own.bytes + rows[prefix].shared.bytes
    assert (use.unused.entries, use.collectable.entries) == (0, 0)
    record = read_current(made.prefix)
    assert record is not None
    assert rows[made.prefix].view > record.entries

    selected = disk_use(ByName(EnvironmentName("project")), made.settings, made.events.append)
    assert selected.environments == (rows[made.prefix],)
    assert selected.total == use.total


def test_sizes_are_those_on_the_disk(made: Project) -> None:
    entry = entry_of(made, made.prefix, "alpha").path
    there = list(entry.rglob("*"))
    delete(ByName(EnvironmentName("project")), made.settings, made.events.append)
    made.write("beta ==1.1")
    made.create()

    unused = disk_use(None, made.settings, made.events.append).unused

    assert unused.entries == 1
    assert unused.inodes == len(there) + 1
    assert unused.bytes == sum(path.stat().st_size for path in there if path.is_file())


def test_all_that_environments_use_is_compiled_for_their_interpreters(made: Project) -> None:
    made.write("beta ==1.0")
    made.create(name="other")
    delete(ByName(EnvironmentName("other")), made.settings, made.events.append)
    unneeded = [
        entry
        for entry in open_store(made.settings.stores).own_entries()
        if read_manifest(entry).version == "1.0" and read_manifest(entry).name == "beta"
    ]

    done = compile_store(None, made.settings, made.environ, made.events.append)

    (one,) = done.interpreters
    assert (one.entries, one.compiled, one.failed, one.denied) == (2, one.compiled, 0, 0)
    assert one.compiled > 0
    assert is_compiled(entry_of(made, made.prefix, "alpha"), this_interpreter())
    assert not is_compiled(unneeded[0], this_interpreter())

    compile_store(None, made.settings, made.environ, made.events.append, everything=True)
    assert is_compiled(unneeded[0], this_interpreter())
    again = compile_store(None, made.settings, made.environ, made.events.append)
    assert again.interpreters[0].entries == 0


KILLED = """
import os, signal, sys
left = {count}
def hook(event, arguments):
    global left
    if event in ("os.rename", "os.chmod", "os.remove") and "/entries/" in str(arguments[0]):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
from pathlib import Path
from envmgr.pipeline.repair import repair_store
from envmgr.spec.settings import load_settings
environ = dict(os.environ)
sys.addaudithook(hook)
repair_store(load_settings(environ, Path("/")), environ, lambda event: None)
"""


@pytest.mark.parametrize("count", [0, 3, 8, 9, 10, 11, 12, 14, 18])
def test_a_repair_that_is_killed_is_finished_by_the_next(made: Project, count: int) -> None:
    entry = entry_of(made, made.prefix, "alpha").path
    flip_a_byte(entry)
    remove(entry / SOURCES)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED.format(count=count)],
        env={**made.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL

    repair(made)

    assert verify(made).damaged == ()
    collect(made)
    assert len(made.entries()) == 2
    assert made.python(SAY) == "1.0"
