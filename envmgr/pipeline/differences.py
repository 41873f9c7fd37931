"""``diff``: two environments, generations or locks, and what differs between them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from envmgr.errors import UsageError
from envmgr.events import Reporter, Warned
from envmgr.link.generation import GenerationRecord
from envmgr.lock.check import select, why_stale
from envmgr.lock.errors import LockForeign
from envmgr.lock.foreign import ForeignLock
from envmgr.lock.inputs import inputs_of
from envmgr.lock.lockfile import read_lock
from envmgr.lock.paths import lock_path
from envmgr.lock.types import Lock, LockedPackage
from envmgr.names import GroupName, PackageName
from envmgr.pipeline.environments import find_prefix, record_of, selection_of
from envmgr.pipeline.generations import choose_generation
from envmgr.pipeline.origin import recorded_file
from envmgr.pipeline.types import Selector
from envmgr.spec.digest import resolution_digest
from envmgr.spec.environment import read_environment
from envmgr.spec.settings import Settings


@dataclass(frozen=True, slots=True)
class OfEnvironment:
    """An environment, or one of its generations."""

    selector: Selector
    number: int | None = None
    """``None``: the current one."""


@dataclass(frozen=True, slots=True)
class OfLock:
    """A lock; absolute."""

    path: Path


Comparable: TypeAlias = OfEnvironment | OfLock


@dataclass(frozen=True, slots=True)
class PackageDifference:
    """One package that differs; ``before`` and ``after`` are versions, ``None`` for absent."""

    name: PackageName
    before: str | None
    after: str | None
    what: Literal["added", "removed", "version", "index", "wheel"]
    """``index`` and ``wheel`` are of the same version: from elsewhere, or another file."""


@dataclass(frozen=True, slots=True)
class FactDifference:
    """Something else that differs; ``None`` for absent."""

    name: str
    """``python``, ``groups``, or the name of a variable with ``$`` before it."""
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What ``diff`` found."""

    before: str
    """What is compared, in words: ``climate``, ``climate@3``, the path of a lock."""
    after: str
    same: bool
    packages: tuple[PackageDifference, ...]
    facts: tuple[FactDifference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    label: str
    packages: Mapping[PackageName, tuple[str, str | None, str]]
    """Version, index and hash."""
    python: str
    """``3.12.1``, or ``3.12`` of a lock."""
    groups: tuple[GroupName, ...] | None
    """``None`` where any can be chosen."""
    variables: Mapping[str, str] | None = field(default=None)
    """``None`` where they are not told."""


def compare_sides(
    one: Comparable, other: Comparable | None, settings: Settings, report: Reporter
) -> Difference:
    """Tell what the second has that the first has not, and the other way round.

    An environment alone is compared with its lock, a generation alone with the
    current one. Raises UsageError, NoSuchEnvironment, NoSuchGeneration, LockError,
    DefinitionError.
    """
    match one, other:
        case OfLock(path), None:
            raise UsageError(f"{path} is compared with nothing", "name a second lock, or NAME")
        case OfEnvironment(selector, None), None:
            before = _of_record(_record(one, settings), one)
            after = _of_own_lock(selector, settings, report)
        case OfEnvironment(selector), None:
            before = _of_record(_record(one, settings), one)
            current = OfEnvironment(selector)
            after = _of_record(_record(current, settings), current)
        case OfLock(path), OfEnvironment():
            record = _record(other, settings)
            after = _of_record(record, other)
            before = _of_lock(path, settings, record.groups)
        case OfEnvironment(), OfLock(path):
            record = _record(one, settings)
            before = _of_record(record, one)
            after = _of_lock(path, settings, record.groups)
        case _:
            before, after = (_alone(side, settings) for side in (one, other))
    packages = tuple(_packages(before.packages, after.packages))
    facts = tuple(_facts(before, after))
    return Difference(
        before=before.label,
        after=after.label,
        same=not packages and not facts,
        packages=packages,
        facts=facts,
    )


def _alone(side: Comparable | None, settings: Settings) -> _Side:
    match side:
        case OfEnvironment():
            return _of_record(_record(side, settings), side)
        case OfLock(path):
            return _of_lock(path, settings, None)
    raise ValueError("two sides are compared")


def _record(side: OfEnvironment, settings: Settings) -> GenerationRecord:
    current = record_of(side.selector, settings)
    if side.number is None:
        return current
    prefix = find_prefix(side.selector, settings)
    return choose_generation(prefix, current, side.number, selection_of(side.selector))


def _of_record(record: GenerationRecord, side: OfEnvironment) -> _Side:
    return _Side(
        label=record.name if side.number is None else f"{record.name}@{side.number}",
        packages={each.name: (each.version, each.index, each.key) for each in record.packages},
        python=record.python_version,
        groups=record.groups,
        variables=record.variables,
    )


def _of_own_lock(selector: Selector, settings: Settings, report: Reporter) -> _Side:
    """Return what ``sync`` would make of it, but for what it would resolve first."""
    record = record_of(selector, settings)
    spec = read_environment(recorded_file(selector, settings), settings.expansions)
    path = Path(record.lock) if record.lock else lock_path(spec.source)
    lock = _read(path, settings)
    stale = why_stale(lock, resolution_digest(spec), inputs_of(spec))
    if stale:
        report(Warned(f"{path} is stale, so that sync would resolve first: {'; '.join(stale)}"))
    groups = tuple(group for group in record.groups if group in lock.groups)
    return _Side(
        label=str(path),
        packages=_locked(select(lock, frozenset(groups))),
        python=lock.conditions.python,
        groups=groups,
        variables=spec.variables,
    )


def _of_lock(path: Path, settings: Settings, groups: tuple[GroupName, ...] | None) -> _Side:
    """All of a lock, or what an environment with some groups has of it."""
    lock = _read(path, settings)
    chosen = lock.groups if groups is None else [each for each in groups if each in lock.groups]
    return _Side(
        label=str(path),
        packages=_locked(select(lock, frozenset(chosen))),
        python=lock.conditions.python,
        groups=lock.groups if groups is None else tuple(chosen),
    )


def _read(path: Path, settings: Settings) -> Lock:
    lock = read_lock(path, settings.cache)
    if isinstance(lock, ForeignLock):
        raise LockForeign(path, lock.created_by)
    return lock


def _locked(
    packages: tuple[LockedPackage, ...],
) -> Mapping[PackageName, tuple[str, str | None, str]]:
    return {each.name: (each.version, each.index, each.wheel.sha256) for each in packages}


def _packages(
    before: Mapping[PackageName, tuple[str, str | None, str]],
    after: Mapping[PackageName, tuple[str, str | None, str]],
) -> Iterator[PackageDifference]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            version = (old[0] if old else None, new[0] if new else None)
            yield PackageDifference(name, *version, "removed" if old else "added")
        elif old[0] != new[0]:
            yield PackageDifference(name, old[0], new[0], "version")
        elif old[2] != new[2]:
            yield PackageDifference(name, old[0], new[0], "wheel")
        elif old[1] != new[1]:
            yield PackageDifference(name, old[0], new[0], "index")


def _facts(before: _Side, after: _Side) -> Iterator[FactDifference]:
    exact = before.python.count(".") == after.python.count(".")
    old, new = before.python, after.python
    if (old != new) if exact else (_minor(old) != _minor(new)):
        yield FactDifference("python", old, new)
    if before.groups is not None and after.groups is not None and before.groups != after.groups:
        yield FactDifference("groups", ", ".join(before.groups), ", ".join(after.groups))
    if before.variables is not None and after.variables is not None:
        for name in sorted(before.variables.keys() | after.variables.keys()):
            was, now = before.variables.get(name), after.variables.get(name)
            if was != now:
                yield FactDifference(f"${name}", was, now)


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
