"""The clause solver, against python-sat on random clauses that arrive while it runs."""

from random import Random

import pytest
from pysat.solvers import Cadical153

from envmgr.resolve.clauses import ClauseSolver


def settle(solver: ClauseSolver) -> bool:
    """Follow everything; ``False`` once refuted."""
    while solver.refuted_by is None:
        literal, conflict = solver.propagate_one()
        if conflict is not None:
            solver.learn(conflict)
        elif literal is None:
            return True
    return False


def solve(solver: ClauseSolver, arriving: list[tuple[list[int], int]], random: Random) -> bool:
    """Decide at random, adding clauses in between, until all hold or one refutes."""
    while settle(solver):
        if arriving and random.random() < 0.5:
            solver.add(*arriving.pop())
            continue
        still_open = [v for v in range(1, len(solver.values)) if solver.values[v] == 0]
        if still_open:
            variable = random.choice(still_open)
            solver.decide(random.choice((variable, -variable)))
            if random.random() < 0.05:
                solver.restart()
        elif arriving:
            solver.add(*arriving.pop())
        else:
            return True
    return False


def random_clauses(random: Random, variables: int) -> list[list[int]]:
    return [
        [random.choice((1, -1)) * v for v in random.sample(range(1, variables + 1), size)]
        for size in (random.randint(1, 3) for _ in range(random.randint(variables, 4 * variables)))
    ]


def is_satisfiable(clauses: list[list[int]]) -> bool:
    with Cadical153(bootstrap_with=clauses) as oracle:
        return bool(oracle.solve())


@pytest.mark.parametrize("seed", range(300))
def test_its_verdict_is_that_of_a_known_solver(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - reproducible on purpose
    variables = random.randint(3, 9)
    clauses = random_clauses(random, variables)
    solver = ClauseSolver()
    solver.variables(variables)
    arriving = [(clause, 1 << number) for number, clause in enumerate(clauses)]
    if solve(solver, arriving, random):
        assert all(any(solver.value(lit) > 0 for lit in clause) for clause in clauses)
        assert is_satisfiable(clauses)
    else:
        used = solver.refuted_by
        assert used is not None
        core = [clause for number, clause in enumerate(clauses) if used >> number & 1]
        assert not is_satisfiable(core), "the origins of a refutation do not suffice for it"


@pytest.mark.parametrize("seed", range(100))
def test_bans_mean_what_their_pairs_mean(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - reproducible on purpose
    variables = 8
    clauses = random_clauses(random, variables)
    pairs: list[list[int]] = []
    solver = ClauseSolver()
    first = solver.variables(variables)
    for literal in random.sample(range(1, variables + 1), 4):
        mask = random.getrandbits(variables) & ~(1 << (literal - first))
        solver.ban(literal, first, mask)
        pairs += [[-literal, -(first + bit)] for bit in range(variables) if mask >> bit & 1]
    found = solve(solver, [(clause, 1) for clause in clauses], random)
    assert found == is_satisfiable(clauses + pairs)


def test_an_empty_clause_refutes_at_once() -> None:
    solver = ClauseSolver()
    solver.add([], 0b100)
    assert solver.refuted_by == 0b100


def test_a_clause_of_one_literal_survives_taking_decisions_back() -> None:
    solver = ClauseSolver()
    one, other = solver.variables(1), solver.variables(1)
    solver.decide(one)
    assert settle(solver)
    solver.add([-other], 1)
    assert settle(solver)
    assert solver.value(other) < 0
    solver.restart()
    assert settle(solver)
    assert (solver.value(one), solver.value(other)) == (0, -1)


def test_a_clause_of_one_literal_survives_going_back_to_an_earlier_decision() -> None:
    solver = ClauseSolver()
    first, second, third, other = (solver.variables(1) for _ in range(4))
    solver.decide(first)
    assert settle(solver)
    solver.decide(second)
    assert settle(solver)
    solver.add([other], 1)
    assert settle(solver)
    solver.add([-first, -second, third], 1)
    solver.add([-first, -second, -third], 1)
    assert settle(solver)
    assert solver.level == 1, "the second decision was taken back, the first stands"
    assert (solver.value(second), solver.value(other)) == (-1, 1)


def test_what_a_late_clause_demands_survives_going_back_to_the_level_it_follows_on() -> None:
    solver = ClauseSolver()
    first, second, third, other = (solver.variables(1) for _ in range(4))
    solver.decide(first)
    assert settle(solver)
    solver.decide(second)
    assert settle(solver)
    solver.add([-first, other], 1)
    assert settle(solver)
    solver.add([-first, -second, third], 1)
    solver.add([-first, -second, -third], 1)
    assert settle(solver)
    assert (solver.level, solver.value(other)) == (1, 1)
    solver.restart()
    assert settle(solver)
    assert solver.value(other) == 0, "it follows on the first decision only"


@pytest.mark.parametrize("seed", range(200))
def test_at_rest_no_clause_has_one_literal_left_to_demand(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - reproducible on purpose
    variables = random.randint(6, 12)
    arriving = random_clauses(random, variables)
    added: list[list[int]] = []
    solver = ClauseSolver()
    solver.variables(variables)
    while settle(solver):
        for clause in added:
            values = [solver.value(literal) for literal in clause]
            assert max(values) > 0 or values.count(0) != 1, clause
        still_open = [v for v in range(1, len(solver.values)) if solver.values[v] == 0]
        if arriving and (not still_open or random.random() < 0.5):
            added.append(arriving.pop())
            solver.add(added[-1], 1)
        elif still_open:
            solver.decide(random.choice((1, -1)) * random.choice(still_open))
        else:
            return
