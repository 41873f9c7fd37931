"""Entries that a program changed, condemned so that they are fetched again."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack

from envmgr.events import Reporter, Warned
from envmgr.names import StoreKey
from envmgr.store.condemned import condemned
from envmgr.store.entry import Entry, EntryDamaged
from envmgr.store.store import Store
from envmgr.store.tamper import Tampering, find_tampering


def sound_entries(
    found: Mapping[StoreKey, Entry | None], store: Store, report: Reporter, stack: ExitStack
) -> dict[StoreKey, Entry]:
    """Keep the entries that are there and as they were made; each other one is told of.

    A changed entry is condemned until ``stack`` is left: it stays until another has its
    place, whatever happens to this process. Where one was harmed the others are looked at
    thoroughly: who deletes files, deletes more than one. A site's is used as it is, unless
    it cannot be read at all. Raises EntryDamaged.
    """
    sound = {}
    there = {key: entry for key, entry in found.items() if entry is not None}
    harms = {key: find_harm(entry) for key, entry in there.items()}
    thorough = any(harms.values())
    for key, entry in there.items():
        harm = harms[key] or (find_harm(entry, thorough=True) if thorough else None)
        if isinstance(harm, EntryDamaged) and not store.owns(entry):
            report(Warned(f"{harm}; its wheel is fetched"))
            continue
        out = store.find(key) is None if harm is None else _is_condemned(entry, store, stack)
        if not out and isinstance(harm, EntryDamaged):
            raise harm
        if not out:
            sound[key] = entry
        if harm is not None:
            end = "" if key in sound else "; it is fetched again"
            report(Warned(f"{describe(harm)}{end}"))
    return sound


def find_harm(entry: Entry, *, thorough: bool = False) -> Tampering | EntryDamaged | None:
    """Tell how an entry was changed or why nobody can say; ``None`` where nothing says so."""
    try:
        return find_tampering(entry, thorough=thorough)
    except EntryDamaged as damage:
        return damage


def _is_condemned(entry: Entry, store: Store, stack: ExitStack) -> bool:
    """Condemn an entry, if it is ours."""
    if not store.owns(entry):
        return False
    try:
        stack.enter_context(condemned(entry))
    except OSError:
        return store.find(entry.key) is None
    return True


def are_as_made(entries: Iterable[Entry]) -> bool:
    """Whether nobody changed any of these entries, as far as a few stats tell."""
    return all(find_harm(entry) is None for entry in entries)


def describe(harm: Tampering | EntryDamaged) -> str:
    """Say what was done to an entry by a program or by a purge, without a full stop."""
    if isinstance(harm, EntryDamaged):
        return str(harm)
    if harm.added or harm.changed:
        return f"a program changed {harm.package} in the store ({harm})"
    return f"something deleted files of {harm.package} in the store ({harm})"
