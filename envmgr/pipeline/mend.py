"""Entries that a program changed, taken out so that they are fetched again."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack

from envmgr.events import Reporter, Warned
from envmgr.names import StoreKey
from envmgr.store.entry import Entry, EntryDamaged
from envmgr.store.store import Store
from envmgr.store.tamper import Tampering, find_tampering, put_back, set_aside


def sound_entries(
    found: Mapping[StoreKey, Entry | None], store: Store, report: Reporter, stack: ExitStack
) -> dict[StoreKey, Entry]:
    """Keep the entries that are there and as they were made; each other one is told of.

    A changed entry is set aside until ``stack`` is left, and comes back if nothing has
    taken its place by then. A site's is used as it is, unless it cannot be read at all.
    Raises EntryDamaged.
    """
    sound = {}
    for key, entry in found.items():
        if entry is None:
            continue
        try:
            tampering = find_tampering(entry)
        except EntryDamaged as error:
            if store.owns(entry):
                raise
            report(Warned(f"{error}; its wheel is fetched"))
            continue
        if tampering is not None:
            out = _is_taken_out(tampering, store, stack)
        else:
            out = store.find(key) is None
        if not out:
            sound[key] = entry
        if tampering is not None:
            end = "" if key in sound else "; it is fetched again"
            report(Warned(f"{describe(tampering)}{end}"))
    return sound


def _is_taken_out(tampering: Tampering, store: Store, stack: ExitStack) -> bool:
    """Set an entry aside; one that another process has just taken out is out as well."""
    entry = tampering.entry
    if not store.owns(entry):
        return False
    try:
        place = set_aside(entry)
    except OSError:
        return store.find(entry.key) is None
    stack.callback(put_back, entry, place)
    return True


def are_as_made(entries: Iterable[Entry]) -> bool:
    """Whether nobody changed any of these entries, as far as a few stats tell."""
    return all(find_tampering(entry) is None for entry in entries)


def describe(tampering: Tampering) -> str:
    """Say what a program did to an entry, without a full stop."""
    return f"a program changed {tampering.package} in the store ({tampering})"
