"""What the solvers know: offers and metadata, asked for once and turned into demands.

Everything here is a pure memo over the source's answers: two solvers that share
one ``Facts`` see the same options in the same order.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from envmgr.events import Reporter, StageAdvanced
from envmgr.index.types import (
    Candidate,
    DirectCandidate,
    OfferSource,
    PythonMismatch,
    UnusableMetadata,
    WheelCandidate,
)
from envmgr.names import ExtraName, InvalidName, PackageName
from envmgr.resolve.families import Families
from envmgr.resolve.lines import SortedLines, sort_lines
from envmgr.resolve.overrides import in_force, removed
from envmgr.resolve.package import (
    AsksForUrl,
    ContradictsItself,
    Package,
    PrereleaseNotAllowed,
    Refusal,
    Withheld,
    bits,
    is_final_offer,
    pins_exactly,
)
from envmgr.resolve.types import Problem, Root
from envmgr.target.types import UndefinedMarker
from envmgr.wheel.metadata import CoreMetadata
from envmgr.wheel.requirement import (
    Direct,
    Family,
    Named,
    Requirement,
    RequirementSyntaxError,
    parse_requirement,
)


class Demand(Struct, frozen=True):
    """A requirement in force: which options of ``name`` it admits, which extras it wants.

    ``pins`` masks the yanked options it names exactly. ``requirement`` is as in
    force, an override's specifier standing in for its own.
    """

    name: PackageName
    extras: tuple[ExtraName, ...]
    mask: int
    pins: int
    requirement: Requirement


class RootDemand(Struct, frozen=True):
    """A root whose marker holds; ``position`` is its place in ``Problem.roots``."""

    position: int
    root: Root
    demand: Demand


class Pin(Struct, frozen=True):
    """An option that names a yanked option exactly, with the extra of it that does."""

    name: PackageName
    option: int
    extra: ExtraName | None


RUN_AHEAD = 24
"""How many further versions' metadata is fetched at once while one after the other is tried."""

TOLD_EVERY = 8
"""After so many versions of one name the one that is tried is told of, and then again."""

Demands: TypeAlias = tuple[Demand, ...]
Node: TypeAlias = tuple[PackageName, int, ExtraName | None]
"""One option (by its bit's position) of a name, itself or with one extra."""


