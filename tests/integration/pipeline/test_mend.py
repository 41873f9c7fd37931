"""Entries that a program changed are taken out once, whoever comes first."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from envmgr.events import Event, silent
from envmgr.files import remove_tree
from envmgr.pipeline.mend import find_harm, sound_entries
from envmgr.store.entry import Entry
from envmgr.store.store import Store, open_store
from tests.support.project import Project
from tests.support.views import add
from tests.support.wheels import make_wheel


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield open_store((tmp_path / "home", tmp_path / "site"))
    for name in ("home", "site"):
        remove_tree(tmp_path / name)


def is_replaced(now: Entry, before: Entry) -> bool:
    """Whether another has the place of a changed entry, which has a file more."""
    return now == before and not (now.path / "site-packages/alpha/more.py").exists()


def changed(store: Store, tmp_path: Path) -> Entry:
    entry = add(store, make_wheel("alpha"), tmp_path)
    place = entry.path / "site-packages/alpha"
    place.chmod(0o755)
    (place / "more.py").write_text("")
    return entry


def test_it_stays_in_its_place_until_another_has_it(store: Store, tmp_path: Path) -> None:
    entry = changed(store, tmp_path)
    told: list[Event] = []

    with ExitStack() as first, ExitStack() as second:
        for stack in (first, second):
            assert sound_entries({entry.key: entry}, store, told.append, stack) == {}
            assert store.find(entry.key) == entry
        assert find_harm(entry) is not None
        assert is_replaced(add(store, make_wheel("alpha"), tmp_path), entry)
        assert find_harm(entry) is None
        assert os.listdir(entry.path.parent) == [entry.key]
        inode = entry.path.stat().st_ino
        assert add(store, make_wheel("alpha"), tmp_path).path.stat().st_ino == inode


def test_it_stays_for_good_where_nothing_took_its_place(store: Store, tmp_path: Path) -> None:
    entry = changed(store, tmp_path)

    with ExitStack() as stack:
        assert sound_entries({entry.key: entry}, store, silent, stack) == {}

    assert os.listdir(entry.path.parent) == [entry.key]
    assert find_harm(entry) is not None


KILLED = """
import os, signal, sys
from pathlib import Path
import envmgr.index.fetch as module
from tests.support.project import Project
module.fetch_wheels = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
Project(Path(sys.argv[1]), sys.argv[2]).create()
"""


def test_who_is_killed_while_it_is_fetched_again_breaks_no_environment(project: Project) -> None:
    project.write("alpha ==1.0")
    project.create()
    store = open_store(project.settings.stores)
    (entry,) = store.own_entries()
    place = entry.path / "site-packages/alpha"
    place.chmod(0o755)
    (place / "more.py").write_text("")

    words = [sys.executable, "-c", KILLED, str(project.directory), project.index_url]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL

    assert project.python("import alpha, alpha.more; print(alpha.__version__)") == "1.0"
    project.create()
    assert find_harm(entry) is None
    assert os.listdir(entry.path.parent) == [entry.key]


def test_an_entry_of_the_site_is_told_of_and_used(store: Store, tmp_path: Path) -> None:
    entry = changed(open_store((tmp_path / "site",)), tmp_path)
    told: list[Event] = []

    with ExitStack() as stack:
        assert sound_entries({entry.key: entry}, store, told.append, stack) == {entry.key: entry}

    assert len(told) == 1
    assert not str(told[0]).endswith("fetched again")
