"""The environments there are: find, list, delete."""

from pathlib import Path

from envmgr.events import Reporter
from envmgr.link.generation import GenerationRecord, PackageRecord, read_current
from envmgr.link.prefix import delete_prefix, environments_under, lock_prefix
from envmgr.names import EnvironmentName
from envmgr.pipeline.errors import NoSuchEnvironment
from envmgr.pipeline.types import (
    ByName,
    ByPrefix,
    Deleted,
    EnvironmentSummary,
    PackageRow,
    Selector,
)
from envmgr.spec.settings import Settings
from envmgr.store.entry import read_manifest
from envmgr.store.store import Store, open_store


def locate(
    selector: Selector | None, default: EnvironmentName, settings: Settings
) -> tuple[EnvironmentName, Path]:
    """Return name and prefix of the environment that is meant; it need not exist."""
    match selector:
        case ByPrefix(prefix):
            return default, prefix
        case ByName(name):
            return name, settings.environments / name
        case None:
            return default, settings.environments / default


def find_prefix(selector: Selector, settings: Settings) -> Path:
    """Return the prefix of an environment that exists. Raises NoSuchEnvironment."""
    return _existing(selector, settings)[0]


def record_of(selector: Selector, settings: Settings) -> GenerationRecord:
    """Return the current generation of an environment that exists. Raises NoSuchEnvironment."""
    return _existing(selector, settings)[1]


def list_environments(settings: Settings) -> tuple[EnvironmentSummary, ...]:
    """List the named environments, by name."""
    found = []
    for prefix in environments_under(settings.environments):
        record = read_current(prefix)
        if record is not None:
            found.append(_summary(prefix, record))
    return tuple(found)


def list_packages(selector: Selector, settings: Settings) -> tuple[PackageRow, ...]:
    """List the packages of an environment, by name. Raises NoSuchEnvironment."""
    store = open_store(settings.stores)
    return tuple(_row(package, store) for package in record_of(selector, settings).packages)


def _row(package: PackageRecord, store: Store) -> PackageRow:
    entry = store.find(package.key)
    return PackageRow(
        name=package.name,
        version=package.version,
        index=package.index,
        groups=package.groups,
        size=sum(file.size for file in read_manifest(entry).files) if entry else None,
        entry=entry.path if entry else None,
    )


def delete(selector: Selector, settings: Settings, report: Reporter) -> Deleted:
    """Remove an environment with all its generations. Raises NoSuchEnvironment, PrefixError."""
    prefix, record = _existing(selector, settings)
    with lock_prefix(prefix, report):
        delete_prefix(prefix)
    return Deleted(name=record.name, prefix=prefix)


def _existing(selector: Selector, settings: Settings) -> tuple[Path, GenerationRecord]:
    match selector:
        case ByName(name):
            prefix = settings.environments / name
        case ByPrefix(prefix):
            pass
    record = read_current(prefix)
    if record is None:
        raise _missing(selector, settings)
    return prefix, record


def _missing(selector: Selector, settings: Settings) -> NoSuchEnvironment:
    if isinstance(selector, ByPrefix):
        return NoSuchEnvironment(f"at {selector.prefix}")
    from difflib import get_close_matches

    names = [prefix.name for prefix in environments_under(settings.environments)]
    return NoSuchEnvironment(
        f"called {selector.name}", tuple(get_close_matches(selector.name, names, n=2))
    )


def _summary(prefix: Path, record: GenerationRecord) -> EnvironmentSummary:
    return EnvironmentSummary(
        name=record.name,
        prefix=prefix,
        file=Path(record.environment_file),
        python=record.python_version,
        packages=len(record.packages),
        groups=record.groups,
        generation=record.id,
        created=record.created,
    )
