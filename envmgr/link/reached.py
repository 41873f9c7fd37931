"""Which entries a prefix needs: those of all its generations, readable or not."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from envmgr.link.generation import GenerationRecord, read_record
from envmgr.link.prefix import GENERATIONS
from envmgr.names import GenerationId, StoreKey

_INTO_A_STORE = re.compile(r"/v1/entries/([^/]+)(?:/|\Z)")


class Reached(Struct, frozen=True):
    """What a prefix needs. ``whole`` is False where a record could not be read."""

    keys: frozenset[StoreKey]
    records: tuple[GenerationRecord, ...]
    """Of the generations that can be read, oldest first."""
    whole: bool


def read_reached(prefix: Path) -> Reached:
    """Read the records of all generations; the links of one whose record tells nothing.

    Raises OSError where the generations cannot be listed.
    """
    keys: set[StoreKey] = set()
    records = []
    whole = True
    for name in sorted(os.listdir(prefix / GENERATIONS)):
        path = prefix / GENERATIONS / name
        if path.is_symlink():
            continue
        record = read_record(prefix, GenerationId(name))
        if record is None:
            whole = False
            keys.update(_linked(path))
        else:
            records.append(record)
            keys.update(package.key for package in record.packages)
            keys.update(record.composed)
    return Reached(frozenset(keys), tuple(records), whole)


def _linked(generation: Path) -> Iterator[StoreKey]:
    for directory, directories, names in os.walk(generation):
        for name in (*directories, *names):
            try:
                target = os.readlink(f"{directory}/{name}")  # noqa: PTH115 - many of them
            except OSError:
                continue
            found = _INTO_A_STORE.search(target)
            if found:
                yield StoreKey(found[1])
