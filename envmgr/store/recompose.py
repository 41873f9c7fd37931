"""Making a damaged composed entry again, of what it says it is made of.

Its links and further names are told by ``composition.json``. Libraries that envmgr wrote are
taken over where they are as they were; else only who planned them can write them again.
"""

import hashlib
import stat
from collections.abc import Mapping

from envmgr.store.composed import Composition, read_composition
from envmgr.store.entry import Entry
from envmgr.store.facts import PARTS
from envmgr.wheel.central_directory import path_problem


class NotRecomposed(Exception):
    """A composed entry that does not hold any more what it takes to make it again."""


def remains_of(entry: Entry) -> tuple[Composition, Mapping[str, bytes]]:
    """Return what a composed entry is made of, and the contents of its own files.

    Raises NotRecomposed where either cannot be told any more.
    """
    composition = read_composition(entry)
    if composition is None or composition.key != entry.key:
        raise NotRecomposed("it cannot tell any more what it is made of")
    _check_paths(composition)
    contents = {}
    for path, sha256 in composition.files.items():
        data = _read(entry, path)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise NotRecomposed(f"{path}, which envmgr wrote, was changed")
        contents[path] = data
    return composition, contents


def _check_paths(composition: Composition) -> None:
    """Refuse paths that lead out of an entry: a composition may be somebody else's word."""
    directories = {*composition.directories}
    for path in composition.paths:
        above = path.rpartition("/")[0]
        problem = path_problem(path)
        if problem is None and path.partition("/")[0] not in PARTS:
            problem = "it is in no part"
        if problem is None and (above not in directories if above else path not in directories):
            problem = "it stands in no directory"
        if problem is not None:
            raise NotRecomposed(f"its composition has {path!r}: {problem}")


def _read(entry: Entry, path: str) -> bytes:
    place = entry.path / path
    try:
        if stat.S_ISREG(place.lstat().st_mode):
            return place.read_bytes()
    except OSError:
        pass
    raise NotRecomposed(f"{path}, which envmgr wrote, cannot be read")
