"""Resolvelib's view of the problem. Nothing it concludes is believed before it is checked."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, overload

from resolvelib import AbstractProvider, BaseReporter
from resolvelib.resolvers import Criterion, RequirementInformation, Resolution, ResolverException

from envmgr.names import ExtraName, PackageName
from envmgr.resolve.facts import Demand, Facts
from envmgr.resolve.graph import Selection
from envmgr.resolve.package import bits

CONFLICTS_ALLOWED = 100
"""After so many, resolvelib is taken to be wandering and the clause search takes over."""
OPTIONS_ALLOWED = 12
"""So many options of one name: resolvelib walks back in it, however far, before it doubts a
choice made earlier. The clause search doubts sooner."""

Identifier = tuple[PackageName, ExtraName | None]


class Want(NamedTuple):
    """A demand on a name, or on one extra of it: the options it admits, the yanked ones it pins."""

    name: PackageName
    extra: ExtraName | None
    mask: int
    pins: int


class Option(NamedTuple):
    """One option of a name, or one extra of it."""

    name: PackageName
    extra: ExtraName | None
    position: int


class Wandering(ResolverException):
    """Resolvelib takes longer than it is worth."""


class Options(Sequence[Option]):
    """The options of a mask, best first, each made when it is looked at: mostly one is."""

    def __init__(self, name: PackageName, extra: ExtraName | None, mask: int) -> None:
        self._name = name
        self._extra = extra
        self._mask = mask

    def __iter__(self) -> Iterator[Option]:
        return (Option(self._name, self._extra, position) for position in bits(self._mask))

    def __len__(self) -> int:
        return self._mask.bit_count()

    @overload
    def __getitem__(self, index: int) -> Option: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Option]: ...
    def __getitem__(self, index: int | slice) -> Option | Sequence[Option]:
        return list(self)[index]


_NEVER = Want(PackageName(""), None, 0, 0)


class _Provider(AbstractProvider[Want, Option, Identifier]):
    """Names and extras are identifiers of their own; an extra wants the same option of its name."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._refused: dict[Identifier, int] = {}
        self._order: dict[Identifier, int] = {(_NEVER.name, None): 0}
        self._tried: Counter[PackageName] = Counter()

    def wants(self, demands: Iterable[Demand]) -> Iterator[Want]:
        """Say demands in resolvelib's terms."""
        for demand in demands:
            yield self._want(Want(demand.name, None, demand.mask, demand.pins))
            for extra in demand.extras:
                yield self._want(Want(demand.name, extra, demand.mask, demand.pins))

    def _want(self, want: Want) -> Want:
        self._order.setdefault((want.name, want.extra), len(self._order))
        return want

    def identify(self, requirement_or_candidate: Want | Option) -> Identifier:
        return requirement_or_candidate[0], requirement_or_candidate[1]

    def get_preference(
        self,
        identifier: Identifier,
        resolutions: Mapping[Identifier, Option],
        candidates: Mapping[Identifier, Iterator[Option]],
        information: Mapping[Identifier, Iterator[RequirementInformation[Want, Option]]],
        backtrack_causes: Sequence[RequirementInformation[Want, Option]],
    ) -> tuple[bool, bool, int]:
        """Names without a choice first, then extras, then as they were met."""
        remaining = candidates[identifier]
        next(remaining, None)
        has_choice = next(remaining, None) is not None
        return has_choice, identifier[1] is None, self._order[identifier]

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[Identifier],
        resolutions: Mapping[Identifier, Option],
        candidates: Mapping[Identifier, Iterator[Option]],
        information: Mapping[Identifier, Iterator[RequirementInformation[Want, Option]]],
        backtrack_causes: Sequence[RequirementInformation[Want, Option]],
    ) -> Iterable[Identifier]:
        """Whatever took part in the last conflict comes before the rest."""
        if not backtrack_causes:
            return identifiers
        waiting = list(identifiers)
        causes = {
            self.identify(cause)
            for information_ in backtrack_causes
            for cause in (information_.requirement, information_.parent)
            if cause is not None
        }
        return [identifier for identifier in waiting if identifier in causes] or waiting

    def find_matches(
        self,
        identifier: Identifier,
        requirements: Mapping[Identifier, Iterator[Want]],
        incompatibilities: Mapping[Identifier, Iterator[Option]],
    ) -> Sequence[Option]:
        """Return the options left by all that is asked of the name, best first."""
        name, extra = identifier
        if name == _NEVER.name:
            return ()
        mask = self._facts.allowed(name) & ~self._refused.get(identifier, 0)
        mask &= ~self._refused.get((name, None), 0)
        pins = 0
        for asked in (identifier,) if extra is None else (identifier, (name, None)):
            for want in requirements[asked]:
                mask &= want.mask
                pins |= want.pins
        for option in incompatibilities[identifier]:
            mask &= ~(1 << option.position)
        mask &= ~self._facts.package(name).needs_pin | pins
        return Options(name, extra, mask)

    def is_satisfied_by(self, requirement: Want, candidate: Option) -> bool:
        return bool(requirement.mask >> candidate.position & 1)

    def get_dependencies(self, candidate: Option) -> Iterable[Want]:
        """Return what an option asks for; something impossible where its metadata rules it out.

        Raises Wandering.
        """
        name, extra, position = candidate
        self._tried[name] += extra is None
        if self._tried[name] > OPTIONS_ALLOWED:
            raise Wandering
        demands = self._facts.demands((name, position, extra))
        if not isinstance(demands, tuple):
            identifier = (name, extra)
            self._refused[identifier] = self._refused.get(identifier, 0) | 1 << position
            return [_NEVER]
        wants = list(self.wants(demands))
        if extra is not None:
            package = self._facts.package(name)
            bit = 1 << position
            wants.insert(0, Want(name, None, bit, bit & package.needs_pin))
        return wants


