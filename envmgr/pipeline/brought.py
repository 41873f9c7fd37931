"""A generation's entries that may go, or are gone from where it has them, brought near."""

from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from envmgr.events import Reporter, Warned
from envmgr.link.generation import GenerationRecord
from envmgr.pipeline.composed_copies import NotMoved, bring_composed
from envmgr.pipeline.site import bring_for_clone, moved_to, places_after
from envmgr.store.copy import NotCopied
from envmgr.store.store import Store


@dataclass(frozen=True, slots=True)
class Brought:
    """A record as it reads once its links lead elsewhere, and entries by where they stood."""

    record: GenerationRecord
    moved: dict[str, str]


def bring_generation(
    record: GenerationRecord, store: Store, report: Reporter, entries: dict[str, str] | None = None
) -> Brought:
    """Copy what a generation links to and may go into our store; ``entries`` have moved already.

    To be called with a lease. Raises NotCopied, NotMoved, EntryDamaged, StoreNotWritable,
    StoreFull.
    """
    entries = (entries or {}) | bring_for_clone(record, store, report)
    composed = bring_composed(record, entries, store)
    moved = entries | composed.moved
    return Brought(
        replace(
            record,
            stores=places_after(record, moved),
            composed=composed.keys,
            settings={path: moved_to(file, moved) for path, file in record.settings.items()},
        ),
        moved,
    )


def bring_back(record: GenerationRecord, store: Store, report: Reporter) -> Brought:
    """Do so for a generation that is to stand again; what cannot be copied is left as it is.

    Entries that are gone from where they stood are found wherever the stores have them now.
    Raises EntryDamaged, StoreNotWritable, StoreFull.
    """
    try:
        return bring_generation(record, store, report, found_elsewhere(record, store))
    except (NotCopied, NotMoved) as error:
        report(Warned(f"{error}; the links to it stay as they are"))
        return Brought(record, {})


def found_elsewhere(record: GenerationRecord, store: Store) -> dict[str, str]:
    """Return where entries are now that a generation has at places where they are no more."""
    moved: dict[str, str] = {}
    for package in record.packages:
        places = [Path(directory, package.key) for directory in record.stores]
        entry = None if any(map(Path.is_dir, places)) else store.find(package.key)
        if entry is not None:
            moved |= {str(place): str(entry.path) for place in places}
    return moved
