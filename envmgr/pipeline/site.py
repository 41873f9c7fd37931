"""Entries of a site's store that may go without our knowing: copied into our own first."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

from envmgr.events import Reporter, StageAdvanced, StageFinished, StageStarted, Warned
from envmgr.link.generation import GenerationRecord
from envmgr.link.place import is_same_place
from envmgr.link.prefix import GENERATIONS
from envmgr.names import StoreKey
from envmgr.store.copy import NotCopied
from envmgr.store.entry import Entry, wheel_of
from envmgr.store.published import read_published, takes_roots
from envmgr.store.store import Store

COPIERS = 2
"""Entries that are copied at a time."""


def fleeting_entries(entries: Iterable[Entry], store: Store) -> tuple[Entry, ...]:
    """Return those that are not ours, and that neither a root of ours nor their owner's keeps."""
    by_place: dict[Path, list[Entry]] = {}
    for entry in entries:
        if not store.owns(entry):
            by_place.setdefault(entry.path.parent.parent, []).append(entry)
    return tuple(
        entry for place, theirs in by_place.items() for entry in _fleeting(place, theirs, store)
    )


def _fleeting(place: Path, entries: list[Entry], store: Store) -> Iterator[Entry]:
    """Somebody's own store, which is no site of ours, promises nothing that lasts."""
    listed = place in store.places
    if listed and takes_roots(place):
        return
    published = read_published(place, GENERATIONS) if listed else None
    for entry in entries:
        if published is None or not published.covers(entry):
            yield entry


def is_kept(entries: Iterable[Entry], store: Store) -> bool:
    """Whether every entry is ours or will stay; costs nothing where there is no site."""
    return len(store.places) == 1 or not fleeting_entries(entries, store)


def bring(
    entries: Mapping[StoreKey, Entry], store: Store, stamp: str, report: Reporter
) -> tuple[dict[StoreKey, Entry], int]:
    """Copy what may go into our own store; returns the entries to link, and how many are copies.

    An entry that cannot be copied is left out, with a warning if it is still there.
    ``stamp`` is of the interpreter whose bytecode is to come along. Raises
    StoreNotWritable, StoreFull.
    """
    if len(store.places) == 1:
        return dict(entries), 0
    fleeting = fleeting_entries(entries.values(), store)
    there = dict(entries)
    copied = 0
    for entry, copy in zip(fleeting, copies(fleeting, store, (stamp,), report), strict=True):
        if isinstance(copy, Entry):
            there[entry.key] = copy
            copied += 1
        else:
            del there[entry.key]
            if store.find(entry.key) is not None:
                report(Warned(f"{copy}; its wheel is fetched"))
    return there, copied


def copies(
    entries: Sequence[Entry], store: Store, stamps: Collection[str] | None, report: Reporter
) -> list[Entry | NotCopied]:
    """Copy entries side by side; returns for each its copy, or why there is none.

    Raises StoreNotWritable, StoreFull; copies that were finished stay.
    """
    if not entries:
        return []
    report(StageStarted("copy", len(entries)))
    began = perf_counter()

    def copy(entry: Entry) -> Entry | NotCopied:
        wheel = wheel_of(entry)
        try:
            made = store.add_copy(entry, stamps)
        except NotCopied as error:
            return error
        report(StageAdvanced("copy", 1, wheel))
        return made

    with ThreadPoolExecutor(COPIERS, thread_name_prefix="copy") as pool:
        pending = [pool.submit(copy, entry) for entry in entries]
        try:
            made = [future.result() for future in pending]
        except BaseException:
            _drop(pending)
            raise
    done = sum(isinstance(each, Entry) for each in made)
    report(StageFinished("copy", done, perf_counter() - began))
    return made


def _drop(pending: Iterable[Future[Entry | NotCopied]]) -> None:
    for future in pending:
        future.cancel()


def bring_for_clone(record: GenerationRecord, store: Store, report: Reporter) -> dict[str, str]:
    """Copy what a generation links to and may go; returns old places of entries -> new ones.

    Raises NotCopied, StoreNotWritable, StoreFull.
    """
    own = store.path / "entries"
    entries = [
        Entry(package.key, Path(directory, package.key))
        for directory in record.stores
        if not is_same_place(directory, own)
        for package in record.packages
        if Path(directory, package.key).is_dir()
    ]
    fleeting = fleeting_entries(entries, store)
    moved = {}
    for entry, copy in zip(fleeting, copies(fleeting, store, None, report), strict=True):
        if not isinstance(copy, Entry):
            raise copy
        moved[str(entry.path)] = str(copy.path)
    return moved


def places_after(record: GenerationRecord, moved: Mapping[str, str]) -> tuple[str, ...]:
    """Return where the entries of a generation stand once some of them were moved."""
    if not moved:
        return record.stores
    left = {
        directory
        for directory in record.stores
        for key in (*(package.key for package in record.packages), *record.composed)
        if f"{directory}/{key}" not in moved and Path(directory, key).is_dir()
    }
    return tuple(sorted({*left, *(str(Path(new).parent) for new in moved.values())}))


def moved_to(path: str, moved: Mapping[str, str]) -> str:
    """Return where a file of an entry stands once some entries were moved."""
    for old, new in moved.items():
        if path.startswith(f"{old}/"):
            return new + path.removeprefix(old)
    return path
