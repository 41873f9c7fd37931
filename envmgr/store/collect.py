"""Removing entries that nobody needs: first out of the way by one rename, then for good.

Killed at any moment it leaves whole entries and staging directories, which the
next writer sweeps. Two of them at once share the work.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import suppress
from pathlib import Path
from time import perf_counter, time

from msgspec import Struct

from envmgr.errors import PrefixError
from envmgr.events import Reporter, StageAdvanced, StageFinished, StageStarted, silent
from envmgr.files import remove_file, remove_tree
from envmgr.names import StoreKey
from envmgr.store.composed import is_composed, read_composition, sources_of
from envmgr.store.entry import WHEEL_NAME, Entry
from envmgr.store.errors import StoreNotWritable
from envmgr.store.leases import announce_collection, read_leases
from envmgr.store.processes import keys_in_use
from envmgr.store.staging import PREFIX, staging_name, sweep_staging

ReadReached = Callable[[float], tuple[frozenset[StoreKey], tuple[Path, ...]]]
"""Given the file system's time, returns the keys that environments need now, and the files of
roots whose prefixes are gone."""


class CollectedEntry(Struct, frozen=True, kw_only=True):
    """An entry that went, or would go."""

    key: StoreKey
    wheel: str
    """File name of its wheel; empty where the entry has lost it."""
    bytes: int
    inodes: int
    """Files and directories."""


class Collection(Struct, frozen=True, kw_only=True):
    """What a collection did. All but ``entries`` are counts of entries that stay."""

    entries: tuple[CollectedEntry, ...]
    needed: int
    young: int
    in_use: int
    """Held by a ``create`` under way, or open in a running program."""
    foreign: int
    """Another user's, who alone can remove them."""


class _Judged(Struct):
    doomed: list[StoreKey]
    needed: int = 0
    young: int = 0
    in_use: int = 0
    foreign: int = 0
    stale_roots: tuple[Path, ...] = ()


def collect(
    place: Path,
    read_reached: ReadReached,
    age: float,
    report: Reporter = silent,
    *,
    dry_run: bool = False,
) -> Collection:
    """Remove entries of ``place``, a store's ``v1``, that nothing needs and nobody linked lately.

    ``age`` is in seconds, since an environment last linked an entry. Raises
    StoreNotWritable.
    """
    entries = place / "entries"
    if not entries.is_dir():
        return Collection(entries=(), needed=0, young=0, in_use=0, foreign=0)
    try:
        if dry_run:
            judged = _judge(place, read_reached, age, time())
            return _collection(judged, _measured(entries, judged.doomed))
        with announce_collection(place) as now:
            judged = _judge(place, read_reached, age, now)
            _spare(judged, read_leases(place))
            aside = list(_set_aside(entries, judged.doomed))
            for root in judged.stale_roots:
                with suppress(OSError):
                    remove_file(root)
        gone = tuple(_removed(aside, report))
        sweep_staging(os.fspath(entries))
    except OSError as error:
        raise _failure(place, error) from error
    return _collection(judged, gone)


def touch_entries(paths: Iterable[Path]) -> None:
    """Note that an environment links these entries now; those of other users keep their time."""
    for path in paths:
        try:
            os.utime(path / WHEEL_NAME)
        except OSError:
            continue


def last_linked(entry: Path) -> float:
    """Return when an environment last linked an entry, in seconds (POSIX). Raises OSError."""
    try:
        return (entry / WHEEL_NAME).stat().st_mtime
    except FileNotFoundError:
        return entry.stat().st_mtime


def _judge(place: Path, read_reached: ReadReached, age: float, now: float) -> _Judged:
    """Say which entries go. Leases are read before roots: a lease ends when its root is there."""
    entries = place / "entries"
    leased = read_leases(place)
    reached, stale_roots = read_reached(now)
    # Whoever holds a lease may just be registering the same prefix anew.
    judged = _Judged([], stale_roots=() if leased else stale_roots)
    for name in sorted(os.listdir(entries)):
        key = StoreKey(name)
        if name.startswith(PREFIX):
            continue
        if key in reached:
            judged.needed += 1
        elif key in leased:
            judged.in_use += 1
        else:
            _judge_unneeded(entries / name, now - age, judged)
    if judged.doomed:
        used = keys_in_use(os.path.realpath(entries))
        _spare(judged, used | _sources(entries, used))
    return judged


