"""Whether composed entries are what they were when they were made."""

import filecmp
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from envmgr.store.composed import COMPOSITION, Composition, read_composition, told_of
from envmgr.store.entry import DIRECTORY_MODE, FILE_MODE, WHEEL_NAME, Entry
from envmgr.store.findings import Finding, Kind


def check_composed(entry: Entry, *, reading: bool = True) -> tuple[tuple[Finding, ...], int]:
    """Compare an entry with its composition; returns what was found, and how many files it has.

    Without ``reading``, copies of programs go by size and time.
    """
    composition = read_composition(entry)
    if composition is None or composition.key != entry.key:
        return (_finding("facts", COMPOSITION, "does not say what the key stands for"),), 0
    try:
        found = tuple(_Check(entry.path, composition, reading=reading).run())
    except OSError as error:
        found = (_finding("unreadable", "", f"{error.filename}: {error.strerror}"),)
    ordered = sorted(found, key=lambda finding: (finding.path, finding.kind))
    return tuple(ordered), len(composition.paths) - len(composition.directories)


def is_as_composed(entry: Entry) -> bool:
    """Tell whether a composed entry is whole, and made of what stands in the store now."""
    return not check_composed(entry, reading=False)[0]


def _finding(kind: Kind, path: str, detail: str) -> Finding:
    return Finding(kind=kind, path=path, detail=detail)


class _Check:
    def __init__(self, root: Path, composition: Composition, *, reading: bool) -> None:
        self._root = root
        self._composition = composition
        self._solid = frozenset(composition.solid)
        self._reading = reading

    def run(self) -> Iterator[Finding]:
        composition = self._composition
        expected = {*composition.paths, COMPOSITION, WHEEL_NAME}
        there = set(self._there())
        for path in sorted(there - expected):
            yield _finding("extra", path, "is not envmgr's")
        for path in sorted(expected - there):
            yield _finding("missing", path, "is missing")
        for path in ("", *composition.directories):
            if path in there or not path:
                yield from self._check_mode(path, DIRECTORY_MODE)
        for path, source in composition.names.items():
            if path in there and not self._is_same(path, source):
                yield _finding("changed", path, f"is not {source}")
        for path, target in composition.links.items():
            if path in there and self._target(path) != target:
                yield _finding("changed", path, f"does not lead to {target}")
        for path in there.intersection(composition.files):
            yield from self._check_file(path, composition.files[path])
        if WHEEL_NAME in there:
            told = hashlib.sha256(told_of(composition).encode()).hexdigest()
            yield from self._check_file(WHEEL_NAME, told)

    def _there(self) -> Iterator[str]:
        """Yield everything that stands there; what is no directory of ours is not entered."""
        waiting = [""]
        directories = {*self._composition.directories}
        while waiting:
            below = waiting.pop()
            with os.scandir(self._root / below) as listing:
                for item in listing:
                    path = f"{below}/{item.name}" if below else item.name
                    yield path
                    if path in directories and item.is_dir(follow_symlinks=False):
                        waiting.append(path)

    def _is_same(self, path: str, source: str) -> bool:
        """Whether a name is its file's own; on strings, as there may be thousands."""
        place = f"{self._root}/{path}"
        try:
            same = os.path.samestat(os.stat(place), os.stat(source))  # noqa: PTH116
            if path not in self._solid:
                return same
            return not os.path.islink(place) and (  # noqa: PTH114
                same or filecmp.cmp(place, source, shallow=not self._reading)
            )
        except OSError:
            return False

    def _target(self, path: str) -> str | None:
        try:
            return os.readlink(self._root / path)  # noqa: PTH115 - a text is wanted
        except OSError:
            return None

    def _check_file(self, path: str, sha256: str) -> Iterator[Finding]:
        place = self._root / path
        if not stat.S_ISREG(place.lstat().st_mode):
            yield _finding("changed", path, "is no file")
            return
        with place.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                yield _finding("changed", path, "has other contents")
                return
        yield from self._check_mode(path, FILE_MODE)

    def _check_mode(self, path: str, mode: int) -> Iterator[Finding]:
        status = (self._root / path).lstat()
        found = stat.S_IMODE(status.st_mode)
        if stat.S_ISDIR(status.st_mode):
            found &= ~stat.S_ISGID  # how groups share it
        elif mode == DIRECTORY_MODE:
            yield _finding("changed", path, "is no directory")
            return
        if found != mode:
            yield _finding("mode", path, f"has mode {found:04o} instead of {mode:04o}")
