"""How the store learns of prefixes, and what all of them together need."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct, field

from envmgr.files import replace_link
from envmgr.link.generation import GenerationRecord
from envmgr.link.prefix import GENERATIONS, environments_under
from envmgr.link.reached import read_reached
from envmgr.link.root import ROOT, renew_root
from envmgr.names import StoreKey
from envmgr.store.roots import (
    UNSEEN_FOR,
    Root,
    forget_root,
    read_roots,
    register_root,
    standing_of,
)
from envmgr.store.store import Store


def root_prefix(prefix: Path, store: Store) -> None:
    """Register a prefix in every store that takes it; to be called before a switch.

    A store that cannot be written is passed over: nothing is collected there either,
    or its owner goes by age.
    """
    keys = read_reached(prefix).keys
    for number, place in enumerate(store.places):
        if number and not (place / "roots").is_dir():
            continue  # a site that wants to know of us has made the directory
        with suppress(OSError):
            file = register_root(place, prefix, keys)
            if not number:
                replace_link(prefix / ROOT, str(file))


def ensure_rooted(prefix: Path, store: Store) -> None:
    """Register a prefix that the store does not know; renew the root of one that it knows."""
    if not renew_root(prefix):
        root_prefix(prefix, store)


def uproot_prefix(prefix: Path, store: Store) -> None:
    """Forget a prefix that was deleted."""
    for place in store.places:
        forget_root(place, prefix)


class Reach(Struct):
    """What environments need of a store, and whom that was learnt from."""

    records: dict[Path, tuple[GenerationRecord, ...]] = field(default_factory=dict)
    """By prefix, of those that can be looked into."""
    keys: dict[Path, frozenset[StoreKey]] = field(default_factory=dict)
    """By prefix; of unseen ones as they registered."""
    unseen: list[Root] = field(default_factory=list)
    """Prefixes that cannot be looked into; they count."""
    gone: list[Root] = field(default_factory=list)
    """Prefixes that were deleted or moved away; they do not count, nor do those unseen too long."""

    @property
    def reached(self) -> frozenset[StoreKey]:
        """Everything that anybody needs."""
        return frozenset().union(*self.keys.values())

    def users(self) -> Mapping[StoreKey, tuple[Path, ...]]:
        """Return the prefixes that need each key, sorted."""
        users: dict[StoreKey, list[Path]] = {}
        for prefix in sorted(self.keys):
            for key in self.keys[prefix]:
                users.setdefault(key, []).append(prefix)
        return {key: tuple(prefixes) for key, prefixes in users.items()}


def read_reach(place: Path, environments: Path, now: float, age: float) -> Reach:
    """Ask every prefix that registered at ``place``, and every named environment.

    ``now`` and ``age`` are in seconds: an unseen prefix counts for ``age`` after it
    was last used, and for UNSEEN_FOR at least. Raises OSError, EnvironmentsHidden.
    """
    reach = Reach()
    roots = {root.prefix: root for root in read_roots(place)}
    for prefix, root in roots.items():
        standing = standing_of(root, GENERATIONS)
        if standing == "seen":
            continue
        if standing == "unseen" and now - root.used <= max(age, UNSEEN_FOR):
            reach.unseen.append(root)
            reach.keys[prefix] = root.keys
        else:
            reach.gone.append(root)
    named = {*environments_under(environments)}  # asked whatever their roots look like
    passed_over = {*reach.keys, *(root.prefix for root in reach.gone)} - named
    for prefix in sorted({*roots, *named} - passed_over):
        _ask(prefix, roots.get(prefix), reach)
    return reach


def _ask(prefix: Path, root: Root | None, reach: Reach) -> None:
    """Let a prefix speak for itself, and its root besides where it cannot in full."""
    try:
        reached = read_reached(prefix)
    except OSError as error:
        if root is None and not isinstance(error, FileNotFoundError):
            raise
        if root is None:
            return  # deleted in this moment
        reach.keys[prefix] = root.keys
        return
    spoken_for = frozenset() if reached.whole or root is None else root.keys
    reach.keys[prefix] = reached.keys | spoken_for
    reach.records[prefix] = reached.records
