"""Checks a resolution against the words of the problem, trusting no solver.

It shares no masks, no memo and no reasoning with them: every requirement is read
from the chosen candidates' own metadata and held against their versions.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from packaging.specifiers import SpecifierSet

from envmgr.index.types import DirectCandidate, OfferSource, UnusableMetadata, WheelCandidate
from envmgr.names import ExtraName, GroupName, InvalidName, PackageName
from envmgr.resolve.lines import sort_lines
from envmgr.resolve.types import Problem, Resolution
from envmgr.runtime.wheels import RuntimeFamily
from envmgr.wheel.requirement import Direct, Named, RequirementSyntaxError, parse_requirement


class _Asked(Struct, frozen=True):
    """A requirement in force, and who asks: ``None`` is the file."""

    requirement: Named | Direct
    by: PackageName | None
    group: GroupName | None = None

    def __str__(self) -> str:
        return f"{self.by or 'the file'} needs {self.requirement}"


def verify(problem: Problem, source: OfferSource, resolution: Resolution) -> tuple[str, ...]:
    """Return what a resolution violates, in words; empty where it is right.

    Checked are: every requirement of the roots and of each chosen package with its
    active extras, overrides, constraints, yanked versions, pre-releases, Python,
    that each candidate was offered, and that nothing is chosen that nothing needs.
    """
    asked = list(_asked_by_roots(problem))
    broken: list[str] = []
    for name in resolution.chosen:
        try:
            asked.extend(_asked_by(name, problem, source, resolution))
        except (RequirementSyntaxError, InvalidName, _Unusable) as error:
            broken.append(f"{name}: {error}")
    for ask in asked:
        broken.extend(_unsatisfied(ask, problem, source, resolution))
    for name in resolution.chosen:
        broken.extend(_ineligible(name, asked, problem, source, resolution))
    broken.extend(_superfluous(asked, resolution))
    for family in problem.families:
        broken.extend(_mixed(family, resolution))
    return tuple(broken)


class _Unusable(Exception):
    """A chosen candidate that may not be chosen whatever asks for it."""


def _asked_by_roots(problem: Problem) -> Iterator[_Asked]:
    for root in problem.roots:
        counts = problem.target.satisfies(root.requirement.marker)
        if counts and (root.runtime or not _is_removed(root.requirement.name, problem)):
            yield _Asked(root.requirement, None, root.group)


def _asked_by(
    name: PackageName, problem: Problem, source: OfferSource, resolution: Resolution
) -> Iterator[_Asked]:
    chosen = resolution.chosen[name]
    metadata = source.metadata(chosen.candidate)
    if isinstance(metadata, UnusableMetadata):
        raise _Unusable(metadata.reason)
    if not problem.target.accepts_python(metadata.requires_python):
        raise _Unusable(f"requires Python {metadata.requires_python}")
    lines = sort_lines(metadata.requires_dist)
    for extra in (None, *sorted(chosen.extras)):
        active = frozenset[str]() if extra is None else frozenset[str]({extra})
        for line in lines.for_extra(extra):
            requirement = parse_requirement(line)
            counts = problem.target.satisfies(requirement.marker, active)
            if counts and not _is_removed(requirement.name, problem):
                yield _Asked(requirement, name)


def _unsatisfied(
    ask: _Asked, problem: Problem, source: OfferSource, resolution: Resolution
) -> Iterator[str]:
    requirement = ask.requirement
    chosen = resolution.chosen.get(requirement.name)
    if chosen is None:
        yield f"{ask}, which is missing"
        return
    if not chosen.extras.issuperset(requirement.extras or ()):
        yield f"{ask}, and not all of these extras are active"
    overrides = _in_force(problem.overrides, requirement.name, problem)
    if isinstance(requirement, Direct) and (ask.by is None or not overrides):
        if requirement.url not in _urls(requirement.name, problem):
            yield f"{ask}, a URL that the file does not name"
        elif source.direct(requirement) != chosen.candidate:
            yield f"{ask}, and {chosen.candidate} is chosen"
    specifiers = overrides
    if not overrides and isinstance(requirement, Named):
        specifiers = [requirement.specifier]
    for specifier in specifiers:
        if not specifier.contains(chosen.candidate.version, prereleases=True):
            yield f"{ask}, in force as {specifier}, and {chosen.candidate} is chosen"


def _is_removed(name: PackageName, problem: Problem) -> bool:
    """Tell whether overrides take all requirements on a name away: none of them counts here."""
    overrides = [override for override in problem.overrides if override.name == name]
    return bool(overrides) and not any(
        problem.target.satisfies(override.marker) for override in overrides
    )


def _urls(name: PackageName, problem: Problem) -> set[str]:
    """Return the URLs that the file itself gives for a name."""
    return {
        root.requirement.url
        for root in problem.roots
        if isinstance(root.requirement, Direct)
        and root.requirement.name == name
        and problem.target.satisfies(root.requirement.marker)
    }


def _ineligible(
    name: PackageName,
    asked: list[_Asked],
    problem: Problem,
    source: OfferSource,
    resolution: Resolution,
) -> Iterator[str]:
    candidate = resolution.chosen[name].candidate
    if candidate.name != name:
        yield f"{candidate} is chosen under the name {name}"
    for specifier in _in_force(problem.constraints, name, problem):
        if not specifier.contains(candidate.version, prereleases=True):
            yield f"{candidate} is chosen against the constraint {specifier}"
    if isinstance(candidate, DirectCandidate):
        return
    if candidate not in source.offer(name).candidates:
        yield f"{candidate} was never offered"
    if candidate.version.is_prerelease and not _may_be_prerelease(name, problem, source):
        yield f"{candidate} is a pre-release that nothing allows"
    if candidate.yanked is not None and not _is_pinned(candidate, asked, problem):
        yield f"{candidate} is yanked and nothing pins it"


def _may_be_prerelease(name: PackageName, problem: Problem, source: OfferSource) -> bool:
    said = _said(name, problem)
    return (
        name in problem.prereleases
        or any(specifier.prereleases for specifier in said)
        or all(
            candidate.version.is_prerelease or candidate.yanked is not None
            for candidate in source.offer(name).candidates
        )
    )


def _said(name: PackageName, problem: Problem) -> list[SpecifierSet]:
    """Return what the file itself says of a name's versions."""
    restrictions = [
        *_in_force(problem.constraints, name, problem),
        *(overrides := _in_force(problem.overrides, name, problem)),
    ]
    named = [root.requirement for root in problem.roots if isinstance(root.requirement, Named)]
    return restrictions + ([] if overrides else _in_force(named, name, problem))


