"""Trimming the caches: what nobody used for long goes, and the longest unused beyond a bound.

Every reader of a cache takes an absent file for one that has to be fetched again, so that
files may go while others work. Only names that envmgr gives are touched: somebody may
have said that the cache is a directory with other things in it.
"""

import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from envmgr.files import remove_file

Kind: TypeAlias = Literal["pages", "metadata", "wheels", "interpreters", "locks", "runtimes"]
"""``pages``: what indexes say, and what was chosen from it."""

SPARED_FOR = 3600.0
"""Seconds: what was used so lately may be what a command under way is about to read."""

_INDEXES = re.compile(r"index-v\d+")
_FLAT: tuple[tuple[re.Pattern[str], re.Pattern[str], Kind], ...] = (
    (
        re.compile(r"wheels"),
        re.compile(r"\.?[0-9a-f]{64}\.whl(\..+)?|[0-9a-f]+\.(.+\.)?part"),
        "wheels",
    ),
    (re.compile(r"interpreters"), re.compile(r".+-[0-9a-f]{8}\.msgpack(\..+)?"), "interpreters"),
    (re.compile(r"locks-\d+"), re.compile(r"[0-9a-f]{32}\.msgpack(\..+)?"), "locks"),
    (re.compile(r"runtimes"), re.compile(r"\.?[0-9a-f]{64}(\..+)?"), "runtimes"),
)
"""Directories of the cache, the files in each that are ours, and what they are."""


class CachedFile(Struct, frozen=True):
    """One file of a cache; ``used`` is when it was last read or written, in seconds (POSIX)."""

    path: str
    kind: Kind
    bytes: int
    used: float


class Trimming(Struct, frozen=True):
    """What is to go; ``spared`` would go too, but for its last use."""

    doomed: tuple[CachedFile, ...]
    spared: int


def choose_old(files: Iterable[CachedFile], now: float, age: float, limit: int) -> Trimming:
    """Choose what was not used for ``age`` seconds, then the longest unused beyond ``limit`` bytes.

    Nothing that was used within SPARED_FOR goes, whatever ``age`` says.
    """
    doomed, spared = [], 0
    ordered = sorted(files, key=lambda file: (file.used, file.path))
    left = sum(file.bytes for file in ordered)
    for file in ordered:
        if file.used > now - age and left <= limit:
            continue
        if file.used > now - SPARED_FOR:
            spared += 1
        else:
            doomed.append(file)
            left -= file.bytes
    return Trimming(tuple(doomed), spared)


def read_cached(cache: Path) -> tuple[CachedFile, ...]:
    """List the files of a cache; what cannot be looked into is left out."""
    return tuple(_walk(cache))


def _walk(cache: Path) -> Iterator[CachedFile]:
    for top in _listed(cache):
        if not top.is_dir(follow_symlinks=False):
            continue
        if _INDEXES.fullmatch(top.name):
            yield from _walk_index(top.path)
        for directory, name, kind in _FLAT:
            if directory.fullmatch(top.name):
                yield from _files(top.path, kind, name)


def _walk_index(root: str) -> Iterator[CachedFile]:
    for directory, _, _ in os.walk(root):
        kind: Kind = "metadata" if directory.endswith("/metadata") else "pages"
        yield from _files(directory, kind, re.compile(r".+"))


def _files(directory: str, kind: Kind, ours: re.Pattern[str]) -> Iterator[CachedFile]:
    for each in _listed(directory):
        with suppress(OSError):
            if ours.fullmatch(each.name) and each.is_file(follow_symlinks=False):
                status = each.stat(follow_symlinks=False)
                used = max(status.st_atime, status.st_mtime)
                if each.name.startswith("."):  # being unpacked: only its renaming is recent
                    used = max(used, status.st_ctime)
                yield CachedFile(each.path, kind, status.st_size, used)


def _listed(directory: str | Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(directory) as listing:
            return list(listing)
    except OSError:
        return []


def remove_cached(file: CachedFile) -> bool:
    """Remove a file; False for one that somebody is writing, or that is not ours to remove."""
    try:
        if file.path.endswith(".part") and _is_locked(file.path):
            return False
        remove_file(file.path)
    except OSError:
        return False
    return True


def _is_locked(path: str) -> bool:
    """Whether a process is downloading into a file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no locks here: its age is what tells
        return False
    finally:
        os.close(descriptor)
    return False


def remove_empty(cache: Path) -> None:
    """Remove directories of indexes that hold nothing any more."""
    for top in _listed(cache):
        if _INDEXES.fullmatch(top.name) and top.is_dir(follow_symlinks=False):
            for directory, _, _ in os.walk(top.path, topdown=False):
                with suppress(OSError):
                    os.rmdir(directory)  # noqa: PTH106 - a string of many
