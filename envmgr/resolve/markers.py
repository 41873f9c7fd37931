"""Which markers an answer depended on."""

import re
from collections.abc import Iterable, Iterator, Mapping, Set

from packaging.markers import Marker

from envmgr.names import ExtraName, PackageName
from envmgr.resolve.facts import Facts
from envmgr.resolve.types import MarkerOutcome
from envmgr.target.types import MARKER_VARIABLES, Target
from envmgr.wheel.requirement import Named, parse_requirement

_ENVIRONMENT = re.compile(rf"(?<![\w.-])({'|'.join(MARKER_VARIABLES)})(?![\w.-])")
_EXTRA = re.compile(r"(?<![\w.-])extra(?![\w.-])")


def outcomes(
    facts: Facts,
    selection: Mapping[PackageName, int],
    extras: Mapping[PackageName, Iterable[ExtraName]],
) -> tuple[MarkerOutcome, ...]:
    """Return each marker that was asked of the target, once, sorted.

    Those of the file are asked without extras; those of a chosen package once
    without, and once per active extra where they mention ``extra``.
    """
    target = facts.problem.target
    found: set[MarkerOutcome] = set()
    removing: set[PackageName] = {
        name for root in facts.problem.roots if (name := root.requirement.name) in facts.removed
    }
    for name, active in extras.items():
        lines = facts.lines(name, selection[name])
        for extra in (None, *sorted(active)):
            for line in lines.for_extra(extra):
                if ";" not in line and not facts.removed:
                    continue
                requirement = parse_requirement(line)
                if requirement.name in facts.removed:
                    removing.add(requirement.name)
                if requirement.marker is not None:
                    found.update(_outcomes_of(requirement.marker, (extra,), target))
    for said in _markers_of_the_file(facts, extras.keys() | removing):
        found.update(_outcomes_of(said, (None,), target))
    return tuple(sorted(found))


def _markers_of_the_file(facts: Facts, asked: Set[PackageName]) -> Iterator[Marker]:
    """Yield the markers of roots, and of restrictions on the names that something asks for."""
    problem = facts.problem
    for root in problem.roots:
        if root.requirement.marker is not None:
            yield root.requirement.marker
    restrictions: tuple[Named, ...] = (*problem.constraints, *problem.overrides)
    for requirement in restrictions:
        if requirement.marker is not None and requirement.name in asked:
            yield requirement.marker


def _outcomes_of(
    marker: Marker, extras: Iterable[ExtraName | None], target: Target
) -> Iterator[MarkerOutcome]:
    text = str(marker)
    if not _ENVIRONMENT.search(text):
        return
    asks_extra = _EXTRA.search(text) is not None
    for extra in extras:
        active = (extra,) if extra is not None and asks_extra else ()
        yield MarkerOutcome(text, active, target.satisfies(marker, frozenset(active)))
