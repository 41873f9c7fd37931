"""The clause search: complete where resolvelib is not, and the only one to say "impossible".

A variable per option, per extra that was asked for, and per "some option of this
mask is chosen". Clauses say what roots, constraints and the metadata of chosen
options demand; they are added as options are tried. Leaving clauses out can only
admit more, so a refutation from those seen is a proof: the options of every name
in it are all that its index offers. Yanked options are the one exception (a pin
may stand in metadata not read yet): ``search`` looks whether they would help at
all, and reads on before it believes that nothing pins them.
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from envmgr.events import StageAdvanced
from envmgr.names import ExtraName, PackageName
from envmgr.resolve.clauses import Clause, ClauseSolver, Literal
from envmgr.resolve.facts import Demand, Facts, Pin
from envmgr.resolve.graph import Place, Selection, first_unpinned, reached
from envmgr.resolve.lanes import WHOLE, GivenUp, Lane, Scope, samples
from envmgr.resolve.origins import (
    ConstraintOrigin,
    Origin,
    RefusedOrigin,
    Refutation,
    RootOrigin,
    YankedOrigin,
    need_origin,
)
from envmgr.resolve.package import bits

CONFLICTS_PER_RESTART = 64
DECISIVE = 4
"""So much trouble moves a name before others."""
READ_ON = 256
"""A name of more options than that is not read to its end on suspicion."""
READ_FOR_PINS = 400
"""How many more wheels' metadata are read in search of a pin on a yanked version."""


class _NewPin(Exception):
    """Metadata just read pins a yanked option that this search took for unpinned."""


def search(facts: Facts, scope: Scope = WHOLE) -> Selection | Refutation:
    """Find the options to choose, or refute that there are any.

    Raises IndexFailure, and GivenUp where the scope limits patience.
    """
    looked = False
    while True:
        run = _Search(facts, scope)
        try:
            found = run.run()
        except _NewPin:
            continue
        if not isinstance(found, Refutation) or scope.origins is not None:
            return found
        if not any(isinstance(origin, YankedOrigin) for origin in found.origins):
            return found
        before = sum(map(len, facts.pins.values()))
        if not looked:
            looked = True
            without_pins = _refuted_without_pins(facts, scope)
            if without_pins is not None:
                return without_pins
        _read_everything(facts, run.lanes)
        if before == sum(map(len, facts.pins.values())):
            return found


def _refuted_without_pins(facts: Facts, scope: Scope) -> Refutation | None:
    """Refute the problem as if every yanked option were pinned: then no pin could help."""
    try:
        found = _Search(facts, replace(scope, yanked=True)).run()
    except GivenUp:
        return None
    return found if isinstance(found, Refutation) else None


def _read_everything(facts: Facts, lanes: Mapping[PackageName, Lane]) -> None:
    """Read the metadata of every option that could matter, for pins on yanked options."""
    limit = facts.read + READ_FOR_PINS
    waiting: dict[Place, None] = {
        (name, extra): None for name, lane in lanes.items() for extra in (None, *lane.extras)
    }
    done: set[Place] = set()
    while waiting:
        place = next(iter(waiting))
        del waiting[place]
        done.add(place)
        name, extra = place
        for option in range(facts.package(name).count):
            if facts.read >= limit:
                return
            demands = facts.demands((name, option, extra))
            for demand in demands if isinstance(demands, tuple) else ():
                for asked in ((demand.name, wanted) for wanted in (None, *demand.extras)):
                    if asked not in done:
                        waiting[asked] = None


