"""Composed entries: directories in which parts of an entry are others', which views fold into.

::

    entries/composed-<sha256>/
      site-packages/  data/      directories, files, links, libraries that envmgr wrote
      composition.json           what it is made of
      wheel-name                 which package it is of, for who lists entries

They stand among the other entries, and are made, leased and collected like them. Their
files are further names of the entry's own (hard links), so that a module that asks where
it really is stays beside what stands in for its libraries (*tried*: cv2 does).
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from envmgr.files import write_new
from envmgr.names import StoreKey
from envmgr.store.entry import DIRECTORY_MODE, FILE_MODE, WHEEL_NAME, Entry

KEY = "composed-"
"""What their keys begin with."""
COMPOSITION = "composition.json"


class Composition(msgspec.Struct, frozen=True, kw_only=True):
    """What a composed entry is made of; parents come first, paths are relative to it."""

    package: str
    """Name and version of the package it is of."""
    directories: tuple[str, ...]
    names: dict[str, str]
    """Path -> absolute path of the file of which it is a further name."""
    links: dict[str, str]
    """Path -> absolute target of a symbolic link."""
    files: dict[str, str]
    """Path -> sha256 (hex) of a library that envmgr wrote."""

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
    """Fill the empty directory ``root``; ``contents`` are those of ``files``. Raises OSError."""
    for directory in composition.directories:
        os.mkdir(f"{root}/{directory}")  # noqa: PTH102 - on strings, as there are many
    for path, source in composition.names.items():
        _name(source, f"{root}/{path}")
    for path, target in composition.links.items():
        os.symlink(target, f"{root}/{path}")
    for path in composition.files:
        write_new(f"{root}/{path}", contents[path], FILE_MODE)
    write_new(f"{root}/{COMPOSITION}", _encode(composition), FILE_MODE)
    write_new(f"{root}/{WHEEL_NAME}", f"{composition.package} (composed)\n".encode(), FILE_MODE)
    for directory in (*reversed(composition.directories), ""):
        os.chmod(f"{root}/{directory}", DIRECTORY_MODE)  # noqa: PTH101


def _name(source: str, path: str) -> None:
    """Make a further name of a file; a symbolic link where the file system refuses."""
    try:
        os.link(source, path)
    except FileNotFoundError:
        raise
    except OSError:
        os.symlink(source, path)


def read_composition(entry: Entry) -> Composition | None:
    """Read what a composed entry is made of; ``None`` where it cannot tell any more."""
    try:
        data = (entry.path / COMPOSITION).read_bytes()
        return msgspec.json.decode(data, type=Composition)
    except (OSError, msgspec.DecodeError):
        return None


def differences(entry: Entry) -> Iterator[tuple[str, str]]:
    """Yield path and what is wrong with it, one clause, of everything that was changed.

    Raises OSError.
    """
    composition = read_composition(entry)
    if composition is None or composition.key != entry.key:
        yield COMPOSITION, "does not say what the entry's key stands for"
        return
    root = entry.path
    expected = composition.paths
    for path in _there(root):
        if path not in expected and path not in (COMPOSITION, WHEEL_NAME):
            yield path, "is not envmgr's"
    for path, source in composition.names.items():
        if not _is_same(root / path, source):
            yield path, f"is not {source}"
    for path, target in composition.links.items():
        if _target(root / path) != target:
            yield path, f"does not lead to {target}"
    for path, sha256 in composition.files.items():
        if _digest(root / path) != sha256:
            yield path, "is not as it was written"
    for path in ("", *composition.directories):
        mode = stat.S_IMODE((root / path).stat().st_mode) & ~stat.S_ISGID
        if mode != DIRECTORY_MODE:
            yield path, f"has mode {mode:04o} instead of {DIRECTORY_MODE:04o}"


def _there(root: Path) -> Iterator[str]:
    waiting = [""]
    while waiting:
        below = waiting.pop()
        with os.scandir(root / below) as listing:
            for item in listing:
                path = f"{below}{item.name}"
                yield path
                if item.is_dir(follow_symlinks=False):
                    waiting.append(f"{path}/")


def _is_same(path: Path, source: str) -> bool:
    try:
        return path.samefile(source)
    except OSError:
        return False


def _target(path: Path) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115 - a text is wanted
    except OSError:
        return None


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
