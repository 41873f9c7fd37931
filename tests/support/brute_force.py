"""What a right answer is, by definition and by exhaustion; slow, short, and sharing no code
with the resolver. Requirements are parsed in full, versions are compared by packaging."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from envmgr.index.types import Candidate, DirectCandidate, UnusableMetadata, WheelCandidate
from envmgr.names import package_name
from envmgr.resolve.types import Problem, Root
from envmgr.runtime.wheels import RuntimeFamily
from envmgr.wheel.requirement import Direct
from tests.support.universe import Universe

Place = tuple[str, str]
"""A name with an extra, or with ``""`` for itself."""


@dataclass(frozen=True)
class Wanted:
    name: str
    extras: frozenset[str]
    specifier: SpecifierSet
    url: str | None
    by: str | None


@dataclass
class Exhaustion:
    """All there is of one problem. ``steps`` counts what was tried."""

    problem: Problem
    universe: Universe
    steps: int = 0
    _wants: dict[tuple[str, str, str], list[Wanted] | None] = field(default_factory=dict)

    def roots(self) -> list[Root]:
        return [
            root
            for root in self.problem.roots
            if self._holds(root.requirement.marker)
            and (root.runtime or not self.is_removed(root.requirement.name))
        ]

    def is_removed(self, name: str) -> bool:
        """Whether the file overrides a name, and nowhere for this target."""
        markers = [one.marker for one in self.problem.overrides if one.name == name]
        return bool(markers) and not any(map(self._holds, markers))

    def options(self, name: str) -> list[Candidate]:
        """Every candidate that may be chosen if something pins the yanked ones."""
        direct = [r.requirement for r in self.roots() if isinstance(r.requirement, Direct)]
        mine = [requirement for requirement in direct if requirement.name == name]
        if mine:
            return list(dict.fromkeys(self.universe.direct(one) for one in mine))
        offered = [
            one.candidate
            for key, releases in self.universe.releases.items()
            if key == name and key not in self.universe.reserved
            for one in releases
            if isinstance(one.candidate, WheelCandidate)
        ]
        finals = [c for c in offered if not c.version.is_prerelease and c.yanked is None]
        if name in self.problem.prereleases or not finals:
            return [*offered]
        if any(specifier.prereleases for specifier in self.said(name)):
            return [*offered]
        return [c for c in offered if not c.version.is_prerelease]

    def said(self, name: str) -> list[SpecifierSet]:
        overrides = self._restrictions(name, overrides=True)
        roots = [
            r.requirement.specifier
            for r in self.roots()
            if not isinstance(r.requirement, Direct) and r.requirement.name == name
        ]
        constraints = self._restrictions(name, overrides=False)
        return constraints + (overrides or roots)

    def wants(self, candidate: Candidate, extra: str) -> list[Wanted] | None:
        """What a candidate asks for with one extra active; ``None``: it cannot be chosen."""
        key = (candidate.name, candidate.url, extra)
        if key not in self._wants:
            self._wants[key] = self._read(candidate, extra)
        return self._wants[key]

    def wanted_by_roots(self, roots: Iterable[Root]) -> list[Wanted]:
        return [
            self._effective(
                Wanted(
                    requirement.name,
                    frozenset(requirement.extras or ()),
                    SpecifierSet() if isinstance(requirement, Direct) else requirement.specifier,
                    requirement.url if isinstance(requirement, Direct) else None,
                    None,
                )
            )
            for requirement in (root.requirement for root in roots)
        ]

    def closure(
        self, roots: Iterable[Root], chosen: Mapping[str, Candidate]
    ) -> tuple[list[Wanted], str | None] | None:
        """All that is wanted, and the first name not chosen yet; ``None``: it cannot be had."""
        wanted = self.wanted_by_roots(roots)
        places: set[Place] = set()
        for want in wanted:
            candidate = chosen.get(want.name)
            if candidate is None:
                return wanted, want.name
            if not self.admits(want, candidate):
                return None
            for extra in ("", *sorted(want.extras)):
                if (want.name, extra) not in places:
                    places.add((want.name, extra))
                    more = self.wants(candidate, extra)
                    if more is None:
                        return None
                    wanted.extend(more)
        return wanted, None

    def is_answer(self, roots: Iterable[Root], chosen: Mapping[str, Candidate]) -> bool:
        """Whether ``chosen`` is what the roots need, no more and no less."""
        closed = self.closure(roots, chosen)
        if closed is None or closed[1] is not None:
            return False
        wanted = closed[0]
        if {want.name for want in wanted} != set(chosen):
            return False
        return all(
            candidate in self.options(name)
            and self.is_constrained_well(candidate)
            and self._may_be_yanked(candidate, wanted)
            for name, candidate in chosen.items()
        ) and self.has_one_of_each_family(chosen)

    def has_one_of_each_family(self, chosen: Mapping[str, Candidate]) -> bool:
        """Whether one implementation of each exclusive family can be all that is asked of it."""
        exclusive = (family for family in self.problem.families if family.exclusive)
        return all(
            not (asked := list(self.asked_of(family, chosen))) or frozenset.intersection(*asked)
            for family in exclusive
        )

    @staticmethod
    def asked_of(
        family: RuntimeFamily, chosen: Mapping[str, Candidate]
    ) -> Iterator[frozenset[str]]:
        """The implementations that each one of the chosen, and the file, leaves of a family."""
        if family.chosen is not None:
            yield frozenset({family.chosen})
        for name, candidate in chosen.items():
            if name in family.wheels:
                yield frozenset({family.wheels[package_name(name)]})
            elif name in family.works_with:
                for bound in family.works_with[package_name(name)]:
                    if bound.versions.contains(candidate.version, prereleases=True):
                        yield bound.implementations

    def answers(self, roots: Iterable[Root]) -> Iterator[dict[str, Candidate]]:
        """Every answer, by trying every candidate of every name that comes to be needed."""
        roots = list(roots)
        waiting: list[dict[str, Candidate]] = [{}]
        while waiting:
            chosen = waiting.pop()
            self.steps += 1
            closed = self.closure(roots, chosen)
            if closed is None:
                continue
            name = closed[1]
            if name is None:
                if self.is_answer(roots, chosen):
                    yield chosen
            else:
                waiting.extend({**chosen, name: option} for option in self.options(name))

    def has_answer(self, roots: Iterable[Root]) -> bool:
        return next(self.answers(roots), None) is not None

    def _read(self, candidate: Candidate, extra: str) -> list[Wanted] | None:
        metadata = self.universe.metadata(candidate)
        if isinstance(metadata, UnusableMetadata):
            return None
        python = self.problem.target.markers["python_full_version"]
        if not SpecifierSet(metadata.requires_python or "").contains(python, prereleases=True):
            return None
        wants: list[Wanted] = []
        for line in metadata.requires_dist:
            try:
                parsed = Requirement(line)
            except InvalidRequirement:
                if "extra" in line:
                    continue
                return None
            environment = {**self.problem.target.markers, "extra": extra}
            if self.is_removed(canonicalize_name(parsed.name)):
                continue
            if parsed.marker is None or parsed.marker.evaluate(environment):
                want = self._effective(
                    Wanted(
                        canonicalize_name(parsed.name),
                        frozenset(canonicalize_name(one) for one in parsed.extras),
                        parsed.specifier,
                        parsed.url,
                        candidate.name,
                    )
                )
                if want.url is not None and not self._is_a_root_url(want):
                    return None
                wants.append(want)
        return wants

    def _effective(self, want: Wanted) -> Wanted:
        overrides = self._restrictions(want.name, overrides=True)
        if not overrides:
            return want
        specifier = SpecifierSet()
        for one in overrides:
            specifier &= one
        url = want.url if want.by is None else None
        return Wanted(want.name, want.extras, specifier, url, want.by)

    def _is_a_root_url(self, want: Wanted) -> bool:
        return any(
            isinstance(root.requirement, Direct)
            and root.requirement.url == want.url
            and root.requirement.name == want.name
            for root in self.roots()
        )

    def admits(self, want: Wanted, candidate: Candidate) -> bool:
        if self.is_removed(want.name):
            return False
        if want.url is not None and candidate.url != want.url:
            return False
        return want.specifier.contains(candidate.version, prereleases=True)

    def is_constrained_well(self, candidate: Candidate) -> bool:
        return all(
            one.contains(candidate.version, prereleases=True)
            for one in self._restrictions(candidate.name, overrides=False)
        )

    def _may_be_yanked(self, candidate: Candidate, wanted: Iterable[Wanted]) -> bool:
        if isinstance(candidate, DirectCandidate) or candidate.yanked is None:
            return True
        if self.problem.locked_files.get(candidate.name) == candidate.filename:
            return True
        pinning = self.said(candidate.name) + [
            want.specifier
            for want in wanted
            if want.name == candidate.name and want.by != candidate.name
        ]
        return any(_pins(specifier, candidate.version) for specifier in pinning)

    def _restrictions(self, name: str, *, overrides: bool) -> list[SpecifierSet]:
        source = self.problem.overrides if overrides else self.problem.constraints
        return [one.specifier for one in source if one.name == name and self._holds(one.marker)]

    def _holds(self, marker: object) -> bool:
        if marker is None:
            return True
        return Requirement(f"x ; {marker}").marker.evaluate(  # type: ignore[union-attr]
            {**self.problem.target.markers, "extra": ""}
        )


def _pins(specifier: SpecifierSet, version: Version) -> bool:
    exact = any(
        one.operator in {"==", "==="} and not one.version.endswith("*") for one in specifier
    )
    return exact and specifier.contains(version, prereleases=True)
