"""A store that several users share: who can collect what, and who is heard."""

import json
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.files import remove_tree
from envmgr.names import StoreKey
from envmgr.pipeline.compiling import compile_store as _compile  # noqa: F401 - before a fork
from envmgr.pipeline.environments import delete
from envmgr.pipeline.types import ByName
from envmgr.store.collect import collect
from envmgr.store.roots import read_roots, register_root, standing_of
from envmgr.store.store import Store, open_store
from envmgr.store.verify import check_store
from tests.support.index_server import IndexServer
from tests.support.interpreters import need_python_for_others
from tests.support.project import Project
from tests.support.upkeep import collect as collect_all
from tests.support.users import NOBODY, as_nobody
from tests.support.views import add
from tests.support.wheels import make_wheel

NONE: tuple[frozenset[StoreKey], tuple[Path, ...]] = (frozenset(), ())


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory that every user can write to, as the recipe for groups has it."""
    directory = Path(tempfile.mkdtemp(prefix="envmgr-test-"))
    directory.chmod(0o777)
    yield directory
    remove_tree(directory)


def open_for_all(store: Store) -> None:
    """What the recipe does by group and setgid is done here for everybody."""
    for name in ("entries", "locks", "roots", "leases", "collecting"):
        (store.path / name).mkdir(exist_ok=True)
        (store.path / name).chmod(0o777)


def test_only_its_owner_collects_an_entry(shared: Path, tmp_path: Path) -> None:
    store = open_store((shared,))
    mine = add(store, make_wheel("alpha", "1.0"), tmp_path)
    open_for_all(store)
    wheel = make_wheel("beta", "1.0")
    file = wheel.write_to(shared)

    def attempt() -> str:
        theirs = open_store((shared,)).add_wheel(file, wheel.filename, wheel.sha256)
        done = collect(store.path, lambda _now: NONE, -1.0)
        keys = [entry.key for entry in done.entries]
        return json.dumps([theirs.key, keys, done.foreign])

    theirs, collected, foreign = json.loads(as_nobody(attempt))

    assert collected == [theirs]
    assert foreign == 1
    assert os.listdir(store.path / "entries") == [mine.key]
    assert stat.S_IMODE(mine.path.stat().st_mode) == 0o555


def test_a_user_without_the_right_to_collect_is_told(shared: Path, tmp_path: Path) -> None:
    store = open_store((shared,))
    add(store, make_wheel("alpha", "1.0"), tmp_path)

    def attempt() -> str:
        try:
            collect(store.path, lambda _now: NONE, -1.0)
        except Exception as error:  # noqa: BLE001 - its type is the answer
            return f"{type(error).__name__}: {error}"
        return "collected"

    assert as_nobody(attempt).startswith("StoreNotWritable: the store")
    assert len(os.listdir(store.path / "entries")) == 1


def test_every_user_can_verify(shared: Path, tmp_path: Path) -> None:
    store = open_store((shared,))
    entry = add(store, make_wheel("alpha", "1.0"), tmp_path)
    (entry.path / "site-packages").chmod(0o775)

    def attempt() -> str:
        (checked,) = check_store(store, lambda _event: None)
        return " ".join(f"{each.kind} {each.path}" for each in checked.findings)

    assert as_nobody(attempt) == "mode site-packages"


def test_a_prefix_that_may_not_be_looked_into_counts(shared: Path) -> None:
    private = shared / "home"
    (private / "env" / "generations").mkdir(parents=True)
    register_root(shared / "v1", private / "env", {StoreKey("k")})
    (root,) = read_roots(shared / "v1")
    assert standing_of(root, "generations") == "seen"
    private.chmod(0o700)

    assert as_nobody(lambda: standing_of(root, "generations")) == "unseen"


def test_an_environment_of_another_user_is_known_to_a_site_that_wants_to_know(
    shared: Path, tmp_path: Path
) -> None:
    need_python_for_others()
    wheel = make_wheel("alpha", "1.0")
    site = open_store((shared / "site",))
    entry = add(site, wheel, tmp_path)
    (site.path / "roots").mkdir()
    (site.path / "roots").chmod(0o1777)
    (shared / "theirs").mkdir()
    (shared / "theirs").chmod(0o777)

    with IndexServer([wheel]) as server:
        project = Project(shared / "theirs", server.url, {"ENVMGR_STORES": str(shared / "site")})
        project.write("alpha")
        project.file.chmod(0o644)
        project.lock()
        remove_tree(project.settings.cache)

        said = as_nobody(lambda: str(project.create(name="env").unpacked))

    assert said == "0"
    (root,) = read_roots(site.path)
    assert root.prefix == project.settings.environments / "env"
    assert root.keys == {entry.key}
    assert os.geteuid() != 0 or root.file.stat().st_uid == NOBODY


def lend_to_group(project: Project, store: Path) -> None:
    """Let a member's root lead to the group's store, as the recipe says."""
    project.directory.mkdir()
    project.settings.home.mkdir()
    (project.settings.home / "store").symlink_to(store)
    if os.geteuid() == 0:
        os.chown(project.directory, NOBODY, NOBODY)
        os.chown(project.settings.home, NOBODY, NOBODY)


def test_members_of_a_group_add_to_one_store_and_collect_their_own(shared: Path) -> None:
    for name in ("entries", "locks", "roots", "leases", "collecting"):
        (shared / "store/v1" / name).mkdir(parents=True)
    if os.geteuid() == 0:
        for path in (shared / "store").rglob("*"):
            os.chown(path, -1, NOBODY)
    for path in (shared / "store", *(shared / "store").rglob("*")):
        path.chmod(0o2775)

    with IndexServer([make_wheel("alpha", "1.0"), make_wheel("beta", "1.0")]) as server:
        first = Project(shared / "first", server.url)
        first.directory.mkdir()
        first.settings.home.mkdir()
        (first.settings.home / "store").symlink_to(shared / "store")
        first.write("alpha")
        first.create()
        first.directory.chmod(0o700)
        second = Project(shared / "second", server.url)
        lend_to_group(second, shared / "store")

        def attempt() -> str:
            os.umask(0o002)
            second.write("alpha", "beta")
            made = second.create()
            kept = len(collect_all(second).entries)
            delete(ByName(made.name), second.settings, second.events.append)
            gone = [entry.wheel.split("-")[0] for entry in collect_all(second).entries]
            return json.dumps([made.unpacked, kept, gone])

        unpacked, kept, gone = json.loads(as_nobody(attempt))

    assert (unpacked, kept, gone) == (1, 0, ["beta"])
    first.directory.chmod(0o755)
    assert first.python("import alpha; print(alpha.__version__)") == "1.0"
    assert collect_all(first).needed == 1
