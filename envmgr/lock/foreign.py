"""Locks that other tools made: several wheels a package, any markers, any targets (PEP 751)."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct
from packaging.markers import Marker

from envmgr.lock.conditions import find_conditions
from envmgr.lock.document import Table
from envmgr.lock.errors import LockUnfit, LockUnreadable
from envmgr.lock.locations import basename
from envmgr.lock.types import Lock, LockedPackage, LockedWheel
from envmgr.lock.wheels import check_version, parse_marker, parse_wheel
from envmgr.names import GroupName, IndexName, PackageName, group_name, package_name
from envmgr.spec.addresses import without_credentials
from envmgr.target.types import Target
from envmgr.wheel.filename import parse_wheel_filename

_SOURCES = {"vcs": "a repository", "directory": "a directory"}


class ForeignPackage(Struct, frozen=True, kw_only=True):
    """One entry of ``[[packages]]``, with every wheel that it lists."""

    where: str
    """``packages[3]``."""
    name: PackageName
    version: str
    marker: Marker | None
    requires_python: str | None
    index: str | None
    wheels: tuple[LockedWheel, ...]
    """In the lock's order; none where there is no wheel at all."""
    direct: bool
    """Whether the one wheel is an ``archive``."""
    source: str | None
    """What there is besides wheels: ``a source distribution``, ``a repository``, ..."""
    requires: tuple[PackageName, ...]


class ForeignLock(Struct, frozen=True, kw_only=True):
    """A lock without ``tool.envmgr``: which of its wheels to take is still to be decided."""

    path: Path
    created_by: str
    requires_python: str | None
    environments: tuple[Marker, ...]
    groups: tuple[GroupName, ...]
    default_groups: frozenset[str]
    packages: tuple[ForeignPackage, ...]


def parse_foreign(document: Table) -> ForeignLock:
    """Read a lock's standard keys. Raises LockUnreadable."""
    environments = document.texts("environments")
    return ForeignLock(
        path=document.path,
        created_by=document.text("created-by"),
        requires_python=document.optional_text("requires-python"),
        environments=tuple(
            document.checked(f"environments[{number}]", text, parse_marker, "a marker")
            for number, text in enumerate(environments)
        ),
        groups=tuple(
            document.checked("dependency-groups", text, group_name, "the name of a group")
            for text in document.texts("dependency-groups")
        ),
        default_groups=frozenset(document.texts("default-groups")),
        packages=tuple(_package(row) for row in document.tables("packages")),
    )


def _package(row: Table) -> ForeignPackage:
    name = row.checked("name", row.text("name"), package_name, "the name of a package")
    marker = row.optional_text("marker")
    wheels = tuple(
        parse_wheel(file, name, file.optional_text("name")) for file in row.tables("wheels")
    )
    archive = row.optional_table("archive")
    location = archive.optional_text("path") or archive.optional_text("url") or ""
    direct = basename(location).endswith(".whl")
    if direct:
        wheels = (parse_wheel(archive, name, None),)
    version = row.optional_text("version")
    if version is not None:
        for wheel in wheels:
            check_version(row, version, wheel)
    return ForeignPackage(
        where=row.where,
        name=name,
        version=version
        or (str(parse_wheel_filename(wheels[0].filename).version) if wheels else ""),
        marker=None if marker is None else row.checked("marker", marker, parse_marker, "a marker"),
        requires_python=row.optional_text("requires-python"),
        index=row.optional_text("index"),
        wheels=wheels,
        direct=direct,
        source=None if direct else _source(row),
        requires=tuple(
            entry.checked("name", entry.text("name"), package_name, "the name of a package")
            for entry in row.tables("dependencies")
        ),
    )


def _source(row: Table) -> str | None:
    if row.has("sdist") or row.has("archive"):
        return "a source distribution"
    return next((words for key, words in _SOURCES.items() if row.has(key)), None)


