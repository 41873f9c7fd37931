"""Entries that a program changed are taken out once, whoever comes first."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from envmgr.events import Event
from envmgr.files import remove_tree
from envmgr.pipeline.mend import sound_entries
from envmgr.store.entry import Entry
from envmgr.store.store import Store, open_store
from tests.support.views import add
from tests.support.wheels import make_wheel


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield open_store((tmp_path / "home", tmp_path / "site"))
    for name in ("home", "site"):
        remove_tree(tmp_path / name)


def changed(store: Store, tmp_path: Path) -> Entry:
    entry = add(store, make_wheel("alpha"), tmp_path)
    place = entry.path / "site-packages/alpha"
    place.chmod(0o755)
    (place / "more.py").write_text("")
    return entry


def test_who_comes_second_takes_it_for_absent_too(store: Store, tmp_path: Path) -> None:
    entry = changed(store, tmp_path)
    told: list[Event] = []

    with ExitStack() as first, ExitStack() as second:
        assert sound_entries({entry.key: entry}, store, told.append, first) == {}
        assert sound_entries({entry.key: entry}, store, told.append, second) == {}

    assert len(told) == 1
    assert store.find(entry.key) == entry


def test_an_entry_of_the_site_is_told_of_and_used(store: Store, tmp_path: Path) -> None:
    entry = changed(open_store((tmp_path / "site",)), tmp_path)
    told: list[Event] = []

    with ExitStack() as stack:
        assert sound_entries({entry.key: entry}, store, told.append, stack) == {entry.key: entry}

    assert len(told) == 1
    assert not str(told[0]).endswith("fetched again")
