"""``store repair``: make damaged entries whole again, in place."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from envmgr.errors import EnvmgrError
from envmgr.events import Reporter
from envmgr.files import remove_file
from envmgr.index.fetch import fetch_wheels
from envmgr.index.types import Download
from envmgr.link.generation import GenerationRecord
from envmgr.lock.locations import downloads
from envmgr.lock.lockfile import read_lock
from envmgr.lock.paths import lock_path
from envmgr.lock.types import Lock
from envmgr.names import StoreKey
from envmgr.pipeline.roots import Reach
from envmgr.pipeline.upkeep import DamagedEntry, damaged_entry, reach_of
from envmgr.spec.environment import read_environment
from envmgr.spec.settings import Settings, choose_indexes
from envmgr.spec.types import IndexSpec
from envmgr.store.composed import is_composed
from envmgr.store.entry import Entry
from envmgr.store.heal import Source, heal_from_wheel, heal_in_place, needs_wheel
from envmgr.store.recompose import NotRecomposed, remains_of
from envmgr.store.store import Store, open_store
from envmgr.store.verify import Checked, check_entry, check_store

Outcome: TypeAlias = Literal["repaired", "left"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairedEntry:
    """A damaged entry and what became of it; ``reason`` says why it was left."""

    entry: DamagedEntry
    outcome: Outcome
    fetched: bool
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What ``store repair`` did, or would do where ``dry_run``."""

    store: Path
    dry_run: bool
    entries: tuple[RepairedEntry, ...]
    leftovers: int
    """Unfinished and half-removed entries of killed processes, which went."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a wheel can be had, and the indexes that know how."""

    download: Download
    indexes: tuple[IndexSpec, ...]


class _NotRepaired(Exception):
    """Why an entry is left as it is, one clause."""


@dataclass(frozen=True, slots=True)
class _Workshop:
    settings: Settings
    environ: Mapping[str, str]
    report: Reporter
    reach: Reach
    dry_run: bool


def repair_store(
    settings: Settings,
    environ: Mapping[str, str],
    report: Reporter,
    *,
    dry_run: bool = False,
) -> Repaired:
    """Check every entry of the user's own store and repair what can be.

    Raises StoreNotWritable, EnvironmentsHidden; an entry that cannot be repaired is told of.
    """
    store = open_store(settings.stores)
    shop = _Workshop(settings, environ, report, reach_of(store, settings), dry_run)
    users = shop.reach.users()
    wheels, composed = _damaged(store, report)
    leftovers = store.leftovers() if dry_run or not store.path.is_dir() else store.sweep()
    return Repaired(
        store=store.path,
        dry_run=dry_run,
        entries=(
            *(_repair(each, damaged_entry(each, users), shop) for each in wheels),
            *(
                _recompose(damaged_entry(each, users), store, dry_run=dry_run)
                for each in _again(composed, store, wheels, dry_run=dry_run)
            ),
        ),
        leftovers=leftovers,
    )


def _damaged(store: Store, report: Reporter) -> tuple[list[Checked], list[Checked]]:
    """Return the damaged entries of wheels, and the composed ones."""
    found = [each for each in check_store(store, report) if each.findings]
    composed = [each for each in found if is_composed(each.entry.key)]
    return [each for each in found if each not in composed], composed


def _again(
    composed: list[Checked], store: Store, wheels: list[Checked], *, dry_run: bool
) -> list[Checked]:
    """Look at composed entries again once wheels are repaired: they have the new files then."""
    if dry_run or not wheels:
        return composed
    return [each for each in map(check_entry, store.own_composed()) if each.findings]


def _recompose(entry: DamagedEntry, store: Store, *, dry_run: bool) -> RepairedEntry:
    """Make a composed entry again of what it says it is made of."""
    outcome = RepairedEntry(entry=entry, outcome="repaired", fetched=False, reason=None)
    try:
        composition, contents = remains_of(Entry(entry.key, entry.path))
        if not dry_run:
            store.alone().add_composed(composition, contents)
    except NotRecomposed as error:
        return replace(outcome, outcome="left", reason=f"{error}; {_way_out(entry)}")
    except EnvmgrError as error:
        return replace(outcome, outcome="left", reason=str(error))
    return outcome


def _way_out(entry: DamagedEntry) -> str:
    if not entry.environments:
        return "no environment needs it; `envmgr store gc --older-than 0d` removes it"
    commands = (f"`envmgr sync -p {prefix}`" for prefix in entry.environments)
    return f"{', '.join(commands)} makes it anew"


def _repair(checked: Checked, entry: DamagedEntry, shop: _Workshop) -> RepairedEntry:
    outcome = RepairedEntry(entry=entry, outcome="repaired", fetched=False, reason=None)
    try:
        if needs_wheel(checked):
            outcome = replace(outcome, fetched=True)
            _heal_from_wheel(checked, shop)
        elif not shop.dry_run:
            heal_in_place(checked)
        if not shop.dry_run:
            _finish(check_entry(checked.entry))
    except _NotRepaired as error:
        return replace(outcome, outcome="left", fetched=False, reason=str(error))
    except EnvmgrError as error:
        return replace(outcome, outcome="left", fetched=False, reason=str(error))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return replace(outcome, outcome="left", fetched=False, reason=reason)
    return outcome


def _finish(checked: Checked) -> None:
    """Take away what only shows after the first repair: bytecode of what was not the source."""
    if checked.findings and not needs_wheel(checked):
        heal_in_place(checked)
        checked = check_entry(checked.entry)
    if checked.findings:
        first = checked.findings[0]
        raise _NotRepaired(f"{first.path} still {first.detail}")


def _heal_from_wheel(checked: Checked, shop: _Workshop) -> None:
    found = _find(checked.entry.key, shop)
    if shop.dry_run:
        return
    shelf = shop.settings.cache / "wheels"
    paths = fetch_wheels(
        [found.download],
        shelf,
        indexes=found.indexes,
        environ=shop.environ,
        offline=shop.settings.offline,
        cache=shop.settings.cache,
        report=shop.report,
    )
    path = paths[found.download.sha256]
    try:
        heal_from_wheel(checked, Source(path, found.download.filename))
    finally:
        if path.parent == shelf:
            with suppress(OSError):
                remove_file(path)
    heal_in_place(check_entry(checked.entry))


def _find(key: StoreKey, shop: _Workshop) -> _Found:
    """Look through the locks of the environments that use an entry."""
    records = [
        record
        for prefix, keys in sorted(shop.reach.keys.items())
        if key in keys
        for record in reversed(shop.reach.records.get(prefix, ()))
    ]
    for record in records:
        found = _in_lock(key, record, shop)
        if found is not None:
            return found
    if not records:
        raise _NotRepaired("no environment needs it; `envmgr store gc --older-than 0d` removes it")
    raise _NotRepaired(
        f"no lock says any more where its wheel is; change {records[0].environment_file} so that "
        f"it is not needed, or put the lock back"
    )


def _in_lock(key: StoreKey, record: GenerationRecord, shop: _Workshop) -> _Found | None:
    file = Path(record.environment_file)
    path = Path(record.lock) if record.lock else lock_path(file)
    try:
        written = read_environment(file, shop.settings.expansions).indexes
    except EnvmgrError:
        written = ()
    try:
        lock = read_lock(path, shop.settings.cache)
    except EnvmgrError:
        return None
    if not isinstance(lock, Lock):
        return None
    packages = [package for package in lock.packages if package.wheel.sha256 == key]
    indexes = choose_indexes(written, shop.settings).indexes
    wanted = downloads(packages, str(path.parent), indexes)
    return _Found(wanted[0], indexes) if wanted else None