def adopt(foreign: ForeignLock, target: Target) -> Lock:
    """Take of a foreign lock what is for ``target`` (PEP 751, Installation, steps 3 to 6).

    Raises LockUnfit where it, or a package in it, is not for the target; LockUnreadable
    where it says something that a lock of ours cannot.
    """
    unfit = [*_unmet(foreign, target)]
    if unfit:
        raise LockUnfit(foreign.path, tuple(unfit))
    packages: dict[PackageName, LockedPackage] = {}
    for package in foreign.packages:
        groups = _groups_of(package, foreign, target)
        if not groups:
            continue
        if package.name in packages:
            raise LockUnreadable(
                foreign.path, package.where, f"{package.name} is chosen by two entries at once"
            )
        wheel = _best(package.wheels, target)
        unfit += _unusable(package, wheel, target)
        if wheel is not None:
            packages[package.name] = _adopted(package, wheel, groups)
    if unfit:
        raise LockUnfit(foreign.path, tuple(unfit))
    chosen = tuple(packages[name] for name in sorted(packages))
    filenames = [package.wheel.filename for package in chosen]
    urls = sorted({package.index_url for package in chosen if package.index_url})
    return Lock(
        created_by=foreign.created_by,
        resolution_digest="",
        groups=tuple(sorted(foreign.groups)),
        indexes=tuple((IndexName(url), url) for url in urls),
        conditions=find_conditions(filenames, (), target),
        packages=chosen,
    )


def _unmet(foreign: ForeignLock, target: Target) -> Iterator[str]:
    if not target.accepts_python(foreign.requires_python):
        version = target.interpreter.version_text
        yield f"needs Python {foreign.requires_python}, this is {version}"
    environments = foreign.environments
    if environments and not any(_holds(marker, target, frozenset()) for marker in environments):
        yield f"is for {' or '.join(f'`{marker}`' for marker in environments)}"


def _holds(marker: Marker, target: Target, groups: frozenset[str]) -> bool:
    """Evaluate a marker with PEP 751's additions; every variable is the target's."""
    environment: dict[str, str | frozenset[str]] = {
        **target.markers,
        "extras": frozenset(),
        "dependency_groups": groups,
    }
    return marker.evaluate(environment, context="lock_file")


def _groups_of(
    package: ForeignPackage, foreign: ForeignLock, target: Target
) -> frozenset[GroupName | None]:
    """Tell which groups bring a package in; ``{None}`` where it needs none but the default ones."""
    if package.marker is None:
        return frozenset({None})
    always = _holds(package.marker, target, foreign.default_groups)
    bringing = frozenset(
        group
        for group in foreign.groups
        if _holds(package.marker, target, foreign.default_groups | {group})
    )
    if always and len(bringing) < len(foreign.groups):
        raise LockUnreadable(
            foreign.path,
            f"{package.where}.marker",
            f"{package.name} is left out where a group is chosen, which envmgr cannot do",
        )
    return frozenset({None}) if always else bringing


def _unusable(package: ForeignPackage, wheel: LockedWheel | None, target: Target) -> Iterator[str]:
    if not target.accepts_python(package.requires_python):
        version = target.interpreter.version_text
        yield f"{package.name} needs Python {package.requires_python}, this is {version}"
    if not package.wheels:
        yield f"{package.name} is {package.source or 'nothing'}, and envmgr installs wheels"
    elif wheel is None:
        besides = f", only {package.source}" if package.source else ""
        yield f"{package.name} {package.version} has no wheel for here{besides}"


def _best(wheels: Iterable[LockedWheel], target: Target) -> LockedWheel | None:
    """Return the wheel with the best tag, of equal ones that with the highest build number."""
    ranked = []
    for wheel in wheels:
        name = parse_wheel_filename(wheel.filename)
        ranks = [target.tag_ranks[tag] for tag in name.tags if tag in target.tag_ranks]
        if ranks and name.label is None:
            ranked.append((-min(ranks), name.build or (-1, ""), wheel.filename, wheel))
    return max(ranked, default=(None,), key=lambda row: row[:3])[-1]


def _adopted(
    package: ForeignPackage, wheel: LockedWheel, groups: frozenset[GroupName | None]
) -> LockedPackage:
    """Make an entry of ours; an index is called by its URL, or by the host of its files."""
    url = None if package.index is None else without_credentials(package.index)
    host = urlsplit(wheel.location).hostname or "local files"
    return LockedPackage(
        name=package.name,
        version=package.version,
        wheel=wheel,
        index=None if package.direct else IndexName(url or host),
        index_url=url,
        index_reason="direct" if package.direct else "locked by another tool",
        extras=(),
        groups=groups,
        requires=package.requires,
        requires_python=package.requires_python,
    )
