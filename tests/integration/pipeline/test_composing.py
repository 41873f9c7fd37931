"""Compositions are leased before they are looked for, and until whoever asked is done."""

from contextlib import ExitStack
from pathlib import Path

from envmgr.events import silent
from envmgr.link.compose import Exchange, compose
from envmgr.link.entries import read_laid_entries
from envmgr.link.inputs import LaidEntry
from envmgr.names import PackageName, StoreKey
from envmgr.pipeline.composing import compose_entries, find_composed
from envmgr.store.entry import Entry
from envmgr.store.leases import read_leases
from envmgr.store.store import Store, open_store
from tests.support.libraries import copy_name, vendoring
from tests.support.views import add
from tests.support.wheels import make_wheel

COPY = f"site-packages/alpha.libs/{copy_name('alpha 1.0 1')}"
EXCHANGES = {PackageName("alpha"): Exchange(links={COPY: "/shared/libgomp.so.1"})}


class Watched(Store):
    """A store that notes of each composition whether it was leased when it was looked for."""

    def __init__(self, root: Path) -> None:
        super().__init__((root,))
        self.leased_when_sought: dict[str, bool] = {}

    def find(self, key: StoreKey) -> Entry | None:
        if key.startswith("composed-"):
            self.leased_when_sought.setdefault(key, key in read_leases(self.path))
        return super().find(key)


def laid(root: Path, shelf: Path) -> tuple[LaidEntry, ...]:
    store = open_store((root,))
    wheels = (vendoring("alpha", 1), make_wheel("plain"))
    return read_laid_entries([add(store, wheel, shelf) for wheel in wheels])


def test_a_composition_is_leased_before_it_is_looked_for(tmp_path: Path) -> None:
    entries = laid(tmp_path / "home", tmp_path / "shelf")
    key = compose(entries[0], EXCHANGES[PackageName("alpha")]).key
    for _ in range(2):  # made, then found
        store = Watched(tmp_path / "home")
        with ExitStack() as stack:
            compose_entries(entries, EXCHANGES, store, silent, stack)
            assert store.leased_when_sought == {key: True}
            assert key in read_leases(store.path)
        assert key not in read_leases(store.path)


def test_only_packages_of_which_something_is_exchanged_have_one(tmp_path: Path) -> None:
    entries = laid(tmp_path / "home", tmp_path / "shelf")
    store = open_store((tmp_path / "home",))
    with ExitStack() as stack:
        alpha, plain = compose_entries(entries, EXCHANGES, store, silent, stack)
    assert alpha.composed is not None
    assert plain == entries[1]
    assert Path(alpha.composed.root).is_dir()
    assert [entry.key for entry in store.own_composed()] == [alpha.composed.key]
    assert len(store.own_entries()) == 2


def test_nothing_is_written_where_nothing_is_exchanged(tmp_path: Path) -> None:
    entries = laid(tmp_path / "home", tmp_path / "shelf")
    store = open_store((tmp_path / "home",))
    with ExitStack() as stack:
        assert compose_entries(entries, {}, store, silent, stack) == entries
        assert read_leases(store.path) == frozenset()


def test_one_that_is_not_there_means_that_not_all_are(tmp_path: Path) -> None:
    entries = laid(tmp_path / "home", tmp_path / "shelf")
    store = open_store((tmp_path / "home",))
    with ExitStack() as stack:
        alpha, _ = compose_entries(entries, EXCHANGES, store, silent, stack)
    assert alpha.composed is not None
    keys = [alpha.composed.key]
    assert find_composed([], store) == ()
    found = find_composed(keys, store)
    assert found is not None
    assert [entry.key for entry in found] == keys
    assert find_composed([*keys, StoreKey("composed-0")], store) is None
