import pytest

from envmgr.runtime.mpi.abi import MpiAbi
from envmgr.runtime.mpi.identity import (
    UNKNOWN,
    Identity,
    can_launch,
    identify_library,
    identify_output,
)
from tests.support.mpis import SAYS, TEXTS


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("mpich", "5.0.2"),
        ("openmpi", "5.0.11"),
        ("impi", "2021.18.1"),
        ("cray-mpich", "8.1.25"),
        ("mvapich", "3.0"),
    ],
)
def test_a_library_is_told_by_its_text(kind: str, version: str) -> None:
    assert identify_library(TEXTS[kind]) == Identity(kind, version)


def test_a_library_without_a_version_is_told_all_the_same() -> None:
    assert identify_library(b"Open MPI v%d.%d") == Identity("openmpi", None)
    assert identify_library(b"an abacus") == UNKNOWN


@pytest.mark.parametrize(
    ("says", "identity"),
    [
        (SAYS["mpich"], Identity("mpich", "5.0.2")),
        (SAYS["mpichversion"], Identity("mpich", "5.0.2")),
        (SAYS["openmpi"], Identity("openmpi", "5.0.11")),
        (SAYS["ompi_info"], Identity("openmpi", "5.0.11")),
        ("mpiexec (Open MPI) 4.0.3\n", Identity("openmpi", "4.0.3")),
        (SAYS["impi"], Identity("impi", "2021.18.1")),
        ("slurm 22.05", UNKNOWN),
    ],
)
def test_a_program_is_told_by_what_it_says(says: str, identity: Identity) -> None:
    assert identify_output(says) == identity


@pytest.mark.parametrize(
    ("launcher", "library", "abi", "can"),
    [
        ("mpich", "mpich", MpiAbi.MPICH, True),
        ("mpich", "mvapich", MpiAbi.MPICH, True),
        ("impi", "impi", MpiAbi.MPICH, True),
        ("mpich", "unknown", MpiAbi.MPICH, True),
        ("openmpi", "mpich", MpiAbi.MPICH, False),
        ("mpich", "openmpi", MpiAbi.OPENMPI, False),
        ("openmpi", "openmpi", MpiAbi.OPENMPI, True),
        ("openmpi", "unknown", MpiAbi.OPENMPI, True),
        ("openmpi", "openmpi", MpiAbi.FORUM, True),
        ("mpich", "mpich", MpiAbi.FORUM, True),
        ("unknown", "unknown", MpiAbi.MPICH, False),
    ],
)
def test_an_mpiexec_starts_programs_of_its_own_kind(
    launcher: str, library: str, abi: MpiAbi, can: bool
) -> None:
    assert can_launch(launcher, library, abi) is can
