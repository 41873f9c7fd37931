"""Compositions in the store: made for a view, held while it is, and noticed when they changed."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack

from msgspec.structs import replace

from envmgr.events import Reporter, Warned
from envmgr.link.compose import Exchange, compose, composed_at
from envmgr.link.inputs import LaidEntry
from envmgr.names import PackageName, StoreKey
from envmgr.pipeline.site import is_kept
from envmgr.store.composed import Composition
from envmgr.store.composed_check import check_composed, is_as_composed
from envmgr.store.entry import Entry
from envmgr.store.store import Store
from envmgr.store.tamper import few_paths


def compose_entries(
    entries: tuple[LaidEntry, ...],
    exchanges: Mapping[PackageName, Exchange],
    store: Store,
    report: Reporter,
    stack: ExitStack,
) -> tuple[LaidEntry, ...]:
    """Give each package of which something is exchanged its composition.

    They are leased before they are looked for. Raises EntryDamaged, StoreNotWritable,
    StoreFull.
    """
    compositions = {
        laid.key: compose(laid, exchanges[laid.manifest.name])
        for laid in entries
        if laid.manifest.name in exchanges
    }
    if not compositions:
        return entries
    stack.enter_context(store.leased([each.key for each in compositions.values()], report))
    return tuple(
        _composed(laid, compositions[laid.key], exchanges[laid.manifest.name], store, report)
        if laid.key in compositions
        else laid
        for laid in entries
    )


def _composed(
    laid: LaidEntry,
    composition: Composition,
    exchange: Exchange,
    store: Store,
    report: Reporter,
) -> LaidEntry:
    entry = have_composed(composition, exchange.files, store, report)
    return replace(laid, composed=composed_at(str(entry.path), composition, exchange, laid))


def have_composed(
    composition: Composition, contents: Mapping[str, bytes], store: Store, report: Reporter
) -> Entry:
    """Find a composition that is whole and will stay, or make it; it is leased already.

    Raises EntryDamaged, StoreNotWritable, StoreFull.
    """
    found = store.find(composition.key)
    if found is not None and not is_kept([found], store):
        store = store.alone()  # the site's may go without a word
        found = store.find(composition.key)
    damage = None if found is None else damage_of(found)
    if found is not None and damage is None:
        return found
    if damage is not None:
        report(Warned(f"{damage}; it is made again"))
    return store.add_composed(composition, contents)


def damage_of(entry: Entry) -> str | None:
    """Say what became of a composed entry, without a full stop; ``None`` where it is whole."""
    findings, _ = check_composed(entry, reading=False)
    if not findings:
        return None
    paths = few_paths(tuple(sorted({finding.path or "itself" for finding in findings})))
    return f"the store entry {entry.path} is not what it was ({paths})"


def find_composed(keys: Iterable[StoreKey], store: Store) -> tuple[Entry, ...] | None:
    """Find composed entries, all of them whole; ``None`` where one is not."""
    found = [store.find(key) for key in keys]
    whole = [entry for entry in found if entry is not None and is_as_composed(entry)]
    return tuple(whole) if len(whole) == len(found) else None
