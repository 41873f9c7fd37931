"""What an environment file wishes of runtimes, held against the recipes."""

from pathlib import Path

import pytest

from envmgr.names import PackageName
from envmgr.runtime.choice import check_system, choose
from envmgr.runtime.recipes.catalog import read_catalog
from envmgr.runtime.types import HOST, VENDORED, Choice, RuntimeCatalog
from envmgr.spec.problems import EnvironmentFileInvalid, Place
from envmgr.spec.runtimes import Runtimes, RuntimeWish

FILE = Path("/srv/environment.yaml")
CATALOG: RuntimeCatalog = read_catalog()


def wish(implementation: str | None = None, **rest: object) -> RuntimeWish:
    return RuntimeWish(implementation, at=Place(7, 12), **rest)  # type: ignore[arg-type]


def refusals(**families: RuntimeWish) -> list[tuple[int, int, str, str | None]]:
    with pytest.raises(EnvironmentFileInvalid) as refused:
        choose(CATALOG, Runtimes(families=families), FILE)
    problems = refused.value.problems
    assert all(each.file == FILE for each in problems)
    return [(each.line, each.column, each.message, each.hint) for each in problems]


def test_families_that_the_file_does_not_speak_of_are_left_out() -> None:
    assert choose(CATALOG, Runtimes(), FILE) == {}


def test_an_implementation_and_who_is_left_apart() -> None:
    apart = frozenset({PackageName("torch")})
    families = {"openmp": wish("intel", apart=apart), "blas": wish(), "mpi": wish(VENDORED)}
    assert choose(CATALOG, Runtimes(families=families), FILE) == {
        "openmp": Choice("intel", apart),
        "blas": Choice(),
        "mpi": Choice(VENDORED),
    }


def test_vendored_is_said_of_every_family_support_too() -> None:
    chosen = choose(CATALOG, Runtimes(vendored=True), FILE)
    assert chosen == {family.name: Choice(VENDORED) for family in CATALOG.families}
    assert "gfortran" in chosen


def test_a_library_of_the_machine() -> None:
    families = {"mpi": wish(host="auto")}
    assert choose(CATALOG, Runtimes(families=families), FILE) == {"mpi": Choice(HOST)}


def test_an_unknown_family_gets_the_nearest_word() -> None:
    ((line, column, message, hint),) = refusals(openmpp=wish("gnu"))
    assert (line, column) == (7, 12)
    assert message == "no recipe knows the runtime `openmpp`"
    assert hint is not None
    assert "openmp" in hint


def test_a_family_unlike_any_gets_all_there_are() -> None:
    ((_, _, _, hint),) = refusals(zzzzzzzz=wish("gnu"))
    assert hint == "write one of blas, gfortran, mpi, openmp, quadmath"


def test_an_unknown_implementation_gets_the_nearest_word() -> None:
    ((_, _, message, hint),) = refusals(blas=wish("opnblas"))
    assert message == "no recipe knows `opnblas` as an implementation of blas"
    assert hint is not None
    assert "openblas" in hint


def test_an_implementation_unlike_any_gets_all_there_are() -> None:
    ((_, _, _, hint),) = refusals(blas=wish("zzzzzzzzzzz"))
    assert hint == "write one of openblas, mkl, accelerate, vendored"


def test_an_implementation_of_another_family_is_unknown() -> None:
    assert len(refusals(blas=wish("gnu"))) == 1


def test_only_mpi_can_be_the_machines() -> None:
    ((_, _, message, hint),) = refusals(blas=wish(host="/usr/lib/libblas.so.3"))
    assert message == "`host` is not supported for blas"
    assert hint == "write one of openblas, mkl, accelerate"


def test_everything_wrong_is_told_at_once() -> None:
    assert len(refusals(blas=wish("x"), other=wish("y"), openmp=wish(host="auto"))) == 3


def test_what_another_system_has_is_refused_where_the_file_says_it() -> None:
    runtimes = Runtimes(families={"blas": wish("accelerate"), "openmp": wish("gnu")})
    assert choose(CATALOG, runtimes, FILE)["blas"] == Choice("accelerate")
    check_system(CATALOG, runtimes, FILE, "macos")
    with pytest.raises(EnvironmentFileInvalid) as refused:
        check_system(CATALOG, runtimes, FILE, "linux")
    (problem,) = refused.value.problems
    assert (problem.file, problem.line, problem.column) == (FILE, 7, 12)
    assert problem.message == "`accelerate` is there as blas on macos alone, not on linux"
    assert problem.hint == "write one of openblas, mkl, vendored"
