"""A minimal refutation arranged for telling: what leads from the roots to where it ends."""

from collections.abc import Iterable

from msgspec import Struct, field
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envmgr.names import ExtraName, PackageName
from envmgr.resolve.facts import Demand, Facts
from envmgr.resolve.minimise import roots_of
from envmgr.resolve.origins import ConstraintOrigin, NeedOrigin, Refutation, need_origin
from envmgr.resolve.package import PrereleaseNotAllowed, Withheld
from envmgr.wheel.requirement import Named


class Link(Struct, frozen=True):
    """What options of a name (with an extra) need of another, by wording."""

    parent: PackageName
    extra: ExtraName | None
    child: PackageName
    saying: dict[str, int] = field(default_factory=dict)
    """Wording to the mask of the options of ``parent`` that say so."""
    demands: dict[str, Demand] = field(default_factory=dict)


class Derivation:
    """Links breadth first from the roots, and what they leave of each name."""

    def __init__(self, facts: Facts, refutation: Refutation) -> None:
        self.facts = facts
        self.origins = frozenset(refutation.origins)
        positions = roots_of(refutation.origins)
        self.roots = [root for root in facts.roots if root.position in positions]
        self.links = self._find_links()
        self.names = self._find_names()

    def asked(self, name: PackageName) -> list[list[Demand]]:
        """Return what is asked of a name: a list of alternatives for each who asks."""
        by_roots = [[root.demand] for root in self.roots if root.demand.name == name]
        by_others = [list(link.demands.values()) for link in self.links if link.child == name]
        return by_roots + by_others

    def possible(self, name: PackageName) -> int:
        """Return the options that the roots and constraints taking part leave of a name."""
        mask = self.facts.package(name).full
        if self.is_constrained(name):
            mask &= self.facts.allowed(name)
        for root in self.roots:
            if root.demand.name == name:
                mask &= root.demand.mask
        return mask

    def fitting(self, name: PackageName) -> int:
        """Return the options that satisfy one alternative of everybody who asks."""
        mask = self.possible(name)
        for alternatives in self.asked(name):
            mask &= union(alternatives)
        return mask

    def is_constrained(self, name: PackageName) -> bool:
        """Whether the constraints on a name take part."""
        return ConstraintOrigin(name) in self.origins

    def finds_nothing(self, name: PackageName) -> bool:
        """Whether one request alone leaves nothing of a name."""
        nothing_asked = any(union(alternatives) == 0 for alternatives in self.asked(name))
        return nothing_asked or (self.is_constrained(name) and self.facts.allowed(name) == 0)

    def would_do(self, name: PackageName) -> list[Withheld]:
        """Return withheld versions worth quoting.

        Those are the ones that would fit where nothing else does, and elsewhere those newer
        than all there is.
        """
        package = self.facts.package(name)
        fitting = [one for one in package.withheld if self._would_fit(name, one.version)]
        if not fitting or self.fitting(name) == 0:
            return fitting
        newest = max(option.version for option in package.options)
        return [
            one
            for one in fitting
            if one.version > newest and not isinstance(one.reason, PrereleaseNotAllowed)
        ]

    def _would_fit(self, name: PackageName, version: Version) -> bool:
        constraint = self.facts.constraints.get(name, SpecifierSet())
        return constraint.contains(version, prereleases=True) and all(
            any(_admits(demand, version) for demand in alternatives)
            for alternatives in self.asked(name)
        )

    def _find_links(self) -> list[Link]:
        needs = [origin for origin in self.origins if isinstance(origin, NeedOrigin)]
        links: list[Link] = []
        waiting = list(dict.fromkeys(root.demand.name for root in self.roots))
        for name in waiting:
            mine = {(need.extra or "", need.child) for need in needs if need.parent == name}
            for extra, child in sorted(mine):
                links.append(self._link(name, ExtraName(extra) if extra else None, child))
                if child not in waiting:
                    waiting.append(child)
        return links

    def _link(self, parent: PackageName, extra: ExtraName | None, child: PackageName) -> Link:
        link = Link(parent, extra, child)
        for option in range(self.facts.package(parent).count):
            node = (parent, option, extra)
            demands = self.facts.demands(node) if self.facts.is_known(node) else ()
            for demand in demands if isinstance(demands, tuple) else ():
                origin = need_origin(parent, extra, demand)
                if demand.name == child and origin in self.origins:
                    said = link.saying.get(origin.wording, 0)
                    link.saying[origin.wording] = said | 1 << option
                    link.demands[origin.wording] = demand
        return link

    def _find_names(self) -> tuple[PackageName, ...]:
        """Return the names that matter, nearest to the roots first."""
        names = [root.demand.name for root in self.roots]
        for link in self.links:
            names += [link.parent, link.child]
        return tuple(dict.fromkeys(names))


def union(demands: Iterable[Demand]) -> int:
    """Return the options that one demand or another admits."""
    mask = 0
    for demand in demands:
        mask |= demand.mask
    return mask


def _admits(demand: Demand, version: Version) -> bool:
    requirement = demand.requirement
    return isinstance(requirement, Named) and requirement.specifier.contains(
        version, prereleases=True
    )