def _sources(entries: Path, used: Iterable[StoreKey]) -> frozenset[StoreKey]:
    """Return the entries that used composed ones are made of: of those, no file may show.

    One of several packages may lead into composed ones of single packages.
    """
    found: set[StoreKey] = set()
    waiting = [key for key in used if is_composed(key)]
    while waiting:
        key = waiting.pop()
        composition = read_composition(Entry(key, entries / key))
        new = set() if composition is None else sources_of(composition) - found
        found |= new
        waiting += [each for each in new if is_composed(each)]
    return frozenset(found)


def _spare(judged: _Judged, used: frozenset[StoreKey]) -> None:
    judged.in_use += len(used.intersection(judged.doomed))
    judged.doomed = [key for key in judged.doomed if key not in used]


def _judge_unneeded(path: Path, before: float, judged: _Judged) -> None:
    try:
        owner = path.stat().st_uid
        linked = last_linked(path)
    except FileNotFoundError:
        return  # another collection has just taken it
    if os.geteuid() not in (owner, 0):
        judged.foreign += 1
    elif linked > before:
        judged.young += 1
    else:
        judged.doomed.append(StoreKey(path.name))


def _set_aside(entries: Path, doomed: Iterable[StoreKey]) -> Iterator[tuple[StoreKey, Path]]:
    for key in doomed:
        aside = entries / staging_name()
        try:
            (entries / key).rename(aside)
        except FileNotFoundError:
            continue
        yield key, aside


def _removed(aside: list[tuple[StoreKey, Path]], report: Reporter) -> Iterator[CollectedEntry]:
    report(StageStarted("collect", len(aside)))
    began = perf_counter()
    for key, path in aside:
        measured = measure_entry(key, path)
        remove_tree(path)
        report(StageAdvanced("collect", 1, measured.wheel))
        yield measured
    report(StageFinished("collect", len(aside), perf_counter() - began))


def _measured(entries: Path, keys: Iterable[StoreKey]) -> tuple[CollectedEntry, ...]:
    return tuple(measure_entry(key, entries / key) for key in keys)


def measure_entry(key: StoreKey, path: Path) -> CollectedEntry:
    """Count what an entry takes, bytecode included; nothing where it is gone."""
    try:
        wheel = (path / WHEEL_NAME).read_text("utf-8").strip()
    except (OSError, ValueError):
        wheel = ""
    size, inodes = measure_tree(os.fspath(path), _further_names(key, path))
    return CollectedEntry(key=key, wheel=wheel, bytes=size, inodes=inodes)


def _further_names(key: StoreKey, path: Path) -> Set[str]:
    """Name the files of a composed entry that are counted where their package stands."""
    composition = read_composition(Entry(key, path)) if is_composed(key) else None
    if composition is None:
        return frozenset()
    copies = {each for each in composition.solid if _is_copy(path / each, composition.names[each])}
    return composition.names.keys() - copies


def _is_copy(path: Path, source: str) -> bool:
    """Whether a file could not be a further name of another, which is still there."""
    try:
        return not path.samefile(source)
    except OSError:
        return False


def measure_tree(path: str, further: Set[str] = frozenset()) -> tuple[int, int]:
    """Return bytes of the files of a tree, and its inodes, itself included; links count as one.

    Files of ``further``, relative to the tree, are other trees' and count for nothing.
    """
    size, inodes, waiting = 0, 1, [path]
    own = len(path) + 1
    while waiting:
        try:
            with os.scandir(waiting.pop()) as listing:
                for item in listing:
                    if item.path[own:] in further and not item.is_symlink():
                        continue
                    inodes += 1
                    if item.is_dir(follow_symlinks=False):
                        waiting.append(item.path)
                    else:
                        size += item.stat(follow_symlinks=False).st_size
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
    return size, inodes


def _collection(judged: _Judged, gone: tuple[CollectedEntry, ...]) -> Collection:
    return Collection(
        entries=gone,
        needed=judged.needed,
        young=judged.young,
        in_use=judged.in_use,
        foreign=judged.foreign,
    )


def _failure(place: Path, error: OSError) -> PrefixError:
    return StoreNotWritable(place, (error.strerror or str(error)).lower())
