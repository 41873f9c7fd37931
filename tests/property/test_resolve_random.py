"""Random problems against exhaustion and against python-sat: no wrong verdict, no wrong answer.

``python -m tests.property.test_resolve_random FIRST LAST`` runs any number of them, and with
``families`` as a third word any number of those with shared runtimes.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from random import Random

import pytest
from msgspec import structs

from envmgr.resolve.facts import Facts
from envmgr.resolve.families import family_name
from envmgr.resolve.origins import Refutation
from envmgr.resolve.search import search
from envmgr.resolve.solve import resolve
from envmgr.resolve.types import Conflict, Problem, Resolution, Root
from envmgr.wheel.requirement import Direct
from tests.support.brute_force import Exhaustion
from tests.support.random_universe import Case, Shape, random_case, random_shape, with_families
from tests.support.sat_oracle import has_answer
from tests.support.universe import make_problem, parse_universe
from tests.support.values import replace

CHUNK = 125
SMALL = 2500
LARGE = 200
WITH_FAMILIES = 1500
Oracle = Callable[[Exhaustion, Iterable[Root]], bool]
WIDE = tuple(f"{operator}{n}" for operator in (">=", "<=", "<", "!=", ">") for n in range(1, 8))


def small_case(seed: int) -> Case:
    random = Random(seed)  # noqa: S311 - reproducible on purpose
    return random_case(random, random_shape(random))


def family_case(seed: int) -> Case:
    """A small case with shared runtimes; nothing else odd, in three of four."""
    random = Random(f"families {seed}")  # noqa: S311 - reproducible on purpose
    shape = random_shape(random)
    if random.random() < 0.5:
        shape = replace(shape, markers=0, prereleases=0, yanked=0, broken=0, restricted=0, direct=0)
    return with_families(random, shape, random_case(random, shape))


def large_case(seed: int) -> Case:
    random = Random(seed)  # noqa: S311 - reproducible on purpose
    shape = Shape(
        names=random.randint(8, 20),
        versions=random.randint(3, 8),
        needs=random.randint(2, 4),
        roots=random.randint(2, 4),
        specified=random.choice((0.5, 0.7)),
        extras=random.choice((0, 0.1, 0.3)),
        prereleases=0,
        yanked=0,
        specifiers=("", "", *WIDE),
    )
    return random_case(random, shape)


def problem_of(case: Case) -> Problem:
    return make_problem(
        *case.dependencies,
        groups=case.groups,
        constraints=case.constraints,
        overrides=case.overrides,
        prereleases=case.prereleases,
        preferred=case.preferred,
        families=case.families,
    )


def check(case: Case, oracle: Oracle) -> str:
    """Hold the resolver, and the clause search alone, against the oracle; return the verdict."""
    problem, universe = problem_of(case), parse_universe(case.text)
    everything = Exhaustion(problem, universe)
    possible = oracle(everything, everything.roots())
    answer = resolve(problem, parse_universe(case.text))
    assert isinstance(answer, Resolution) == possible, f"{case}\n{answer}"
    if isinstance(answer, Resolution):
        chosen = {str(name): one.candidate for name, one in answer.chosen.items()}
        assert everything.is_answer(everything.roots(), chosen), f"{case}\n{answer}"
    else:
        check_core(case, everything, answer, oracle)
    found = search(Facts(problem, universe, lambda _event: None))
    assert isinstance(found, Refutation) != possible, case
    return type(answer).__name__


def check_core(case: Case, everything: Exhaustion, conflict: Conflict, oracle: Oracle) -> None:
    """The roots named contradict each other, and without any one of them they do not.

    Or else each of them fails by itself.
    """
    assert conflict.sentences
    roots = list(conflict.roots)
    assert not oracle(everything, roots), f"{case}\n{conflict}"
    check_families_told(case, conflict, oracle)
    if conflict.apart:
        for root in roots:
            assert not oracle(everything, [root]), f"{case}\n{conflict}\n{root} can be had"
        return
    if "yanked" in case.text or any(isinstance(root.requirement, Direct) for root in roots):
        return
    for place in range(len(roots)):
        rest = roots[:place] + roots[place + 1 :]
        assert oracle(everything, rest), f"{case}\n{conflict}\nneeds no {roots[place]}"


def without_families(case: Case) -> Exhaustion:
    return Exhaustion(problem_of(replace(case, families=())), parse_universe(case.text))


def check_families_told(case: Case, conflict: Conflict, oracle: Oracle) -> None:
    """A family is told of, by its own name alone, where there would be an answer without it."""
    told = " ".join((*conflict.sentences, conflict.hint or ""))
    assert not any(family_name(family.name) in told for family in case.families)
    if case.families and oracle(without_families(case), conflict.roots):
        assert any(
            family.name in told and (family.chosen is None or family.chosen in told)
            for family in case.families
            if family.exclusive
        ), f"{case}\n{conflict}"


@pytest.mark.parametrize("first", range(0, SMALL, CHUNK))
def test_small_universes_end_as_exhaustion_says(first: int) -> None:
    verdicts = Counter(
        check(small_case(seed), Exhaustion.has_answer) for seed in range(first, first + CHUNK)
    )
    assert min(verdicts["Resolution"], verdicts["Conflict"]) > CHUNK // 10


@pytest.mark.parametrize("first", range(0, LARGE, LARGE // 4))
def test_larger_universes_end_as_a_known_solver_says(first: int) -> None:
    verdicts = Counter(
        check(large_case(seed), has_answer) for seed in range(first, first + LARGE // 4)
    )
    assert min(verdicts["Resolution"], verdicts["Conflict"]) > 1


@pytest.mark.parametrize("first", range(0, WITH_FAMILIES, CHUNK))
def test_universes_with_shared_runtimes_end_as_exhaustion_says(first: int) -> None:
    verdicts = Counter(
        check(family_case(seed), Exhaustion.has_answer) for seed in range(first, first + CHUNK)
    )
    assert min(verdicts["Resolution"], verdicts["Conflict"]) > CHUNK // 10


def test_shared_runtimes_decide_many_of_these_universes() -> None:
    """Else the tests above would say nothing of them."""
    turned = 0
    for seed in range(300):
        case = family_case(seed)
        everything = Exhaustion(problem_of(case), parse_universe(case.text))
        roots = everything.roots()
        turned += without_families(case).has_answer(roots) and not everything.has_answer(roots)
    assert turned > 20


@pytest.mark.parametrize("seed", range(200))
def test_a_recorded_implementation_is_kept_where_there_is_an_answer_with_it(seed: int) -> None:
    case = family_case(seed)
    chosen = tuple(structs.replace(family, wanted=None) for family in case.families)
    kept = tuple(structs.replace(each, chosen=None, kept=each.chosen) for each in chosen)
    free = problem_of(replace(case, families=kept))
    answer = resolve(free, parse_universe(case.text))
    wanted = resolve(problem_of(replace(case, families=chosen)), parse_universe(case.text))
    if isinstance(wanted, Resolution):
        assert isinstance(answer, Resolution)
        assert answer.chosen == wanted.chosen
    possible = Exhaustion(free, parse_universe(case.text))
    assert isinstance(answer, Resolution) == possible.has_answer(possible.roots()), case


def test_the_two_oracles_agree() -> None:
    for seed in range(600):
        case = small_case(seed) if seed % 2 else family_case(seed)
        if "yanked" not in case.text:
            everything = Exhaustion(problem_of(case), parse_universe(case.text))
            roots = everything.roots()
            assert has_answer(everything, roots) == everything.has_answer(roots), case


@pytest.mark.parametrize("seed", range(100))
def test_the_same_problem_has_the_same_answer(seed: int) -> None:
    case = small_case(seed)
    first = resolve(problem_of(case), parse_universe(case.text))
    assert resolve(problem_of(case), parse_universe(case.text)) == first


@pytest.mark.parametrize("seed", range(200))
def test_resolving_again_with_what_a_lock_kept_changes_nothing(seed: int) -> None:
    case = small_case(seed)
    problem = problem_of(case)
    answer = resolve(problem, parse_universe(case.text))
    if isinstance(answer, Resolution):
        locked = make_problem(
            *case.dependencies,
            groups=case.groups,
            constraints=case.constraints,
            overrides=case.overrides,
            prereleases=case.prereleases,
            preferred={n: str(one.candidate.version) for n, one in answer.chosen.items()},
            locked_files={n: one.candidate.filename for n, one in answer.chosen.items()},
        )
        assert resolve(locked, parse_universe(case.text)) == answer


if __name__ == "__main__":
    made = family_case if "families" in sys.argv else small_case
    total = Counter(
        check(made(seed), Exhaustion.has_answer)
        for seed in range(int(sys.argv[1]), int(sys.argv[2]))
    )
    print(dict(total))  # noqa: T201
