"""What a layout is told of each package: how it is linked, and where a direct one came from."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Set

from envmgr.link.entries import read_laid_entries
from envmgr.link.inputs import LaidEntry
from envmgr.lock.types import Lock, LockedPackage
from envmgr.names import GroupName, PackageName
from envmgr.spec.recipes import KnownLink, read_known_links
from envmgr.spec.types import EnvironmentSpec
from envmgr.spec.views import LinkWay
from envmgr.store.entry import Entry


def lay_entries(
    spec: EnvironmentSpec,
    groups: Iterable[GroupName],
    packages: Collection[LockedPackage],
    entries: Iterable[Entry],
) -> tuple[LaidEntry, ...]:
    """Read what the view of a file has to be made of, in the order of ``entries``.

    Raises EntryDamaged, FileUnreadable, RecipeInvalid.
    """
    grouped = (each.name for group in groups for each in spec.groups[group])
    ways = LinkWays(spec.link, packages)
    return read_laid_entries(
        entries,
        frozenset([*(each.name for each in spec.dependencies), *grouped]),
        direct_urls(packages),
        ways.way_of,
        ways.is_composable,
    )


class LinkWays:
    """How packages are linked: as the environment file says, else as is known of them."""

    def __init__(
        self, written: Mapping[PackageName, LinkWay], packages: Iterable[LockedPackage]
    ) -> None:
        """Take what is known of ``packages``, which are all that will be asked of.

        Raises FileUnreadable and RecipeInvalid where what is known cannot be read.
        """
        self._written = written
        self._known = read_known_links()
        self._names = {package.name for package in packages}

    def way_of(self, name: PackageName, version: str) -> LinkWay:
        """Tell how a package is linked."""
        if name in self._written:
            return self._written[name]
        known = self._find(name, version)
        return LinkWay.FOLD if known is None else known.way

    def is_composable(self, name: PackageName, version: str) -> bool:
        """Tell whether a composition will do instead; nobody has asked for another way then."""
        known = None if name in self._written else self._find(name, version)
        return known is not None and known.composed

    def _find(self, name: PackageName, version: str) -> KnownLink | None:
        found = (each for each in self._known if each.holds_for(name, version, self._names))
        return next(found, None)


def left_out(lock: Lock, packages: Iterable[LockedPackage]) -> frozenset[PackageName]:
    """Name what a lock holds for groups that were not chosen."""
    chosen = {package.name for package in packages}
    return frozenset(package.name for package in lock.packages) - chosen


def stray_links(
    written: Mapping[PackageName, LinkWay],
    packages: Iterable[LockedPackage],
    elsewhere: Set[PackageName],
) -> Iterator[str]:
    """Tell of packages that ``link`` names and no group of the environment has."""
    there = {package.name for package in packages} | elsewhere
    for name in written:
        if name not in there:
            yield f"`link` has {name}, which is not in this environment"


def direct_urls(packages: Iterable[LockedPackage]) -> Mapping[PackageName, str]:
    """Return the text of ``direct_url.json`` of direct references (PEP 610)."""
    return {
        package.name: json.dumps(
            {
                "url": package.wheel.location,
                "archive_info": {"hashes": {"sha256": package.wheel.sha256}},
            }
        )
        for package in packages
        if package.index_reason == "direct"
    }
