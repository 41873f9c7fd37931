"""``doctor``: looks everything through, and changes nothing."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Literal, TypeAlias

from envmgr.errors import DefinitionError, EnvmgrError
from envmgr.events import Reporter
from envmgr.hardware.host import RealHost
from envmgr.link.generation import read_current
from envmgr.link.prefix import GENERATIONS, environments_under
from envmgr.names import StoreKey
from envmgr.pipeline.environments import find_removable, selection_of
from envmgr.pipeline.health.complaints import Complaint, problem
from envmgr.pipeline.health.entries import check_files, check_store_state, explain
from envmgr.pipeline.health.online import check_indexes
from envmgr.pipeline.health.places import check_places
from envmgr.pipeline.health.variables import check_shadowed, check_variables
from envmgr.pipeline.health.views import check_reached, check_view, selector_of
from envmgr.pipeline.types import Selector
from envmgr.spec.environment import read_environment
from envmgr.spec.indexes import IndexSpec
from envmgr.spec.settings import Settings, choose_indexes
from envmgr.store.entry import MANIFEST, Entry
from envmgr.store.roots import read_roots, standing_of
from envmgr.store.store import Store, open_store
from envmgr.store.tamper import is_suspect
from envmgr.wheel.manifest import ManifestUnreadable, decode_manifest

Scope: TypeAlias = Selector | Literal["all"] | None
"""What to look at besides the machine: one environment with every file of its entries, all of
them; or all of them, and of entries only those that look changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What ``doctor`` found; problems come first."""

    healthy: bool
    """Whether there are no problems; notes do not count."""
    complaints: tuple[Complaint, ...]
    environments: tuple[Path, ...]
    """Prefixes that were looked at."""
    entries: int
    """How many entries had every file looked at."""
    thorough: bool
    """Whether that is every entry of these environments, and not only what looks changed."""
    online: bool
    """Whether indexes were asked."""
    seconds: float


def diagnose(
    scope: Scope,
    settings: Settings,
    environ: Mapping[str, str],
    report: Reporter,
    *,
    online: bool = False,
) -> Diagnosis:
    """Look at the machine, and at as much of environments and stores as ``scope`` says.

    Raises NoSuchEnvironment.
    """
    began = perf_counter()
    store = open_store(settings.stores)
    host = RealHost(environ)
    found = [*check_variables(environ), *_guarded(settings.home, check_places(settings))]
    found += _guarded(store.path, check_store_state(store))
    everywhere = scope is None or scope == "all"
    if scope is None or scope == "all":
        prefixes = tuple(_known(store, settings, found))
    else:
        prefixes = (find_removable(scope, settings),)
    for prefix in prefixes:
        found += _guarded(prefix, check_view(prefix, store, settings, host))
    entries = _entries(prefixes, store, everything=everywhere)
    if scope is None:
        entries = tuple(entry for entry in entries if is_suspect(entry))
    found += _guarded(store.path, check_files(entries, store, report))
    if scope is not None:
        for prefix in prefixes:
            sync = f"run `envmgr sync {selection_of(selector_of(prefix, settings))}`"
            found += _guarded(prefix, check_reached(prefix, store, sync))
        found += check_shadowed(environ, _libraries(environ), _brought(entries))
    if online:
        found += check_indexes(_indexes(prefixes, settings), environ, report)
    return Diagnosis(
        healthy=_is_healthy(found),
        complaints=_ordered(found),
        environments=prefixes,
        entries=len(entries),
        thorough=scope is not None,
        online=online,
        seconds=perf_counter() - began,
    )


def without_settings(error: DefinitionError, environ: Mapping[str, str]) -> Diagnosis:
    """Say what can be said where the settings cannot be read."""
    began = perf_counter()
    found = [explain(error, "configuration", "config.yaml"), *check_variables(environ)]
    return Diagnosis(
        healthy=False,
        complaints=_ordered(found),
        environments=(),
        entries=0,
        thorough=False,
        online=False,
        seconds=perf_counter() - began,
    )


def _is_healthy(found: list[Complaint]) -> bool:
    return not any(each.severity == "problem" for each in found)


def _ordered(found: list[Complaint]) -> tuple[Complaint, ...]:
    return tuple(sorted(found, key=lambda each: each.severity != "problem"))


def _guarded(subject: Path, complaints: Iterator[Complaint]) -> Iterator[Complaint]:
    """Pass complaints on; what keeps something from being looked at is one too."""
    try:
        yield from complaints
    except EnvmgrError as error:
        yield explain(error, "unreadable", subject)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        where = f": {error.filename}" if error.filename else ""
        message = f"{subject} cannot be looked through ({reason}{where})"
        yield problem("unreadable", subject, message, "make it readable for you")


def _known(store: Store, settings: Settings, found: list[Complaint]) -> Iterator[Path]:
    """Name every environment that is there: the named ones, and those that registered."""
    prefixes: set[Path] = set()
    try:
        prefixes.update(environments_under(settings.environments))
    except EnvmgrError as error:
        found.append(explain(error, "environment", settings.environments))
    try:
        roots = read_roots(store.path)
    except OSError:
        roots = ()
    prefixes.update(root.prefix for root in roots if standing_of(root, GENERATIONS) == "seen")
    yield from sorted(prefixes)


def _entries(prefixes: tuple[Path, ...], store: Store, *, everything: bool) -> tuple[Entry, ...]:
    keys: dict[StoreKey, Entry] = {}
    try:
        own = store.own_entries() if everything else ()
    except EnvmgrError:  # told of by what looks at places
        own = ()
    keys.update((entry.key, entry) for entry in own)
    for prefix in prefixes:
        record = read_current(prefix)
        for package in record.packages if record else ():
            entry = store.find(package.key)
            if entry is not None:
                keys[package.key] = entry
    return tuple(keys.values())


def _libraries(environ: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """List the directories of LD_LIBRARY_PATH."""
    found = {}
    for directory in environ.get("LD_LIBRARY_PATH", "").split(":"):
        try:
            found[directory] = frozenset(os.listdir(directory)) if directory else frozenset()
        except OSError:
            continue
    return found


def _brought(entries: tuple[Entry, ...]) -> dict[str, str]:
    """Return which package brings each SONAME."""
    brought: dict[str, str] = {}
    for entry in entries:
        try:
            manifest = decode_manifest((entry.path / MANIFEST).read_bytes())
        except (OSError, ManifestUnreadable):
            continue
        brought |= {elf.soname: manifest.name for elf in manifest.elf if elf.soname}
    return brought


def _indexes(prefixes: tuple[Path, ...], settings: Settings) -> Iterator[IndexSpec]:
    """Name the indexes of the settings, and of the files of environments."""
    yield from settings.indexes
    for prefix in prefixes:
        record = read_current(prefix)
        if record is None:
            continue
        try:
            spec = read_environment(Path(record.environment_file), settings.expansions)
        except EnvmgrError:
            continue
        yield from choose_indexes(spec.indexes, settings).indexes
