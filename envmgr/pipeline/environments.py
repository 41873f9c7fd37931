"""The environments there are: find, list, delete."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from shlex import quote

from envmgr.events import Reporter, Warned, silent
from envmgr.link.foreign import ForeignDistribution, read_foreign
from envmgr.link.generation import (
    GenerationRecord,
    PackageRecord,
    generation_path,
    read_current,
    read_damage,
)
from envmgr.link.prefix import (
    DamagedEnvironment,
    delete_prefix,
    environments_under,
    lock_prefix,
    prefix_kind,
    read_identity,
)
from envmgr.names import EnvironmentName, PackageName, normalized
from envmgr.pipeline.composing import damage_of
from envmgr.pipeline.errors import NoSuchEnvironment
from envmgr.pipeline.mend import describe, find_harm
from envmgr.pipeline.roots import uproot_prefix
from envmgr.pipeline.types import (
    ByName,
    ByPrefix,
    Deleted,
    EnvironmentSummary,
    PackageRow,
    Selector,
)
from envmgr.spec.settings import Settings
from envmgr.store.entry import Entry, EntryDamaged, read_manifest
from envmgr.store.staging import sweep_staging
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


def selection_of(selector: Selector) -> str:
    """Say how a shell's command line names an environment: ``-n NAME`` or ``-p PREFIX``."""
    match selector:
        case ByName(name):
            return f"-n {name}"
        case ByPrefix(prefix):
            return f"-p {quote(str(prefix))}"


def find_prefix(selector: Selector, settings: Settings) -> Path:
    """Return the prefix of an environment that exists.

    Raises NoSuchEnvironment, DamagedEnvironment.
    """
    return _existing(selector, settings)[0]


def find_removable(selector: Selector, settings: Settings) -> Path:
    """Return the prefix of an environment that ``delete`` would remove, damaged or not.

    Raises NoSuchEnvironment.
    """
    prefix = _prefix_of(selector, settings)
    if prefix_kind(prefix) != "environment":
        raise _missing(selector, settings)
    return prefix


def record_of(selector: Selector, settings: Settings) -> GenerationRecord:
    """Return the current generation of an environment that exists.

    Raises NoSuchEnvironment, DamagedEnvironment.
    """
    return _existing(selector, settings)[1]


def list_environments(
    settings: Settings, report: Reporter = silent
) -> tuple[EnvironmentSummary, ...]:
    """List the named environments, by name; of damaged ones the reporter is told."""
    found = []
    for prefix in environments_under(settings.environments):
        record = read_current(prefix)
        damage = read_damage(prefix) if record is None else None
        if record is not None:
            found.append(_summary(prefix, record))
        elif damage is not None:
            damaged = DamagedEnvironment(
                prefix, damage, read_identity(prefix)[1], f"-n {prefix.name}"
            )
            report(Warned(f"{damaged}; {damaged.hint}"))
    return tuple(found)


def list_packages(
    selector: Selector, settings: Settings, report: Reporter = silent
) -> tuple[PackageRow, ...]:
    """List the packages of an environment, by name, those of other installers last.

    Of entries that a program changed the reporter is told.
    Raises NoSuchEnvironment, DamagedEnvironment.
    """
    store = open_store(settings.stores)
    prefix, record = _existing(selector, settings)
    foreign = read_foreign(generation_path(prefix, record.id)).distributions
    lost = [package for package in record.packages if store.find(package.key) is None]
    if lost:
        again = f"`envmgr sync {selection_of(selector)}` fetches them again"
        report(Warned(f"{_few(lost)} of {record.name} cannot be found in the store; {again}"))
    for package in record.packages:
        entry = store.find(package.key)
        harm = find_harm(entry) if entry else None
        if harm is not None:
            again = f"`envmgr sync {selection_of(selector)}` fetches it again"
            report(Warned(f"{describe(harm)}; {again}"))
    for key in record.composed:
        entry = store.find(key)
        damage = damage_of(entry) if entry else None
        if damage is not None:
            report(Warned(f"{damage}; `envmgr sync {selection_of(selector)}` makes it again"))
    return (
        *(_row(package, store) for package in record.packages),
        *map(_foreign_row, foreign),
    )


def _few(packages: Sequence[PackageRecord]) -> str:
    names = [f"{package.name} {package.version}" for package in packages]
    more = f" and {len(names) - 3} more packages" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


def _foreign_row(package: ForeignDistribution) -> PackageRow:
    return PackageRow(
        name=PackageName(normalized(package.name)),
        version=package.version,
        index=None,
        groups=(),
        size=None,
        entry=None,
        installer=package.installer,
    )


def _row(package: PackageRecord, store: Store) -> PackageRow:
    entry = store.find(package.key)
    return PackageRow(
        name=package.name,
        version=package.version,
        index=package.index,
        groups=package.groups,
        size=_size(entry) if entry else None,
        entry=entry.path if entry else None,
    )


def _size(entry: Entry) -> int | None:
    try:
        return sum(file.size for file in read_manifest(entry).files)
    except EntryDamaged:
        return None


def delete(selector: Selector, settings: Settings, report: Reporter) -> Deleted:
    """Remove an environment with all its generations, damaged or not.

    Raises NoSuchEnvironment, PrefixError.
    """
    prefix = find_removable(selector, settings)
    record = read_current(prefix)
    name = record.name if record else EnvironmentName(read_identity(prefix)[0] or prefix.name)
    with lock_prefix(prefix, report):
        delete_prefix(prefix)
    uproot_prefix(prefix, open_store(settings.stores))
    with suppress(OSError):
        sweep_staging(str(settings.environments))
    return Deleted(name=name, prefix=prefix)


def _prefix_of(selector: Selector, settings: Settings) -> Path:
    match selector:
        case ByName(name):
            return settings.environments / name
        case ByPrefix(prefix):
            return prefix


def _existing(selector: Selector, settings: Settings) -> tuple[Path, GenerationRecord]:
    prefix = _prefix_of(selector, settings)
    record = read_current(prefix)
    if record is not None:
        return prefix, record
    damage = read_damage(prefix)
    if damage is None:
        raise _missing(selector, settings)
    raise DamagedEnvironment(prefix, damage, read_identity(prefix)[1], selection_of(selector))


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
        name=EnvironmentName(prefix.name),  # by which commands find it, whatever was interrupted
        prefix=prefix,
        file=Path(record.environment_file),
        python=record.python_version,
        packages=len(record.packages),
        groups=record.groups,
        generation=record.id,
        created=record.created,
    )