class _Patience(BaseReporter[Want, Option, Identifier]):
    """Counts conflicts and rounds. Raises Wandering."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._conflicts = 0

    def starting_round(self, index: int) -> None:
        if index > 200 + 20 * self._facts.names:
            raise Wandering

    def resolving_conflicts(self, causes: Collection[RequirementInformation[Want, Option]]) -> None:
        self._conflicts += 1
        if self._conflicts > CONFLICTS_ALLOWED:
            raise Wandering


class _Resolution(Resolution[Want, Option, Identifier]):
    """Remembers what a pin satisfies: each round asks that of every name, and few have changed."""

    def __init__(self, facts: Facts, provider: _Provider) -> None:
        super().__init__(provider, _Patience(facts))
        self._satisfied: dict[Identifier, tuple[Option, Criterion[Want, Option]]] = {}

    def _is_current_pin_satisfying(
        self, name: Identifier, criterion: Criterion[Want, Option]
    ) -> bool:
        """Neither pins nor criteria ever change: they are replaced."""
        pin = self.state.mapping.get(name)
        if pin is None:
            return False
        known = self._satisfied.get(name)
        if known is not None and known[0] is pin and known[1] is criterion:
            return True
        satisfying = super()._is_current_pin_satisfying(name, criterion)
        if satisfying:
            self._satisfied[name] = (pin, criterion)
        return satisfying


def propose(facts: Facts) -> Selection | None:
    """Return what resolvelib would choose, right or wrong, or ``None`` where it gives up.

    The mapping of its last state is read directly; its own result is built by recursion
    without a bound. Raises IndexFailure.
    """
    provider = _Provider(facts)
    resolution = _Resolution(facts, provider)
    wants = list(provider.wants(root.demand for root in facts.roots))
    try:
        state = resolution.resolve(wants, max_rounds=1_000_000)
    except (ResolverException, RecursionError):
        return None
    return {
        option.name: option.position for option in state.mapping.values() if option.extra is None
    }