class _Search:
    """One run from nothing to a selection or a refutation."""

    def __init__(self, facts: Facts, scope: Scope) -> None:
        self.lanes: dict[PackageName, Lane] = {}
        self._facts = facts
        self._scope = scope
        self._solver = ClauseSolver()
        self._origins: dict[Origin, int] = {}
        self._owners: dict[int, Lane] = {}
        self._options: dict[int, int] = {}
        self._extras: dict[int, ExtraName] = {}
        self._unpinned: list[Lane] = []
        self._pin_literals: dict[tuple[PackageName, int], list[Literal]] = {}
        self._read_before = facts.read
        self._troubled: Lane | None = None
        self._roots = tuple(
            root
            for root in facts.roots
            if (scope.roots is None or root.position in scope.roots)
            and root.demand.name not in scope.waived
        )

    def run(self) -> Selection | Refutation:
        """Decide, follow, learn, until everything asked for is chosen or refuted."""
        for root in self._roots:
            self._state_demand([], root.demand, RootOrigin(root.position))
        conflicts = 0
        while self._solver.refuted_by is None:
            conflict = self._settle()
            if conflict is None and self._troubled is not None:
                conflict = self._look_further()
            if conflict is not None:
                self._learn(conflict)
                conflicts += 1
                self._lose_patience(conflicts)
                if conflicts % CONFLICTS_PER_RESTART == 0:
                    self._begin_anew(conflicts)
            elif (lane := self._next_lane()) is not None:
                self._try(lane, self._next_option(lane))
            elif not self._forbid_unpinned(selection := self._selection()):
                return selection
        used = self._solver.refuted_by
        return Refutation(tuple(o for o, bit in self._origins.items() if used >> bit & 1))

    def _begin_anew(self, conflicts: int) -> None:
        self._solver.restart()
        hardest = max(self.lanes.values(), key=lambda lane: lane.trouble)
        told = f"weighing {hardest.package.name}, {conflicts:,} contradictions so far"
        self._facts.report(StageAdvanced("resolve", 0, told))

    def _lose_patience(self, spent: int) -> None:
        if self._scope.patience is not None and spent > self._scope.patience:
            raise GivenUp

    def _try(self, lane: Lane, option: int) -> None:
        """Choose an option whose demands are known; else look first, it may be out at once."""
        asked = [extra for extra, asked in lane.extras.items() if self._solver.values[asked] > 0]
        unknown = [e for e in (None, *asked) if (option, e) not in lane.explored]
        for extra in unknown:
            self._explore(lane, option, extra)
        if not unknown:
            self._solver.decide(lane.first + option)
            return
        lane.tried += 1
        if lane.tried == lane.patience:
            lane.patience *= 2
            lane.trouble += DECISIVE
            self._troubled = lane

    def _look_further(self) -> Clause | None:
        """Look for another name that has nothing left, before the troubled one is tried at length.

        One is read to its end where the newest, the oldest and a middle one of its open options
        prove to be ruled out. Without such a name the search begins anew, the troubled one first.
        """
        troubled, self._troubled = self._troubled, None
        others = [lane for lane in self._undecided() if lane is not troubled]
        for lane in others if self._scope.origins is None else ():
            conflict = self._read_on(lane)
            if conflict is not None:
                return conflict
        self._solver.restart()
        return None

    def _read_on(self, lane: Lane) -> Clause | None:
        """Explore samples of a name's options, then all, until one is not ruled out."""
        remaining = self._open(lane)
        sampled = samples(remaining) if len(remaining) <= READ_ON else []
        for option in sampled and [*sampled, *remaining]:
            if option in sampled:
                self._facts.sample(lane.package.name, option)
            if self._solver.values[lane.first + option] == 0:
                self._explore(lane, option, None)
                conflict = self._settle()
                if conflict is not None:
                    return conflict
            if self._solver.values[lane.first + option] >= 0:
                return None
        return None

    def _settle(self) -> Clause | None:
        """Follow every assignment, reading metadata as options come to hold."""
        while True:
            while self._unpinned:
                self._state_pins(self._unpinned.pop())
            literal, conflict = self._solver.propagate_one()
            if conflict is not None or literal is None:
                return conflict
            if literal > 0:
                self._look_at(literal)

    def _learn(self, conflict: Clause) -> None:
        involved = self._solver.learn(conflict) or ()
        lanes = {id(lane): lane for v in involved if (lane := self._owners.get(v)) is not None}
        for lane in lanes.values():
            lane.trouble += 1

    def _look_at(self, variable: int) -> None:
        """Add what follows from an option, or an extra, that came to hold."""
        lane = self._owners.get(variable)
        if lane is None:
            return
        if variable in self._options:
            option = self._options[variable]
            self._explore(lane, option, None)
            for extra, asked in tuple(lane.extras.items()):
                if self._solver.values[asked] > 0:
                    self._explore(lane, option, extra)
        elif variable in self._extras:
            chosen = self._chosen(lane)
            if chosen is not None:
                self._explore(lane, chosen, self._extras[variable])

    def _explore(self, lane: Lane, option: int, extra: ExtraName | None) -> None:
        name = lane.package.name
        node = (name, option, extra)
        if (option, extra) in lane.explored:
            return
        lane.explored.add((option, extra))
        if self._scope.origins is not None and not self._facts.is_known(node):
            return
        guard = [-(lane.first + option)]
        if extra is not None:
            guard.append(-lane.extras[extra])
        self._lose_patience(self._facts.read - self._read_before)
        demands = self._facts.demands(node)
        if not isinstance(demands, tuple):
            self._state(guard, RefusedOrigin(name, extra))
            return
        for demand in demands:
            if demand.name not in self._scope.waived:
                self._check_pins(demand)
                self._state_demand(guard, demand, need_origin(name, extra, demand))

    def _check_pins(self, demand: Demand) -> None:
        for pinned in bits(demand.pins):
            known = self._pin_literals.get((demand.name, pinned))
            if known is not None and len(known) != len(self._facts.pins[demand.name, pinned]):
                raise _NewPin

    def _state_demand(self, guard: list[Literal], demand: Demand, origin: Origin) -> None:
        lane = self._lane(demand.name)
        self._state([*guard, self._want(lane, demand.mask)], origin)
        for extra in demand.extras:
            self._state([*guard, self._extra(lane, extra)], origin)

    def _state(self, literals: Iterable[Literal], origin: Origin) -> None:
        if self._scope.origins is None or origin in self._scope.origins:
            bit = self._origins.setdefault(origin, len(self._origins))
            self._solver.add(literals, 1 << bit)

    def _lane(self, name: PackageName) -> Lane:
        known = self.lanes.get(name)
        if known is not None:
            return known
        package = self._facts.package(name)
        lane = Lane(package, self._solver.variables(package.count), len(self.lanes))
        self.lanes[name] = lane
        for option in range(package.count):
            variable = lane.first + option
            self._owners[variable] = lane
            self._options[variable] = option
            self._solver.ban(variable, lane.first, package.full & ~(1 << option))
        if self._facts.is_constrained(name):
            constrained = self._solver.variables(1)
            self._solver.ban(constrained, lane.first, package.full & ~self._facts.allowed(name))
            self._state([constrained], ConstraintOrigin(name))
        if package.needs_pin and not self._scope.yanked:
            self._unpinned.append(lane)
        return lane

    def _want(self, lane: Lane, mask: int) -> int:
        """Return the variable that means "an option of this mask is chosen"."""
        if mask not in lane.wants:
            variable = self._solver.variables(1)
            lane.wants[mask] = variable
            self._owners[variable] = lane
            self._solver.ban(variable, lane.first, lane.package.full & ~mask)
            self._solver.add([-variable, *(lane.first + o for o in bits(mask))], 0)
        return lane.wants[mask]

    def _extra(self, lane: Lane, extra: ExtraName) -> int:
        if extra not in lane.extras:
            variable = self._solver.variables(1)
            lane.extras[extra] = variable
            self._owners[variable] = lane
            self._extras[variable] = extra
        return lane.extras[extra]

    def _state_pins(self, lane: Lane) -> None:
        """State that a yanked option needs one of the pins seen so far (PEP 592)."""
        name = lane.package.name
        for option in bits(lane.package.needs_pin):
            pins = self._facts.pins.get((name, option), [])
            literals = [self._pin_literal(pin) for pin in pins]
            self._pin_literals[name, option] = literals
            self._state([-(lane.first + option), *literals], YankedOrigin(name))

    def _pin_literal(self, pin: Pin) -> Literal:
        lane = self._lane(pin.name)
        option = lane.first + pin.option
        if pin.extra is None:
            return option
        both = self._solver.variables(1)
        self._solver.add([-both, option], 0)
        self._solver.add([-both, self._extra(lane, pin.extra)], 0)
        return both

    def _next_lane(self) -> Lane | None:
        """Return the name to choose next: troubled ones first, then as they were met."""
        return min(
            self._undecided(),
            key=lambda lane: (-(lane.trouble // DECISIVE), lane.order),
            default=None,
        )

    def _undecided(self) -> Iterator[Lane]:
        """Yield the names that are asked for and of which nothing is chosen."""
        values = self._solver.values
        for lane in self.lanes.values():
            wanted = any(values[want] > 0 for want in lane.wants.values())
            if wanted and self._chosen(lane) is None:
                yield lane

    def _next_option(self, lane: Lane) -> int:
        """Return the best open option; a yanked one only if it is pinned already, or the last."""
        open_options = self._open(lane)
        for option in open_options:
            pins = self._pin_literals.get((lane.package.name, option))
            if pins is None or any(self._solver.value(pin) > 0 for pin in pins):
                return option
        return open_options[0]

    def _open(self, lane: Lane) -> list[int]:
        """Return the options that nothing rules out yet, best first."""
        values, first = self._solver.values, lane.first
        return [o for o in range(lane.package.count) if values[first + o] == 0]

    def _chosen(self, lane: Lane) -> int | None:
        try:
            end = lane.first + lane.package.count
            return self._solver.values.index(1, lane.first, end) - lane.first
        except ValueError:
            return None

    def _selection(self) -> dict[PackageName, int]:
        chosen = ((name, self._chosen(lane)) for name, lane in self.lanes.items())
        return {name: option for name, option in chosen if option is not None}

    def _forbid_unpinned(self, selection: Selection) -> bool:
        """Rule out a selection in which the only pin on a yanked option is itself not needed."""
        if (
            self._scope.origins is not None
            or self._scope.yanked
            or not any(lane.package.needs_pin for lane in self.lanes.values())
        ):
            return False
        places = reached(self._facts, selection, self._roots, self._scope.waived)
        unpinned = first_unpinned(self._facts, selection, places or frozenset())
        if places is None or unpinned is None:
            return False
        needed = sorted({name for name, _ in places})
        self._state(
            [-(self.lanes[name].first + selection[name]) for name in needed],
            YankedOrigin(unpinned),
        )
        return True