def _is_pinned(candidate: WheelCandidate, asked: list[_Asked], problem: Problem) -> bool:
    if problem.locked_files.get(candidate.name) == candidate.filename:
        return True
    pinning = _said(candidate.name, problem)
    if not _in_force(problem.overrides, candidate.name, problem):
        pinning += [
            ask.requirement.specifier
            for ask in asked
            if isinstance(ask.requirement, Named)
            and ask.requirement.name == candidate.name
            and ask.by != candidate.name
        ]
    return any(
        clause.operator in ("==", "===")
        and not clause.version.endswith(".*")
        and specifier.contains(candidate.version, prereleases=True)
        for specifier in pinning
        for clause in specifier
    )


def _superfluous(asked: list[_Asked], resolution: Resolution) -> Iterator[str]:
    """Name what the file does not lead to, and extras that nothing asks for."""
    asked_by: dict[PackageName | None, list[PackageName]] = {}
    extras: dict[PackageName, set[ExtraName]] = {}
    for ask in asked:
        asked_by.setdefault(ask.by, []).append(ask.requirement.name)
        extras.setdefault(ask.requirement.name, set()).update(ask.requirement.extras or ())
    needed: set[PackageName | None] = {None}
    waiting: list[PackageName | None] = [None]
    while waiting:
        for name in asked_by.get(waiting.pop(), ()):
            if name not in needed:
                needed.add(name)
                waiting.append(name)
    for name, chosen in resolution.chosen.items():
        if name not in needed:
            yield f"{name} is chosen and nothing needs it"
        elif chosen.extras - extras[name]:
            yield f"extras of {name} are active that nothing asks for"


def _mixed(family: RuntimeFamily, resolution: Resolution) -> Iterator[str]:
    """Say where a family has two implementations, or is told to have one that it has not."""
    there = sorted({each for name, each in family.wheels.items() if name in resolution.chosen})
    asked = [{each} for each in (family.chosen, *there) if each is not None]
    asked += [
        {*bound.implementations}
        for name, bounds in family.works_with.items()
        if name in resolution.chosen and name not in family.wheels
        for bound in bounds
        if resolution.chosen[name].candidate.version in SpecifierSet(f"{bound.versions}", True)
    ]
    if family.exclusive and asked and not set.intersection(*asked):
        yield f"one {family.name} cannot be all that is asked of it: {asked}"
    serving = family.chosen or (there[0] if family.exclusive and there else None)
    if resolution.families.get(family.name) != serving:
        yield f"{family.name} is said to be {resolution.families.get(family.name)}"


def _in_force(
    requirements: Sequence[Named], name: PackageName, problem: Problem
) -> list[SpecifierSet]:
    return [
        requirement.specifier
        for requirement in requirements
        if requirement.name == name and problem.target.satisfies(requirement.marker)
    ]
