"""Composed entries in the store: checked, repaired, counted, collected; changes are noticed."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from envmgr.files import remove_tree
from envmgr.names import EnvironmentName, StoreKey
from envmgr.pipeline.compiling import compile_store
from envmgr.pipeline.environments import delete, list_packages
from envmgr.pipeline.repair import Repaired, repair_store
from envmgr.pipeline.types import ByName
from envmgr.pipeline.upkeep import Verified, disk_use, verify_store
from envmgr.store.composed import COMPOSITION, Composition, read_composition
from envmgr.store.composed_check import is_as_composed
from envmgr.store.entry import WHEEL_NAME, Entry, EntryDamaged
from envmgr.store.errors import StoreFull
from envmgr.store.store import open_store
from tests.support.index_server import IndexServer
from tests.support.libraries import (
    GOMP,
    composed,
    copy_name,
    make_consumer,
    numbers,
    record,
    vendoring,
)
from tests.support.project import Project
from tests.support.upkeep import collect, let_pass
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="runtimes are shared on Linux")

ALPHA = vendoring("alpha", 1, versions=GOMP[:3])
BETA = vendoring("beta", 2)
ASKER = make_wheel(
    "asker",
    purelib=False,
    files={
        "asker/__init__.py": "",
        "asker/_core.so": make_consumer("asker", "libgomp.so.1", runpath="$ORIGIN"),
    },
)
"""Asks for libgomp by its canonical name, so that a library is written for it."""

CORE = "site-packages/alpha/_core.so"
COPY = f"site-packages/alpha.libs/{copy_name('alpha 1.0 1')}"


@pytest.fixture
def server() -> Iterator[IndexServer]:
    with IndexServer([ALPHA, BETA, ASKER, make_wheel("plain")]) as running:
        yield running


@pytest.fixture
def made(tmp_path: Path, server: IndexServer) -> Project:
    project = Project(tmp_path, server.url)
    project.write("alpha", "beta")
    project.create()
    return project


def verify(project: Project) -> Verified:
    return verify_store(project.settings, project.events.append)


def repair(project: Project, *, dry_run: bool = False) -> Repaired:
    return repair_store(project.settings, project.environ, project.events.append, dry_run=dry_run)


def findings(project: Project) -> list[tuple[str, str]]:
    return [(each.kind, each.path) for entry in verify(project).damaged for each in entry.findings]


def opened(path: Path, action: Callable[[], object]) -> None:
    """Do what root's programs can, and leave the modes as they were."""
    path.parent.chmod(0o755)
    action()
    path.parent.chmod(0o555)


def put(path: Path, data: bytes) -> None:
    def write() -> None:
        remove_tree(path)
        path.write_bytes(data)
        path.chmod(0o444)

    opened(path, write)


def lead(path: Path, target: str) -> None:
    def link() -> None:
        remove_tree(path)
        path.symlink_to(target)

    opened(path, link)


def test_a_whole_store_has_nothing_wrong(made: Project) -> None:
    verified = verify(made)
    assert verified.damaged == ()
    assert verified.entries == 3


