"""``store gc``, ``verify`` and ``du``: what the store holds, for whom, and whether it is whole."""

from collections.abc import Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, time

from envmgr.events import (
    Noted,
    Reporter,
    StageAdvanced,
    StageFinished,
    StageStarted,
    Warned,
    silent,
)
from envmgr.names import EnvironmentName, StoreKey
from envmgr.pipeline.environments import find_prefix
from envmgr.pipeline.roots import Reach, read_reach
from envmgr.pipeline.types import Selector
from envmgr.spec.settings import Settings
from envmgr.store.collect import CollectedEntry, collect, measure_entry, measure_tree
from envmgr.store.composed import is_composed, read_composition, told_of
from envmgr.store.errors import StoreUnreadable
from envmgr.store.findings import Finding
from envmgr.store.staging import sweep_staging
from envmgr.store.store import Store, open_store
from envmgr.store.verify import Checked, check_store

AGE = 30 * 24 * 3600.0
"""Seconds since an environment last linked an entry, after which it may be collected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What ``store gc`` removed, or would remove where ``dry_run``."""

    store: Path
    dry_run: bool
    entries: tuple[CollectedEntry, ...]
    bytes: int
    """Of all of them together."""
    needed: int
    young: int
    in_use: int
    foreign: int
    unseen: tuple[Path, ...]
    gone: tuple[Path, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedEntry:
    """An entry that is not what it was, and the prefixes that use it."""

    key: StoreKey
    path: Path
    package: str
    """``name version``; empty where the entry cannot tell any more."""
    findings: tuple[Finding, ...]
    environments: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What ``store verify`` found."""

    store: Path
    fast: bool
    entries: int
    files: int
    damaged: tuple[DamagedEntry, ...]
    leftovers: int
    """Unfinished and half-removed entries of killed processes: in nobody's way."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Entries, the bytes of their files, and their inodes (files and directories)."""

    entries: int
    bytes: int
    inodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentUsage:
    """What one environment takes, all kept generations together."""

    name: EnvironmentName | None
    """``None`` where the prefix cannot be looked into."""
    prefix: Path
    view: int
    """Inodes of the prefix itself."""
    own: Usage
    """Of entries in the user's own store that nobody else needs."""
    shared: Usage
    """Of those that others need too, and of a site's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUse:
    """What ``store du`` counted."""

    store: Path
    environments: tuple[EnvironmentUsage, ...]
    total: Usage
    """Of the store that new entries go to."""
    unused: Usage
    """Of it, what no environment needs."""
    collectable: Usage
    """Of that, what ``store gc`` would remove now."""


def collect_store(
    settings: Settings, report: Reporter, *, age: float = AGE, dry_run: bool = False
) -> Collected:
    """Remove what no environment needs and none linked for ``age`` seconds.

    Raises StoreNotWritable, EnvironmentsHidden.
    """
    began = perf_counter()
    store = open_store(settings.stores)
    reach = Reach()

    def read(now: float) -> tuple[frozenset[StoreKey], tuple[Path, ...]]:
        nonlocal reach
        reach = read_reach(store.path, settings.environments, now, age)
        return reach.reached, tuple(root.file for root in reach.gone)

    collection = collect(store.path, read, age, report, dry_run=dry_run)
    if not dry_run:
        with suppress(OSError):
            sweep_staging(str(settings.environments))
    for root in reach.unseen:
        report(Noted(f"{root.prefix} cannot be looked into from here; what it needs stays"))
    return Collected(
        store=store.path,
        dry_run=dry_run,
        entries=collection.entries,
        bytes=sum(entry.bytes for entry in collection.entries),
        needed=collection.needed,
        young=collection.young,
        in_use=collection.in_use,
        foreign=collection.foreign,
        unseen=tuple(root.prefix for root in reach.unseen),
        gone=tuple(root.prefix for root in reach.gone),
        seconds=perf_counter() - began,
    )


def verify_store(settings: Settings, report: Reporter, *, fast: bool = False) -> Verified:
    """Check every entry of the user's own store. Raises StoreNotWritable, EnvironmentsHidden."""
    began = perf_counter()
    store = open_store(settings.stores)
    users = reach_of(store, settings).users()
    files, entries, damaged = 0, 0, []
    for checked in check_store(store, report, fast=fast):
        entries += 1
        files += checked.files
        if checked.findings:
            damaged.append(damaged_entry(checked, users))
    return Verified(
        store=store.path,
        fast=fast,
        entries=entries,
        files=files,
        damaged=tuple(damaged),
        leftovers=store.leftovers(),
        seconds=perf_counter() - began,
    )


def damaged_entry(checked: Checked, users: Mapping[StoreKey, tuple[Path, ...]]) -> DamagedEntry:
    """Say of a damaged entry what it is and who uses it."""
    return DamagedEntry(
        key=checked.entry.key,
        path=checked.entry.path,
        package=_package(checked),
        findings=checked.findings,
        environments=users.get(checked.entry.key, ()),
    )


def _package(checked: Checked) -> str:
    manifest = checked.manifest
    if manifest is not None:
        return f"{manifest.name} {manifest.version}"
    composition = read_composition(checked.entry) if is_composed(checked.entry.key) else None
    return "" if composition is None else told_of(composition).strip()


def reach_of(store: Store, settings: Settings) -> Reach:
    """Return what environments need now. Raises StoreUnreadable, EnvironmentsHidden."""
    try:
        return read_reach(store.path, settings.environments, time(), AGE)
    except OSError as error:
        raise StoreUnreadable(store.path, (error.strerror or str(error)).lower()) from error


def disk_use(selector: Selector | None, settings: Settings, report: Reporter) -> DiskUse:
    """Count what environments take, or one of them; shared is what any other needs too.

    Raises NoSuchEnvironment, DamagedEnvironment, StoreNotWritable.
    """
    only = None if selector is None else find_prefix(selector, settings)
    store = open_store(settings.stores)
    reach = reach_of(store, settings)
    measured = _measure(store, reach, report)
    own_keys = {entry.key for entry in (*store.own_entries(), *store.own_composed())}
    users = reach.users()
    if only is not None and only not in reach.keys:
        report(Warned(f"the store does not know {only}: run `envmgr sync -p {only}`"))
    return DiskUse(
        store=store.path,
        environments=tuple(
            _environment_usage(prefix, reach, users, own_keys, measured)
            for prefix in sorted(reach.keys)
            if only in (None, prefix)
        ),
        total=_sum(own_keys, measured),
        unused=_sum(own_keys - reach.reached, measured),
        collectable=_sum(
            {e.key for e in collect_store(settings, silent, dry_run=True).entries}, measured
        ),
    )


def _measure(store: Store, reach: Reach, report: Reporter) -> Mapping[StoreKey, CollectedEntry]:
    entries = {entry.key: entry for entry in (*store.own_entries(), *store.own_composed())}
    for key in reach.reached - set(entries):
        found = store.find(key)
        if found is not None:
            entries[key] = found
    report(StageStarted("measure", len(entries)))
    began, measured = perf_counter(), {}
    for key, entry in entries.items():
        measured[key] = measure_entry(key, entry.path)
        report(StageAdvanced("measure", 1, measured[key].wheel))
    report(StageFinished("measure", len(entries), perf_counter() - began))
    return measured


def _environment_usage(
    prefix: Path,
    reach: Reach,
    users: Mapping[StoreKey, tuple[Path, ...]],
    own_keys: Set[StoreKey],
    measured: Mapping[StoreKey, CollectedEntry],
) -> EnvironmentUsage:
    records = reach.records.get(prefix, ())
    keys = reach.keys[prefix]
    own = {key for key in keys & own_keys if len(users[key]) == 1}
    return EnvironmentUsage(
        name=records[-1].name if records else None,
        prefix=prefix,
        view=measure_tree(str(prefix))[1],
        own=_sum(own, measured),
        shared=_sum(keys - own, measured),
    )


def _sum(
    keys: frozenset[StoreKey] | set[StoreKey], measured: Mapping[StoreKey, CollectedEntry]
) -> Usage:
    there = [measured[key] for key in keys if key in measured]
    return Usage(
        entries=len(there),
        bytes=sum(entry.bytes for entry in there),
        inodes=sum(entry.inodes for entry in there),
    )
