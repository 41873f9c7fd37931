"""Making a damaged composed entry again, of what it says it is made of.

Its links and further names are told by ``composition.json``. Libraries that envmgr wrote are
taken over where they are as they were; else only who planned them can write them again.
"""

import hashlib
from collections.abc import Mapping

from envmgr.store.composed import Composition, read_composition
from envmgr.store.entry import Entry


class NotRecomposed(Exception):
    """A composed entry that does not hold any more what it takes to make it again."""


def remains_of(entry: Entry) -> tuple[Composition, Mapping[str, bytes]]:
    """Return what a composed entry is made of, and the contents of its own files.

    Raises NotRecomposed where either cannot be told any more.
    """
    composition = read_composition(entry)
    if composition is None or composition.key != entry.key:
        raise NotRecomposed("it cannot tell any more what it is made of")
    contents = {}
    for path, sha256 in composition.files.items():
        data = _read(entry, path)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise NotRecomposed(f"{path}, which envmgr wrote, was changed")
        contents[path] = data
    return composition, contents


def _read(entry: Entry, path: str) -> bytes:
    try:
        return (entry.path / path).read_bytes()
    except OSError:
        raise NotRecomposed(f"{path}, which envmgr wrote, cannot be read") from None
