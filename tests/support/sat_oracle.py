"""Whether a problem without yanked versions has an answer, decided by python-sat."""

from collections import deque
from collections.abc import Iterable
from itertools import combinations

from pysat.solvers import Cadical153

from envmgr.index.types import Candidate
from envmgr.resolve.types import Root
from envmgr.runtime.wheels import RuntimeFamily
from tests.support.brute_force import Exhaustion, Place, Wanted


def has_answer(everything: Exhaustion, roots: Iterable[Root]) -> bool:
    """Encode the universe whole: a variable per candidate and per active extra."""
    encoding = _Encoding(everything)
    encoding.state([], everything.wanted_by_roots(roots))
    encoding.spread()
    encoding.choose_families()
    with Cadical153(bootstrap_with=encoding.clauses) as solver:
        return bool(solver.solve())


class _Encoding:
    def __init__(self, everything: Exhaustion) -> None:
        self.clauses: list[list[int]] = []
        self._everything = everything
        self._numbers: dict[object, int] = {}
        self._waiting: deque[Place] = deque()
        self._seen: set[Place] = set()

    def number(self, meaning: object) -> int:
        return self._numbers.setdefault(meaning, len(self._numbers) + 1)

    def state(self, unless: list[int], wants: Iterable[Wanted]) -> None:
        for want in wants:
            fitting = [
                self.number(option)
                for option in self._everything.options(want.name)
                if self._everything.admits(want, option)
            ]
            self.clauses.append([*unless, *fitting])
            for extra in ("", *want.extras):
                place = (want.name, extra)
                self.clauses.append([*unless, self.number(place)])
                if place not in self._seen:
                    self._seen.add(place)
                    self._waiting.append(place)

    def spread(self) -> None:
        while self._waiting:
            name, extra = self._waiting.popleft()
            options = self._everything.options(name)
            if extra == "":
                for one, other in combinations(options, 2):
                    self.clauses.append([-self.number(one), -self.number(other)])
            for option in options:
                unless = [-self.number(option), -self.number((name, extra))]
                wants = self._everything.wants(option, extra)
                if wants is None or not self._everything.is_constrained_well(option):
                    self.clauses.append(unless)
                else:
                    self.state(unless, wants)
                    self._take_sides(option)

    def _take_sides(self, option: Candidate) -> None:
        """A variable per implementation of a family; a candidate excludes those it is not for."""
        for family in self._everything.problem.families:
            if not family.exclusive:
                continue
            allowed = list(self._everything.asked_of(family, {option.name: option}))
            for implementation in _implementations(family):
                if not all(implementation in each for each in allowed):
                    serving = self.number(("serves", family.name, implementation))
                    self.clauses.append([-self.number(option), -serving])

    def choose_families(self) -> None:
        """One implementation serves each family, if only one that nothing asks for."""
        for family in self._everything.problem.families:
            names = _implementations(family)
            if family.exclusive and names:
                self.clauses.append([self.number(("serves", family.name, one)) for one in names])


def _implementations(family: RuntimeFamily) -> list[str]:
    bounds = (bound for bounds in family.works_with.values() for bound in bounds)
    admitted = (name for bound in bounds for name in bound.implementations)
    return sorted({*family.wheels.values(), *admitted, *filter(None, [family.chosen])})
