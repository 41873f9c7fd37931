"""What a layout is told of each package: how it is linked, and where a direct one came from."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Set

from envmgr.lock.types import Lock, LockedPackage
from envmgr.names import PackageName
from envmgr.spec.recipes import read_known_links
from envmgr.spec.views import LinkWay


def link_ways(
    written: Mapping[PackageName, LinkWay], packages: Iterable[LockedPackage]
) -> Callable[[PackageName, str], LinkWay]:
    """Return what tells of a name and version among ``packages`` how it is linked.

    Raises FileUnreadable and RecipeInvalid where what is known cannot be read.
    """
    known = read_known_links()
    names = {package.name for package in packages}

    def way_of(name: PackageName, version: str) -> LinkWay:
        if name in written:
            return written[name]
        ways = (each.way for each in known if each.holds_for(name, version, names))
        return next(ways, LinkWay.FOLD)

    return way_of


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
