"""The dependency graph of a selection: what the roots reach, and who needs it.

Resolvelib's own graph is not used: its edges may stem from versions that were
taken back, and building it can recurse without end.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from envmgr.names import ExtraName, GroupName, PackageName
from envmgr.resolve.facts import Demands, Facts, RootDemand
from envmgr.resolve.markers import outcomes
from envmgr.resolve.types import Chosen, Edge, Resolution
from envmgr.wheel.requirement import Family

Selection: TypeAlias = Mapping[PackageName, int]
"""Name to the position of its chosen option; may hold names that nothing needs."""

Place: TypeAlias = tuple[PackageName, ExtraName | None]
"""A chosen package, itself or with one of its extras."""


def reached(
    facts: Facts,
    selection: Selection,
    roots: Iterable[RootDemand],
    waived: frozenset[PackageName] = frozenset(),
) -> frozenset[Place] | None:
    """Return every place the roots need, or ``None`` where the selection does not satisfy one."""
    places: set[Place] = set()
    waiting: deque[Demands] = deque([tuple(root.demand for root in roots)])
    while waiting:
        for demand in waiting.popleft():
            if demand.name in waived:
                continue
            option = selection.get(demand.name)
            if option is None or not demand.mask >> option & 1:
                return None
            for extra in (None, *demand.extras):
                if (demand.name, extra) in places:
                    continue
                places.add((demand.name, extra))
                demands = facts.demands((demand.name, option, extra))
                if not isinstance(demands, tuple):
                    return None
                waiting.append(demands)
    return frozenset(places)


def first_unpinned(
    facts: Facts, selection: Selection, places: frozenset[Place]
) -> PackageName | None:
    """Return the first reached name whose yanked option nothing reached pins (PEP 592)."""
    for name in sorted({name for name, _ in places}):
        option = selection[name]
        if facts.package(name).needs_pin >> option & 1 and not any(
            selection.get(pin.name) == pin.option and (pin.name, pin.extra) in places
            for pin in facts.pins.get((name, option), ())
        ):
            return name
    return None


def is_valid(facts: Facts, selection: Selection) -> bool:
    """Whether a selection satisfies the whole problem, as far as the solvers' own terms go."""
    places = reached(facts, selection, facts.roots)
    return (
        places is not None
        and all(facts.allowed(name) >> selection[name] & 1 for name, _ in places)
        and first_unpinned(facts, selection, places) is None
    )


def assemble(facts: Facts, selection: Selection) -> Resolution:
    """Make the resolution of a valid selection, dropping what nothing needs, and families."""
    users = {
        place: groups
        for place, groups in _users(facts, selection).items()
        if place[0] not in facts.families.packages
    }
    extras: dict[PackageName, set[ExtraName]] = {name: set() for name, _ in users}
    for name, extra in users:
        if extra is not None:
            extras[name].add(extra)
    chosen = {
        name: Chosen(
            candidate=facts.package(name).options[selection[name]],
            extras=frozenset(extras[name]),
            groups=frozenset(
                group for place, groups in users.items() if place[0] == name for group in groups
            ),
            requires=_edges(facts, selection, name, extras[name]),
        )
        for name in sorted(extras)
    }
    markers = outcomes(facts, selection, extras)
    return Resolution(chosen, markers, facts.families.served(chosen.keys()))


def _users(facts: Facts, selection: Selection) -> dict[Place, frozenset[GroupName | None]]:
    """Return every place with the groups that reach it; ``None`` is ``dependencies``."""
    users: dict[Place, set[GroupName | None]] = {}
    for group in dict.fromkeys(root.root.group for root in facts.roots):
        roots = [root for root in facts.roots if root.root.group == group]
        for place in reached(facts, selection, roots) or ():
            users.setdefault(place, set()).add(group)
    return {place: frozenset(groups) for place, groups in users.items()}


def _edges(
    facts: Facts, selection: Selection, name: PackageName, extras: Iterable[ExtraName]
) -> tuple[Edge, ...]:
    edges: dict[Edge, None] = {}
    for extra in (None, *sorted(extras)):
        demands = facts.demands((name, selection[name], extra))
        for demand in demands if isinstance(demands, tuple) else ():
            if not isinstance(demand.requirement, Family):
                edges[Edge(name, demand.name, demand.requirement, extra)] = None
    return tuple(sorted(edges, key=lambda edge: (edge.child, edge.extra or "")))
