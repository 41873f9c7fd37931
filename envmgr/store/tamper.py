"""Notice that a program changed an entry: the modes of its files stop everybody but root.

Looking costs a few stats for each package, however many files it has: the directories
at the top of an entry, and those in namespaces there, which other installers add to, do
not change after the last thing that envmgr put into it, its manifest or the stamp of a
compiler. Where one did, every directory is looked at, and
the files of those that changed are compared with the manifest by what they hold.

What only hashing everything finds is not found here: a file written over in place, or
a change further down alone. Bytecode is no damage, whoever wrote it: Python and pytest
check it against the source.
"""
# ruff: noqa: PTH110, PTH112, PTH116 - on strings, as there are many

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from envmgr.store.bytecode import STAMP
from envmgr.store.entry import MANIFEST, WHEEL_NAME, Entry, EntryDamaged, read_manifest
from envmgr.store.sources import SOURCES
from envmgr.wheel.manifest import FileFacts, LinkFacts, Manifest

TOP = "site-packages"
CACHE = "__pycache__"
WRITABLE = 0o222
"""No file of an entry is; one that pip wrote over with the same content may be."""
NAMESPACES = 2
"""How deep namespaces are looked into: ``google/cloud/NAME`` is a directory of some package."""
SHOWN = 3
"""Paths that are told of each kind."""


class Tampering(Struct, frozen=True):
    """How an entry differs from its wheel; paths relative to the entry, each tuple sorted."""

    entry: Entry
    package: str
    """Name and version."""
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    def __str__(self) -> str:
        kinds = (("new", self.added), ("changed", self.changed), ("gone", self.removed))
        return "; ".join(f"{kind}: {few_paths(paths)}" for kind, paths in kinds if paths)


def few_paths(paths: tuple[str, ...]) -> str:
    """Name the first of some paths, and count the others."""
    more = len(paths) - SHOWN
    return ", ".join(paths[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def find_tampering(entry: Entry, *, thorough: bool = False) -> Tampering | None:
    """Tell how an entry was changed since it was made; ``None`` where nothing says so.

    ``thorough`` looks at every directory, whatever those at the top say. One that was
    suspected for nothing is not looked at again, and one that somebody has taken away
    meanwhile was not changed. Raises EntryDamaged.
    """
    try:
        return _compared(entry) if thorough or _is_suspect(os.fspath(entry.path)) else None
    except (OSError, EntryDamaged) as error:
        if not entry.path.exists():
            return None
        if isinstance(error, EntryDamaged):
            raise
        raise EntryDamaged(entry, f"{error.filename}: {error.strerror}") from error


def is_suspect(entry: Entry) -> bool:
    """Whether something in an entry may have been changed, at the cost of a few stats."""
    try:
        return _is_suspect(os.fspath(entry.path))
    except OSError:
        return True


def _compared(entry: Entry) -> Tampering | None:
    root = os.fspath(entry.path)
    manifest = read_manifest(entry)
    suspects = _suspects(root, manifest)
    facts = {each.path: each for each in manifest.files_and_links}
    known = _directories(manifest)
    there = {path for directory in suspects for path in _listed(entry, directory, known)}
    added = sorted(path for path in there if path not in facts)
    changed = sorted(path for path in there if path in facts and _differs(entry, facts[path]))
    removed = sorted(
        path for path in facts if path not in there and _is_below(path, suspects, entry)
    )
    removed += [name for name in (SOURCES, WHEEL_NAME) if not os.path.exists(f"{root}/{name}")]
    if not (added or changed or removed):
        with suppress(OSError):
            os.utime(f"{root}/{MANIFEST}")
        return None
    package = f"{manifest.name} {manifest.version}"
    return Tampering(entry, package, tuple(added), tuple(changed), tuple(removed))


def _is_suspect(root: str) -> bool:
    """Whether a directory at the top of an entry changed after envmgr last touched it.

    At the same tick of the file system's clock counts: it may have been either way round.
    """
    settled = _settled(root)
    top = f"{root}/{TOP}"
    if _changed(top) >= settled:
        return True
    return any(
        _changed(path) >= settled or _changed(f"{path}/{CACHE}", absent=0) >= settled
        for path in _packages(top, NAMESPACES)
    )


def _packages(directory: str, depth: int) -> Iterator[str]:
    """Yield the directories in one, and those in namespaces among them, which have no __init__."""
    with os.scandir(directory) as listing:
        for each in listing:
            if not each.is_dir(follow_symlinks=False) or each.name.endswith(".dist-info"):
                continue
            yield each.path
            if depth and each.name != CACHE and not os.path.exists(f"{each.path}/__init__.py"):
                yield from _packages(each.path, depth - 1)


def _directories(manifest: Manifest) -> set[str]:
    """Name every directory of a wheel, the parts of its entry among them."""
    found: set[str] = set()
    for file in manifest.files_and_links:
        directory = file.path.rpartition("/")[0]
        while directory and directory not in found:
            found.add(directory)
            directory = directory.rpartition("/")[0]
    return found


def _suspects(root: str, manifest: Manifest) -> set[str]:
    """Name the directories, bytecode's too, that changed after envmgr last touched the entry."""
    settled = _settled(root)
    found: set[str] = set()
    for directory in _directories(manifest):
        if _changed(f"{root}/{directory}") >= settled:
            found.add(directory)
        if _changed(f"{root}/{directory}/{CACHE}", absent=0) >= settled:
            found.add(f"{directory}/{CACHE}")
    return found


def _settled(root: str) -> int:
    """Return when envmgr last put something into an entry, in nanoseconds."""
    names = (name for name in os.listdir(root) if name == MANIFEST or name.startswith(STAMP))
    return max((_changed(f"{root}/{name}") for name in names), default=0)


def _changed(path: str, absent: int = 1 << 62) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return absent


def _listed(entry: Entry, directory: str, known: set[str]) -> Iterator[str]:
    """Yield the files in one directory, and all files of directories that no wheel brought."""
    try:
        with os.scandir(f"{entry.path}/{directory}") as listing:
            for each in listing:
                path = f"{directory}/{each.name}"
                if not each.is_dir(follow_symlinks=False):
                    if not (directory.endswith(f"/{CACHE}") and _is_bytecode(each.name)):
                        yield path
                elif path not in known and each.name != CACHE:
                    yield from _listed(entry, path, known)
    except FileNotFoundError:
        return


def _is_bytecode(name: str) -> bool:
    return name.endswith(".pyc") or ".pyc." in name


def _differs(entry: Entry, facts: FileFacts | LinkFacts) -> bool:
    path = Path(entry.path, facts.path)
    try:
        if isinstance(facts, LinkFacts) or path.is_symlink():
            return not isinstance(facts, LinkFacts) or os.fspath(path.readlink()) != facts.text
        with open(f"{entry.path}/{facts.path}", "rb") as file:
            there = os.fstat(file.fileno())
            if there.st_size != facts.size or there.st_mode & WRITABLE:
                return True
            return hashlib.file_digest(file, "sha256").hexdigest() != facts.sha256
    except OSError:
        return True


def _is_below(path: str, suspects: set[str], entry: Entry) -> bool:
    """Whether a file should have been listed: its directory was, or went with all in it."""
    directory = path.rpartition("/")[0]
    return directory in suspects or not os.path.isdir(f"{entry.path}/{directory}")