class Facts:
    """Packages and demands of one problem, read lazily from its source.

    With ``keeping``, implementations of runtimes that a lock recorded count as chosen.
    """

    def __init__(
        self, problem: Problem, source: OfferSource, report: Reporter, *, keeping: bool = False
    ) -> None:
        self.problem = problem
        self.families = Families(problem.families, keeping=keeping)
        self.pins: defaultdict[tuple[PackageName, int], list[Pin]] = defaultdict(list)
        """Yanked option -> the options seen so far whose metadata pins it."""
        self._source = source
        self.report = report
        self._packages: dict[PackageName, Package] = {**self.families.packages}
        self._metadata: dict[tuple[PackageName, int], CoreMetadata | UnusableMetadata] = {}
        self._tried: dict[PackageName, int] = {}
        self._ahead: dict[PackageName, int] = {}
        self._lines: dict[tuple[PackageName, int], SortedLines] = {}
        self._demands: dict[Node, Demands | Refusal] = {
            (name, option, None): ()
            for name, family in self.families.packages.items()
            for option in range(family.count)
        }
        self._announced: set[PackageName] = set()
        self.removed = removed(problem.overrides, problem.target)
        """Names that overrides take away: no requirement on them counts, and none can be had
        for a choice under ``runtimes``."""
        self._roots_in_force = [
            (position, root)
            for position, root in enumerate(problem.roots)
            if (root.runtime is not None or root.requirement.name not in self.removed)
            and self._holds(root.requirement.marker)
        ]
        self.overrides = in_force(problem.overrides, problem.target)
        self.constraints = in_force(problem.constraints, problem.target)
        self._directs = _direct_roots(root for _, root in self._roots_in_force)
        self._direct_candidates: dict[tuple[PackageName, str], DirectCandidate] = {}
        self._said = self._said_by_the_file()
        self._announce(root.requirement.name for _, root in self._roots_in_force)
        self.roots = tuple(
            RootDemand(position, root, self._root_demand(root))
            for position, root in self._roots_in_force
        )

    def package(self, name: PackageName) -> Package:
        """Return the options of a name. Raises IndexFailure."""
        known = self._packages.get(name)
        if known is None:
            self._announced.add(name)
            known = self._direct_package(name) if name in self._directs else self._offered(name)
            self._packages[name] = known
            self.report(StageAdvanced("resolve", 1, name))
        return known

    @property
    def names(self) -> int:
        """How many names were looked at."""
        return len(self._packages)

    @property
    def read(self) -> int:
        """How many candidates' metadata was asked for."""
        return len(self._metadata)

    def is_constrained(self, name: PackageName) -> bool:
        """Whether the file restricts a name: by a constraint, or a family by its choice."""
        family = self.families.packages.get(name)
        return name in self.constraints if family is None else family.chosen is not None

    def allowed(self, name: PackageName) -> int:
        """Return the options of a name that the constraints in force, or its choice, leave."""
        family = self.families.packages.get(name)
        if family is not None:
            return family.full if family.chosen is None else family.chosen
        package = self.package(name)
        constraint = self.constraints.get(name)
        return package.full if constraint is None else package.mask(constraint)

    def is_known(self, node: Node) -> bool:
        """Whether the demands of a node were computed before, so that asking costs nothing."""
        return node in self._demands

    def demands(self, node: Node) -> Demands | Refusal:
        """Return what an option, or one extra of it, asks for here, or why it is out."""
        known = self._demands.get(node)
        if known is None:
            known = self._read_demands(node)
            self._demands[node] = known
            if isinstance(known, tuple):
                self._note_pins(node, known)
        return known

    def metadata(self, name: PackageName, option: int) -> CoreMetadata | UnusableMetadata:
        """Return the metadata of an option, asked for once. Raises IndexFailure."""
        if (name, option) not in self._metadata:
            self._run_ahead(name, option)
        return self.sample(name, option)

    def sample(self, name: PackageName, option: int) -> CoreMetadata | UnusableMetadata:
        """Return the metadata of an option that is read out of turn. Raises IndexFailure."""
        key = (name, option)
        if key not in self._metadata:
            self._metadata[key] = self._source.metadata(self.package(name).options[option])
        return self._metadata[key]

    def _run_ahead(self, name: PackageName, option: int) -> None:
        """Have more of a name's metadata fetched, the more of its options were tried.

        Backtracking walks through versions one by one; on a network each would
        cost a round trip.
        """
        tried = self._tried.get(name, 0)
        self._tried[name] = tried + 1
        options = self.package(name).options
        if tried and tried % TOLD_EVERY == 0:
            self.report(StageAdvanced("resolve", 0, f"trying {name} {options[option].version}"))
        begun = max(self._ahead.get(name, 0), option + 1)
        reach = option + 1 + min(4 * tried, RUN_AHEAD)
        if reach > begun:
            self._source.prefetch_metadata(options[begun:reach])
            self._ahead[name] = reach

    def lines(self, name: PackageName, option: int) -> SortedLines:
        """Return the requirement lines of an option; none where its metadata is unusable."""
        key = (name, option)
        if key not in self._lines:
            metadata = self.metadata(name, option)
            self._lines[key] = (
                SortedLines(())
                if isinstance(metadata, UnusableMetadata)
                else sort_lines(metadata.requires_dist)
            )
        return self._lines[key]

    def effective(self, requirement: Named | Direct) -> Named | Direct:
        """Return a package's requirement with the override of its name in place of its specifier.

        Marker and extras stay the requirement's own.
        """
        override = self.overrides.get(requirement.name)
        if override is None:
            return requirement
        return Named(requirement.name, requirement.extras, override, requirement.marker)

    def _holds(self, marker: Marker | None, extra: ExtraName | None = None) -> bool:
        active = frozenset[str]() if extra is None else frozenset[str]({extra})
        return self.problem.target.satisfies(marker, active)

    def _announce(self, names: Iterable[PackageName]) -> None:
        new = [
            name
            for name in dict.fromkeys(names)
            if name not in self._announced and name not in self._directs
        ]
        if new:
            self._announced.update(new)
            self._source.prefetch(new)

    def _said_by_the_file(self) -> Mapping[PackageName, list[SpecifierSet]]:
        said: defaultdict[PackageName, list[SpecifierSet]] = defaultdict(list)
        for _, root in self._roots_in_force:
            requirement = root.requirement
            if isinstance(requirement, Named) and requirement.name not in self.overrides:
                said[requirement.name].append(requirement.specifier)
        for specifiers in (self.constraints, self.overrides):
            for name, specifier in specifiers.items():
                said[name].append(specifier)
        return said

    def _direct_package(self, name: PackageName) -> Package:
        options: dict[Candidate, None] = {}
        for requirement in self._directs[name]:
            candidate = self._source.direct(requirement)
            self._direct_candidates[name, requirement.url] = candidate
            options[candidate] = None
        return Package(name, None, tuple(options), (), 0)

    def _offered(self, name: PackageName) -> Package:
        offer = self._source.offer(name)
        prereleases = self._may_be_prerelease(name, offer.candidates)
        options = [c for c in offer.candidates if prereleases or not c.version.is_prerelease]
        preferred = self.problem.preferred.get(name)
        if preferred is not None:
            options.sort(key=lambda candidate: candidate.version != preferred)
        withheld = [
            Withheld(c.version, PrereleaseNotAllowed())
            for c in offer.candidates
            if c.version.is_prerelease and not prereleases
        ]
        withheld += [Withheld(excluded.version, excluded.reason) for excluded in offer.excluded]
        needs_pin = sum(
            1 << position
            for position, candidate in enumerate(options)
            if candidate.yanked is not None and not self._is_pinned_by_the_file(candidate)
        )
        return Package(name, offer, tuple(options), tuple(withheld), needs_pin)

    def _may_be_prerelease(self, name: PackageName, offered: Iterable[WheelCandidate]) -> bool:
        return (
            name in self.problem.prereleases
            or any(specifier.prereleases for specifier in self._said.get(name, ()))
            or not any(is_final_offer(candidate) for candidate in offered)
        )

    def _is_pinned_by_the_file(self, candidate: WheelCandidate) -> bool:
        return self.problem.locked_files.get(candidate.name) == candidate.filename or any(
            pins_exactly(specifier, candidate.version)
            for specifier in self._said.get(candidate.name, ())
        )

    def _root_demand(self, root: Root) -> Demand:
        """Return a root's demand. A direct one keeps its wheel, which an override must admit."""
        requirement = root.requirement
        if requirement.name in self.removed:
            return replace(self._demand(requirement), mask=0)
        if isinstance(requirement, Named):
            return self._demand(self.effective(requirement))
        demand = self._demand(requirement)
        override = self.overrides.get(requirement.name)
        if override is None:
            return demand
        return replace(demand, mask=demand.mask & self.package(requirement.name).mask(override))

    def _demand(self, requirement: Named | Direct) -> Demand:
        package = self.package(requirement.name)
        extras = tuple(sorted(requirement.extras or ()))
        if isinstance(requirement, Direct):
            candidate = self._direct_candidates[requirement.name, requirement.url]
            mask = 1 << package.options.index(candidate)
            return Demand(requirement.name, extras, mask, 0, requirement)
        mask, pins = package.mask(requirement.specifier), package.pins(requirement.specifier)
        return Demand(requirement.name, extras, mask, pins, requirement)

    def _read_demands(self, node: Node) -> Demands | Refusal:
        name, option, extra = node
        metadata = self.metadata(name, option)
        if isinstance(metadata, UnusableMetadata):
            return metadata
        if not self.problem.target.accepts_python(metadata.requires_python):
            return PythonMismatch(metadata.requires_python or "")
        active = self._active(self.lines(name, option), extra)
        if isinstance(active, UnusableMetadata):
            return active
        for requirement in active:
            if isinstance(requirement, Direct) and not self._is_a_root(requirement):
                return AsksForUrl(requirement)
        self._announce(requirement.name for requirement in active)
        demands = tuple(self._demand(requirement) for requirement in active)
        if extra is None:
            version = self.package(name).options[option].version
            demands += tuple(
                Demand(asked.name, (), asked.mask, 0, asked.requirement)
                for asked in self.families.asked_by(name, version)
            )
        return self._refused_by_itself(node, demands) or demands

    def _active(
        self, lines: SortedLines, extra: ExtraName | None
    ) -> list[Named | Direct] | UnusableMetadata:
        active: list[Named | Direct] = []
        for line in lines.for_extra(extra):
            try:
                requirement = parse_requirement(line)
            except (RequirementSyntaxError, InvalidName) as error:
                return UnusableMetadata(str(error))
            try:
                counts = self._holds(requirement.marker, extra)
                if counts and requirement.name not in self.removed:
                    active.append(self.effective(requirement))
            except UndefinedMarker as error:
                return UnusableMetadata(str(error))
        return active

    def _is_a_root(self, requirement: Direct) -> bool:
        return any(root.url == requirement.url for root in self._directs.get(requirement.name, ()))

    @staticmethod
    def _refused_by_itself(node: Node, demands: Demands) -> ContradictsItself | None:
        name, option, _ = node
        for demand in demands:
            if demand.name == name and not demand.mask >> option & 1:
                return ContradictsItself(str(demand.requirement))
        return None

    def _note_pins(self, node: Node, demands: Demands) -> None:
        name, option, extra = node
        for demand in demands:
            if demand.pins and demand.name != name:
                for pinned in bits(demand.pins):
                    self.pins[demand.name, pinned].append(Pin(name, option, extra))


def worded(requirement: Requirement) -> str:
    """Write a requirement without its marker."""
    if isinstance(requirement, Family):
        return str(requirement)
    return str(requirement if requirement.marker is None else replace(requirement, marker=None))


def _direct_roots(roots: Iterable[Root]) -> dict[PackageName, list[Direct]]:
    directs: dict[PackageName, list[Direct]] = {}
    for root in roots:
        if isinstance(root.requirement, Direct):
            directs.setdefault(root.requirement.name, []).append(root.requirement)
    return directs
