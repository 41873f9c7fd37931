"""A small clause solver: conflict-driven learning over clauses that may arrive while it runs.

It knows nothing of packages. Variables are positive integers, a literal is a
variable or its negative. Every clause carries *origins*, a bit mask of whoever
asked for it; a learned clause carries those of all it was derived from, so that
a refutation tells which origins it needs. Nothing here recurses.
"""

from collections.abc import Iterable
from typing import Final

Literal = int


class Clause:
    """A disjunction of literals. The first two are watched."""

    __slots__ = ("literals", "origins")

    def __init__(self, literals: list[Literal], origins: int) -> None:
        self.literals: Final = literals
        self.origins: Final = origins


class ClauseSolver:
    """Assignments, propagation and learning; what to decide next is the caller's.

    ``bans`` are clauses in bulk: once their literal holds, none of a run of
    variables may hold. They cost one entry where pairs would cost thousands.
    """

    def __init__(self) -> None:
        self.values: list[int] = [0]
        """By variable: 1 true, -1 false, 0 open."""
        self.trail: list[Literal] = []
        self.refuted_by: int | None = None
        """The origins of a refutation, once there is one."""
        self._levels: list[int] = [0]
        self._reasons: list[Clause | Literal | None] = [None]
        self._fixed_by: list[int] = [0]
        self._starts: list[int] = []
        self._head = 0
        self._watched: dict[Literal, list[Clause]] = {}
        self._bans: dict[Literal, list[tuple[int, int]]] = {}
        self._late: list[Clause] = []
        self._units: list[Clause] = []

    @property
    def level(self) -> int:
        """How many decisions stand."""
        return len(self._starts)

    def variables(self, count: int) -> int:
        """Make ``count`` variables in a row and return the first."""
        first = len(self.values)
        for column, empty in (
            (self.values, 0),
            (self._levels, 0),
            (self._fixed_by, 0),
        ):
            column.extend([empty] * count)
        self._reasons.extend([None] * count)
        return first

    def value(self, literal: Literal) -> int:
        """Return 1 where the literal holds, -1 where its negative does, else 0."""
        return self.values[literal] if literal > 0 else -self.values[-literal]

    def add(self, literals: Iterable[Literal], origins: int) -> None:
        """Add a clause at any time; what follows from it is found by ``propagate``."""
        clause = Clause(sorted(dict.fromkeys(literals), key=self._watch_rank), origins)
        if not clause.literals:
            self._refute(origins)
            return
        self._watch(clause)
        first = clause.literals[0]
        if self._is_unit_above(clause):
            self._units.append(clause)
        if self.value(first) < 0:
            self._late.append(clause)
        elif self.value(first) == 0 and all(self.value(o) < 0 for o in clause.literals[1:]):
            self._enqueue(first, clause)

    def ban(self, literal: Literal, first: int, mask: int) -> None:
        """Once ``literal`` holds, no ``first + bit`` of ``mask`` may. Only before it holds."""
        if mask:
            self._bans.setdefault(literal, []).append((first, mask))

    def decide(self, literal: Literal) -> None:
        """Open a level and assume a literal that is open."""
        self._starts.append(len(self.trail))
        self._enqueue(literal, None)

    def restart(self) -> None:
        """Take every decision back; what was learned stays."""
        self._undo(0)
        self._assert_units()

    def propagate_one(self) -> tuple[Literal | None, Clause | None]:
        """Follow one assignment: return it, or ``None`` at rest, and the clause it breaks."""
        while self._late:
            late = self._late.pop()
            if all(self.value(literal) < 0 for literal in late.literals):
                return None, late
        if self._head == len(self.trail):
            return None, None
        literal = self.trail[self._head]
        self._head += 1
        return literal, self._follow_bans(literal) or self._follow_watches(-literal)

    def learn(self, conflict: Clause) -> list[int] | None:
        """Learn from a broken clause, go back, and return the variables involved.

        Returns ``None`` where the conflict rests on no decision: ``refuted_by`` is set then.
        """
        deepest = max(self._levels[abs(literal)] for literal in conflict.literals)
        if deepest == 0:
            self._refute(conflict.origins | self._fixed(conflict.literals))
            return None
        self._undo(deepest)
        learned, origins, seen = self._first_unique_implication(conflict)
        back = max((self._levels[abs(literal)] for literal in learned[1:]), default=0)
        self._undo(back)
        clause = Clause(
            [learned[0], *sorted(learned[1:], key=lambda o: -self._levels[abs(o)])], origins
        )
        self._watch(clause)
        self._enqueue(learned[0], clause)
        self._assert_units()
        return seen

    def _first_unique_implication(self, conflict: Clause) -> tuple[list[Literal], int, list[int]]:
        """Resolve backwards along the trail until one literal of this level is left."""
        level = len(self._starts)
        seen: dict[int, None] = {}
        below: list[Literal] = []
        origins = conflict.origins
        pending = 0
        literals = conflict.literals
        place = len(self.trail)
        while True:
            for literal in literals:
                variable = abs(literal)
                if variable in seen:
                    continue
                seen[variable] = None
                if self._levels[variable] == 0:
                    origins |= self._fixed_by[variable]
                elif self._levels[variable] == level:
                    pending += 1
                else:
                    below.append(literal)
            place -= 1
            while abs(self.trail[place]) not in seen:
                place -= 1
            pending -= 1
            implied = self.trail[place]
            if pending == 0:
                return [-implied, *below], origins, list(seen)
            reason = self._reasons[abs(implied)]
            if isinstance(reason, Clause):
                origins |= reason.origins
                literals = reason.literals
            else:
                literals = [] if reason is None else [-reason]

    def _watch(self, clause: Clause) -> None:
        for literal in clause.literals[:2]:
            self._watched.setdefault(literal, []).append(clause)

    def _watch_rank(self, literal: Literal) -> int:
        """Sort true and open literals first, then the false ones, latest first."""
        value = self.value(literal)
        return -value - 1 if value >= 0 else len(self.trail) - self._levels[abs(literal)] + 1

    def _enqueue(self, literal: Literal, reason: Clause | Literal | None) -> None:
        variable = abs(literal)
        self.values[variable] = 1 if literal > 0 else -1
        self._levels[variable] = len(self._starts)
        self._reasons[variable] = reason
        if not self._starts:
            self._fixed_by[variable] = self._reason_origins(variable, reason)
        self.trail.append(literal)

    def _reason_origins(self, variable: int, reason: Clause | Literal | None) -> int:
        if isinstance(reason, Clause):
            others = (literal for literal in reason.literals if abs(literal) != variable)
            return reason.origins | self._fixed(others)
        return 0 if reason is None else self._fixed_by[abs(reason)]

    def _fixed(self, literals: Iterable[Literal]) -> int:
        origins = 0
        for literal in literals:
            origins |= self._fixed_by[abs(literal)]
        return origins

    def _refute(self, origins: int) -> None:
        if self.refuted_by is None:
            self.refuted_by = origins

    def _is_unit_above(self, clause: Clause) -> bool:
        """Whether all literals but the first are false already on a level below this one.

        The first two are those that come first by ``_watch_rank``.
        """
        second = clause.literals[1:2]
        if second and self.value(second[0]) >= 0:
            return False
        return (self._levels[abs(second[0])] if second else 0) < self.level

    def _assert_units(self) -> None:
        """Assign again what clauses demand that came late, until it stands on its own level.

        What one demands was assigned on the level that was reached when it came, though it
        follows on one further below; it was taken back with the former.
        """
        units, self._units = self._units, []
        for clause in units:
            left = [literal for literal in clause.literals if self.value(literal) >= 0]
            if len(left) > 1:
                continue
            if not left:
                self._late.append(clause)
            elif self.value(left[0]) == 0:
                self._enqueue(left[0], clause)
            others = (self._levels[abs(o)] for o in clause.literals if self.value(o) < 0)
            if max(others, default=0) < self.level:
                self._units.append(clause)

    def _undo(self, level: int) -> None:
        if level >= len(self._starts):
            return
        start = self._starts[level]
        for literal in self.trail[start:]:
            self.values[abs(literal)] = 0
        del self.trail[start:]
        del self._starts[level:]
        self._head = min(self._head, start)

    def _follow_bans(self, literal: Literal) -> Clause | None:
        for first, mask in self._bans.get(literal, ()):
            rest = mask
            while rest:
                low = rest & -rest
                rest ^= low
                variable = first + low.bit_length() - 1
                if self.values[variable] > 0:
                    return Clause([-variable, -literal], 0)
                if self.values[variable] == 0:
                    self._enqueue(-variable, literal)
        return None

    def _follow_watches(self, false: Literal) -> Clause | None:
        watching = self._watched.get(false)
        if not watching:
            return None
        kept: list[Clause] = []
        for position, clause in enumerate(watching):
            if not self._rewatch(clause, false):
                kept.append(clause)
                other = clause.literals[0]
                value = self.value(other)
                if value < 0:
                    kept.extend(watching[position + 1 :])
                    self._watched[false] = kept
                    return clause
                if value == 0:
                    self._enqueue(other, clause)
        self._watched[false] = kept
        return None

    def _rewatch(self, clause: Clause, false: Literal) -> bool:
        """Watch another literal in place of a false one; ``False`` where there is none to need."""
        literals = clause.literals
        if len(literals) == 1:
            return False
        if literals[0] == false:
            literals[0], literals[1] = literals[1], false
        if self.value(literals[0]) > 0:
            return False
        for position in range(2, len(literals)):
            if self.value(literals[position]) >= 0:
                literals[1], literals[position] = literals[position], false
                self._watched.setdefault(literals[1], []).append(clause)
                return True
        return False