DAMAGES: dict[str, tuple[Callable[[Path], None], tuple[str, str]]] = {
    "a link leads elsewhere": (lambda root: lead(root / COPY, "/nowhere"), ("changed", COPY)),
    "a link is gone": (
        lambda root: opened(root / COPY, (root / COPY).unlink),
        ("missing", COPY),
    ),
    "a file is another one": (lambda root: put(root / CORE, b"other"), ("changed", CORE)),
    "a file is gone": (lambda root: opened(root / CORE, (root / CORE).unlink), ("missing", CORE)),
    "a file came": (
        lambda root: put(root / "site-packages/alpha/new.py", b""),
        ("extra", "site-packages/alpha/new.py"),
    ),
    "a directory can be written": (
        lambda root: (root / "site-packages/alpha").chmod(0o755),
        ("mode", "site-packages/alpha"),
    ),
    "its name is another": (lambda root: put(root / WHEEL_NAME, b"x"), ("changed", WHEEL_NAME)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_repaired(made: Project, damage: str) -> None:
    (root,) = composed(made)
    harm, found = DAMAGES[damage]
    harm(root)
    assert findings(made) == [found]
    assert repair(made, dry_run=True).entries[0].outcome == "repaired"
    assert findings(made) == [found]
    (repaired,) = repair(made).entries
    assert (repaired.outcome, repaired.fetched) == ("repaired", False)
    assert repaired.entry.package == "alpha 1.0 (composed)"
    assert repaired.entry.environments == (made.prefix,)
    assert findings(made) == []
    assert numbers(made, "alpha", "beta") == "2 2 1"


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_noticed_by_the_next_create(made: Project, damage: str) -> None:
    (root,) = composed(made)
    DAMAGES[damage][0](root)
    list_packages(ByName(EnvironmentName("project")), made.settings, made.events.append)
    assert f"{root} is not what it was" in made.told()
    made.events.clear()
    assert made.create().made == "updated"
    assert "it is made again" in made.told()
    assert findings(made) == []
    assert numbers(made, "beta", "alpha") == "2 2 1"
    assert made.create().made == "unchanged"


def test_one_that_is_gone_is_made_again(made: Project) -> None:
    (root,) = composed(made)
    remove_tree(root)
    assert made.create().made == "updated"
    assert composed(made) == [root]
    assert numbers(made, "beta", "alpha") == "2 2 1"


def test_one_that_cannot_tell_what_it_is_made_of_is_left_to_sync(made: Project) -> None:
    (root,) = composed(made)
    put(root / COMPOSITION, b"{}")
    (left,) = repair(made).entries
    assert left.outcome == "left"
    assert f"envmgr sync -p {made.prefix}" in str(left.reason)
    assert made.sync().made == "updated"
    assert findings(made) == []


def test_a_written_library_that_was_changed_is_left_to_sync(made: Project) -> None:
    made.write("alpha", "beta", "asker")
    made.create()
    (root,) = composed(made, "asker")
    path = root / "site-packages/asker/_core.so"
    assert not path.is_symlink()
    put(path, path.read_bytes() + b"\0")
    assert findings(made) == [("changed", "site-packages/asker/_core.so")]
    (left,) = repair(made).entries
    assert left.outcome == "left"
    assert "which envmgr wrote, was changed" in str(left.reason)
    assert made.sync().made == "updated"
    assert findings(made) == []


def test_one_that_nobody_needs_is_left_to_collection(made: Project) -> None:
    (root,) = composed(made)
    put(root / COMPOSITION, b"{}")
    delete(ByName(EnvironmentName("project")), made.settings, made.events.append)
    (left,) = repair(made).entries
    assert "store gc" in str(left.reason)


def test_a_repaired_package_is_what_its_composition_shows(made: Project) -> None:
    (root,) = composed(made)
    composition = read_composition(Entry(StoreKey(root.name), root))
    assert composition is not None
    own = Path(composition.names[CORE])
    put(own, b"broken")
    assert sorted(findings(made)) == [("changed", CORE), ("changed", CORE)]
    outcomes = [each.outcome for each in repair(made).entries]
    assert outcomes == ["repaired", "repaired"]
    assert (root / CORE).samefile(own)
    assert findings(made) == []
    assert numbers(made, "alpha", "beta") == "2 2 1"


def test_a_package_that_was_written_over_is_repaired_in_both_places(made: Project) -> None:
    """The composition holds the very same file until the package's own is another one."""
    (root,) = composed(made)
    composition = read_composition(Entry(StoreKey(root.name), root))
    assert composition is not None
    own = Path(composition.names[CORE])
    own.chmod(0o644)
    own.write_bytes(b"broken")
    own.chmod(0o444)
    assert findings(made) == [("changed", CORE)]
    assert [each.fetched for each in repair(made).entries] == [True, False]
    assert (root / CORE).samefile(own)
    assert findings(made) == []
    assert numbers(made, "alpha", "beta") == "2 2 1"


def test_a_refetched_package_is_what_its_composition_shows(made: Project) -> None:
    (root,) = composed(made)
    composition = read_composition(Entry(StoreKey(root.name), root))
    assert composition is not None
    own = Path(composition.names[CORE])
    put(own, b"broken")
    made.create()
    assert (root / CORE).samefile(own)
    assert findings(made) == []
    assert numbers(made, "alpha", "beta") == "2 2 1"


def test_bytes_of_further_names_are_counted_once(made: Project) -> None:
    use = disk_use(None, made.settings, made.events.append)
    (root,) = composed(made)
    place = root.parent
    inodes = {}
    for path in place.rglob("*"):
        status = path.lstat()
        inodes[status.st_ino] = 0 if path.is_dir() and not path.is_symlink() else status.st_size
    assert use.total.bytes == sum(inodes.values())
    tops = len(list(place.iterdir()))
    assert use.total.inodes == len(inodes)
    assert use.total.entries == tops == 3
    (environment,) = use.environments
    assert environment.own == use.total


def test_collection_counts_what_it_frees(made: Project) -> None:
    use = disk_use(None, made.settings, made.events.append)
    delete(ByName(EnvironmentName("project")), made.settings, made.events.append)
    would = collect(made, dry_run=True)
    done = collect(made)
    assert done.bytes == would.bytes == use.total.bytes
    assert len(done.entries) == 3
    assert composed(made) == []


def test_kept_generations_keep_their_compositions(made: Project) -> None:
    (root,) = composed(made)
    made.write("plain", more="keep: 2\n")
    made.create()
    assert collect(made).entries == ()
    made.write("plain", "beta", more="keep: 2\n")
    made.create()
    assert [each.key for each in collect(made).entries if each.key == root.name] == [root.name]
    assert composed(made) == []


def test_a_young_composition_stays(made: Project) -> None:
    delete(ByName(EnvironmentName("project")), made.settings, made.events.append)
    assert collect(made, age=3600.0).entries == ()
    let_pass(made, 2)
    assert len(collect(made, age=3600.0).entries) == 3


def test_a_link_made_again_renews_the_age(made: Project) -> None:
    let_pass(made, 90)
    made.create(name="other", file=made.file)
    for name in ("project", "other"):
        delete(ByName(EnvironmentName(name)), made.settings, made.events.append)
    assert collect(made, age=3600.0).entries == ()


def test_what_a_program_runs_from_stays_with_all_it_is_made_of(made: Project) -> None:
    code = "import alpha; print(alpha.number(), flush=True); input()"
    with made.waiting(code) as printed:
        assert printed == "2"
        delete(ByName(EnvironmentName("project")), made.settings, made.events.append)
        done = collect(made)
    assert done.entries == ()
    assert len(collect(made).entries) == 3


def test_compiling_everything_passes_compositions_over(made: Project) -> None:
    compile_store(None, made.settings, made.environ, made.events.append, everything=True)
    assert findings(made) == []
    code = "import alpha.plain; print(alpha.plain.__cached__)"
    assert Path(made.python(code)).exists()


def test_where_hard_links_are_refused_there_are_links(
    made: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove_tree(composed(made)[0])

    def refuse(source: object, target: object, **_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    made.create()
    (root,) = composed(made)
    assert (root / CORE).is_symlink()
    assert findings(made) == []
    assert numbers(made, "alpha", "beta") == "2 2 1"


def test_a_full_disk_leaves_nothing(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    before = record(made.prefix)
    remove_tree(composed(made)[0])
    symlink = os.symlink

    def full(source: str, target: str, **rest: bool) -> None:
        if "/.staging-" in str(target):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        symlink(source, target, **rest)

    monkeypatch.setattr(os, "symlink", full)
    with pytest.raises(StoreFull):
        made.create()
    monkeypatch.undo()
    assert not [name for name in made.entries() if name.startswith((".", "composed-"))]
    assert record(made.prefix) == before
    assert made.create().made == "updated"


def test_a_file_that_is_gone_from_its_own_entry_is_told_of(made: Project) -> None:
    (root,) = composed(made)
    composition = read_composition(Entry(StoreKey(root.name), root))
    assert composition is not None
    remove_tree(root)
    own = Path(composition.names["site-packages/alpha/plain.py"])
    opened(own, own.unlink)
    with pytest.raises(EntryDamaged) as failure:
        open_store(made.settings.stores).add_composed(composition, {})
    assert failure.value.reason == "site-packages/alpha/plain.py is missing"
    assert not [name for name in made.entries() if name.startswith((".", "composed-"))]


COMPOSE = """
import os, signal, sys
from pathlib import Path
import msgspec
from envmgr.store import composed
from envmgr.store.store import open_store
composition = msgspec.json.decode(Path(sys.argv[2]).read_bytes(), type=composed.Composition)
"""


def compose_process(made: Project, composition: Composition, code: str) -> "subprocess.Popen[str]":
    file = made.directory / "composition.json"
    file.write_bytes(msgspec.json.encode(composition))
    call = "\nopen_store((Path(sys.argv[1]),)).add_composed(composition, {})\n"
    return subprocess.Popen(
        [sys.executable, "-c", COMPOSE + code + call, str(made.settings.stores[0]), str(file)],
        env={**made.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def taken_away(made: Project) -> Composition:
    (root,) = composed(made)
    composition = read_composition(Entry(StoreKey(root.name), root))
    assert composition is not None
    remove_tree(root)
    return composition


def test_what_a_killed_process_left_is_swept(made: Project) -> None:
    composition = taken_away(made)
    die = "os.symlink = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
    with compose_process(made, composition, die) as dying:
        assert dying.wait(60) == -signal.SIGKILL
    assert len([name for name in made.entries() if name.startswith(".staging-")]) == 1
    assert composed(made) == []
    made.create()
    assert not [name for name in made.entries() if name.startswith(".staging-")]
    assert numbers(made, "alpha", "beta") == "2 2 1"


def test_two_processes_make_the_same_one(made: Project) -> None:
    composition = taken_away(made)
    wait = "print('ready', flush=True); sys.stdin.readline()"
    with (
        compose_process(made, composition, wait) as one,
        compose_process(made, composition, wait) as other,
    ):
        for each in (one, other):
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in (one, other):
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()
        assert [each.wait(60) for each in (one, other)] == [0, 0]
    (root,) = composed(made)
    assert is_as_composed(Entry(StoreKey(root.name), root))
    assert not [name for name in made.entries() if name.startswith(".staging-")]


def test_a_collection_beside_a_create_leaves_what_that_one_links(made: Project) -> None:
    """A composition is leased before it is looked for, old as it may be."""
    let_pass(made, 90)
    keys = {each.name for each in composed(made)}
    delete(ByName(EnvironmentName("project")), made.settings, made.events.append)
    store = open_store(made.settings.stores)
    with store.leased([StoreKey(key) for key in keys]):
        gone = {entry.key for entry in collect(made).entries}
    assert not gone & keys
    assert {each.name for each in composed(made)} == keys
