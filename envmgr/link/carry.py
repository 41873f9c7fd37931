"""What programs wrote into a generation, taken along into the next one.

``etc`` and ``share`` are where programs write below a prefix (``jupyter server
extension enable --sys-prefix``, ``ipykernel install --sys-prefix``). Of ours
there are only links into a store in them, and in ``etc`` copies of packages' files, which
programs write over: everything else, and a copy that was changed, is somebody's.
A changed copy stands above what a package brings for its path later. A file that
names the generation it was written in (a kernel's ``kernel.json``, the interpreter)
names the next one after.
"""

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from filecmp import cmp
from pathlib import Path

from msgspec import Struct

from envmgr.files import remove_file, write_new
from envmgr.link.claims import WRITTEN_BY_PROGRAMS
from envmgr.link.foreign import leads_into
from envmgr.link.generation import generation_path, read_record
from envmgr.link.prefix import STATE, NoEnvironment, current_generation, unusable
from envmgr.names import GenerationId

REWRITTEN_BELOW = 1 << 20
"""Bytes. What is larger is data, and is copied as it is."""


class Carried(Struct, frozen=True):
    """Paths relative to the prefix, sorted. ``left`` are those whose place is taken now."""

    taken: tuple[str, ...]
    left: tuple[str, ...]


def carry_written(prefix: Path, generation: GenerationId) -> Carried:
    """Copy what programs wrote from the current generation into one that was just written.

    To be called before the switch. Raises PrefixUnusable.
    """
    try:
        before = current_generation(prefix)
    except NoEnvironment:
        return Carried((), ())
    after = generation_path(prefix, generation)
    renaming = _Renaming(_names_of(prefix, before), os.fsencode(after))
    ours, new = _ours(prefix, before), _ours(prefix, after)
    taken: list[str] = []
    left: list[str] = []
    try:
        for path in sorted(_written(before, ours)):
            if path in ours.settings and path in new.settings:
                remove_file(after / path)
            (taken if _carry(before, after, path, renaming) else left).append(path)
    except OSError as error:
        raise unusable(prefix, error) from error
    return Carried(tuple(taken), tuple(left))


class _Ours(Struct, frozen=True):
    """What of ours stands in ``etc`` and ``share`` of a generation."""

    settings: Mapping[str, str]
    """Copies, and their originals."""
    stores: tuple[str, ...]
    """Directories that our links lead into."""


def _ours(prefix: Path, generation: Path) -> _Ours:
    record = read_record(prefix, GenerationId(generation.name))
    return _Ours(record.settings, record.stores) if record else _Ours({}, ())


def _written(generation: Path, ours: _Ours) -> Iterator[str]:
    """Yield what is not ours, or not any more."""
    for path in _not_ours(generation, ours):
        original = ours.settings.get(path)
        if original is None or _is_changed(generation / path, original):
            yield path


def _is_changed(copy: Path, original: str) -> bool:
    try:
        return copy.is_symlink() or not cmp(copy, original, shallow=False)
    except OSError:
        return True


def _not_ours(generation: Path, ours: _Ours) -> Iterator[str]:
    for top in WRITTEN_BY_PROGRAMS:
        if (generation / top).is_symlink():
            continue
        for directory, directories, names in os.walk(generation / top):
            for name in (*directories, *names):
                path = Path(directory, name)
                if path.is_symlink():
                    if not leads_into(ours.stores, path):
                        yield str(path.relative_to(generation))
                elif not path.is_dir():
                    yield str(path.relative_to(generation))


class _Renaming(Struct, frozen=True):
    """Absolute paths of the generation before, and the one that takes their place."""

    before: tuple[bytes, ...]
    after: bytes

    def apply(self, data: bytes) -> bytes:
        for name in self.before:
            data = data.replace(name, self.after)
        return data


def _names_of(prefix: Path, generation: Path) -> tuple[bytes, ...]:
    """Name a generation as it stands, and as it stood where the prefix was moved since."""
    record = read_record(prefix, GenerationId(generation.name))
    stood = Path(record.prefix) if record and record.prefix else prefix
    names = {os.fsencode(generation_path(each, GenerationId(generation.name)))
             for each in (prefix, stood)}  # fmt: skip
    return tuple(sorted(names, key=len, reverse=True))


def _carry(before: Path, after: Path, path: str, renaming: _Renaming) -> bool:
    """Copy one file; False where the new view has something of its own there or above."""
    target = after / path
    for parent in target.relative_to(after).parents:
        if (after / parent).is_symlink() or (after / parent).is_file():
            return False
    if os.path.lexists(target):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    _copy(before / path, target, renaming)
    return True


def _copy(source: Path, target: Path, renaming: _Renaming) -> None:
    facts = source.lstat()
    if stat.S_ISREG(facts.st_mode) and facts.st_size < REWRITTEN_BELOW:
        data = source.read_bytes()
        renamed = renaming.apply(data)
        if renamed != data:
            write_new(target, renamed, stat.S_IMODE(facts.st_mode))
            return
    shutil.copy2(source, target, follow_symlinks=False)


def carry_back(prefix: Path, generation: GenerationId) -> tuple[str, ...]:
    """Bring a generation that is older than the current one up to what programs wrote since.

    What is new is copied and what differs replaced, each whole; what was deleted
    since is left. Returns the paths that were written, relative to the prefix and sorted.
    To be called before the switch. Raises NoEnvironment, PrefixUnusable.
    """
    before = current_generation(prefix)
    after = generation_path(prefix, generation)
    renaming = _Renaming(_names_of(prefix, before), os.fsencode(after))
    ours, theirs = _ours(prefix, before), _ours(prefix, after)
    packages = theirs.settings.keys() - ours.settings.keys()
    try:
        return tuple(
            path
            for path in sorted(_written(before, ours))
            if path not in packages
            and _is_free(after, path, theirs)
            and _bring(before / path, after / path, prefix, renaming)
        )
    except OSError as error:
        raise unusable(prefix, error) from error


def _is_free(generation: Path, path: str, ours: _Ours) -> bool:
    """Whether nothing of the view stands at a path or above it, and no directory at it."""
    target = generation / path
    above = [generation / parent for parent in Path(path).parents]
    if any(parent.is_symlink() or parent.is_file() for parent in above):
        return False
    if target.is_symlink():
        return not leads_into(ours.stores, target)
    return not target.is_dir()


def _bring(source: Path, target: Path, prefix: Path, renaming: _Renaming) -> bool:
    """Copy one file unless the same one stands there; nobody meets half of it."""
    if _looks_same(source, target):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = prefix / STATE / f"{os.getpid()}.carried.tmp"
    remove_file(beside)
    try:
        _copy(source, beside, renaming)
        if _is_same_file(beside, target):
            return False
        beside.replace(target)
    finally:
        remove_file(beside)
    return True


def _looks_same(source: Path, target: Path) -> bool:
    """Whether a file was carried to here and not touched since: large ones are not read."""
    if source.is_symlink() or not target.is_file():
        return False
    facts, others = source.stat(), target.stat()
    return (facts.st_size, facts.st_mtime_ns, facts.st_mode) == (
        others.st_size,
        others.st_mtime_ns,
        others.st_mode,
    )


def _is_same_file(one: Path, other: Path) -> bool:
    if not os.path.lexists(other) or one.is_symlink() != other.is_symlink():
        return False
    if one.is_symlink():
        return one.readlink() == other.readlink()
    return one.stat().st_mode == other.stat().st_mode and cmp(one, other, shallow=False)
