"""Composed entries of others that a clone needs, made again in one's own store."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from envmgr.errors import PrefixError
from envmgr.link.generation import GenerationRecord
from envmgr.names import StoreKey
from envmgr.pipeline.site import fleeting_entries, moved_to
from envmgr.store.composed import Composition
from envmgr.store.copy import NotCopied
from envmgr.store.entry import Entry
from envmgr.store.recompose import NotRecomposed, remains_of
from envmgr.store.store import Store


@dataclass(frozen=True, slots=True)
class BroughtComposed:
    """Keys of the composed entries of a clone, and where they stand now, by where they stood."""

    keys: tuple[StoreKey, ...]
    moved: dict[str, str]


class NotMoved(PrefixError):
    """A library that envmgr wrote into a composed entry names a place that a clone leaves."""

    def __init__(self, entry: Entry, path: str, file: str) -> None:
        super().__init__(entry, path, file)
        self.entry = entry
        self.path = path
        self.file = file

    def __str__(self) -> str:
        return f"{self.path} of {self.entry.path} leads to entries of a store that is not yours"

    @property
    def hint(self) -> str:
        """What writes it anew."""
        return f"make the environment of its file: `envmgr create -f {self.file} -n NAME`"


def bring_composed(
    record: GenerationRecord, moved: Mapping[str, str], store: Store
) -> BroughtComposed:
    """Make again in our store what may go, or leads to entries that were ``moved``.

    Raises NotCopied, NotMoved, EntryDamaged, StoreNotWritable, StoreFull.
    """
    keys: list[StoreKey] = []
    places: dict[str, str] = {}
    for key in record.composed:
        entry = _entry(record, key)
        # One of several packages leads into those of single ones, which come first.
        brought = entry if entry is None else _brought(entry, record, {**moved, **places}, store)
        keys.append(key if brought is None else brought.key)
        if entry is not None and brought is not None and brought.path != entry.path:
            places[str(entry.path)] = str(brought.path)
    return BroughtComposed(tuple(keys), places)


def _entry(record: GenerationRecord, key: StoreKey) -> Entry | None:
    places = (Path(directory, key) for directory in record.stores)
    return next((Entry(key, place) for place in places if place.is_dir()), None)


def _brought(
    entry: Entry, record: GenerationRecord, moved: Mapping[str, str], store: Store
) -> Entry:
    fleeting = bool(fleeting_entries([entry], store))
    if not fleeting and not moved:
        return entry
    try:
        composition, contents = remains_of(entry)
    except NotRecomposed as error:
        raise NotCopied(entry, str(error)) from error
    changed = _moved(composition, moved)
    if changed == composition and not fleeting:
        return entry
    for path, data in contents.items():
        if any(os.fsencode(f"{old}/") in data for old in moved):
            raise NotMoved(entry, path, record.environment_file)
    return store.alone().add_composed(changed, contents)


def _moved(composition: Composition, moved: Mapping[str, str]) -> Composition:
    return replace(
        composition,
        names={path: moved_to(source, moved) for path, source in composition.names.items()},
        links={path: moved_to(target, moved) for path, target in composition.links.items()},
    )
