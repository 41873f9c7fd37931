"""Composed entries: directories in which parts of an entry are others', which views fold into.

::

    entries/composed-<sha256>/
      site-packages/  data/      directories, files, links, libraries that envmgr wrote
      composition.json           what it is made of
      wheel-name                 which packages it is of, for who lists entries

They stand among the other entries, and are made, leased and collected like them. Their
files are further names of the entry's own (hard links), so that a module that asks where
it really is stays beside what stands in for its libraries (*tried*: cv2 does).
"""

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from envmgr.files import write_new
from envmgr.names import StoreKey
from envmgr.store.entry import (
    DIRECTORY_MODE,
    FILE_MODE,
    PROGRAM_MODE,
    WHEEL_NAME,
    Entry,
    EntryDamaged,
)

KEY = "composed-"
"""What their keys begin with."""
COMPOSITION = "composition.json"
_IN_ENTRIES = re.compile(r"/entries/([^/]+)/")


class Composition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a composed entry is made of; parents come first, paths are relative to it."""

    package: str
    """Name and version of the package it is of, and how many more."""
    directories: tuple[str, ...]
    names: dict[str, str]
    """Path -> absolute path of the file of which it is a further name."""
    links: dict[str, str]
    """Path -> absolute target of a symbolic link."""
    files: dict[str, str]
    """Path -> sha256 (hex) of a library that envmgr wrote."""
    solid: tuple[str, ...] = ()
    """Which of ``names`` are never symbolic links: programs, as the kernel follows these before
    the loader looks around, and whatever else looks around where it really is."""

    @property
    def paths(self) -> frozenset[str]:
        """Everything that stands in it."""
        return frozenset((*self.directories, *self.names, *self.links, *self.files))

    @property
    def key(self) -> StoreKey:
        """What it is called: equal compositions are one entry."""
        return StoreKey(KEY + hashlib.sha256(_encode(self)).hexdigest())


def _encode(composition: Composition) -> bytes:
    return msgspec.json.encode(composition, order="sorted")


def is_composed(key: str) -> bool:
    """Tell whether a key is that of a composed entry."""
    return key.startswith(KEY)


def write_composed(composition: Composition, contents: Mapping[str, bytes], root: str) -> None:
    """Fill the empty directory ``root``; ``contents`` are those of ``files``.

    Raises EntryDamaged where a file of the package's own entry is gone, and OSError.
    """
    for directory in composition.directories:
        os.mkdir(f"{root}/{directory}")  # noqa: PTH102 - on strings, as there are many
    solid = frozenset(composition.solid)
    for path, source in composition.names.items():
        _name(source, f"{root}/{path}", copied=path in solid)
    for path, target in composition.links.items():
        os.symlink(target, f"{root}/{path}")
    for path in composition.files:
        write_new(f"{root}/{path}", contents[path], FILE_MODE)
    write_new(f"{root}/{COMPOSITION}", _encode(composition), FILE_MODE)
    write_new(f"{root}/{WHEEL_NAME}", told_of(composition).encode(), FILE_MODE)
    for directory in (*reversed(composition.directories), ""):
        os.chmod(f"{root}/{directory}", DIRECTORY_MODE)  # noqa: PTH101


def sources_of(composition: Composition) -> frozenset[StoreKey]:
    """Return the keys of the entries whose files a composition names or leads to."""
    targets = (*composition.names.values(), *composition.links.values())
    found = (_IN_ENTRIES.search(target) for target in targets)
    return frozenset(StoreKey(each[1]) for each in found if each)


def told_of(composition: Composition) -> str:
    """Return what ``wheel-name`` says of a composed entry."""
    return f"{composition.package} (composed)\n"


def _name(source: str, place: str, *, copied: bool) -> None:
    """Make a further name of a file; where the file system refuses, a symbolic link or a copy."""
    try:
        os.link(source, place)
    except FileNotFoundError as error:
        raise _gone(source) from error
    except OSError:
        if copied:
            shutil.copy2(source, place)  # with its time, by which it is told to be the same
            executable = os.stat(source).st_mode & 0o100  # noqa: PTH116
            os.chmod(place, PROGRAM_MODE if executable else FILE_MODE)  # noqa: PTH101
        else:
            os.symlink(source, place)


def _gone(source: str) -> EntryDamaged:
    """Say whose file is missing."""
    found = _IN_ENTRIES.search(source)
    own, path = (source[: found.end() - 1], source[found.end() :]) if found else (source, source)
    return EntryDamaged(Entry(StoreKey(Path(own).name), Path(own)), f"{path} is missing")


def read_composition(entry: Entry) -> Composition | None:
    """Read what a composed entry is made of; ``None`` where it cannot tell any more."""
    try:
        data = (entry.path / COMPOSITION).read_bytes()
        return msgspec.json.decode(data, type=Composition)
    except (OSError, msgspec.DecodeError):
        return None
