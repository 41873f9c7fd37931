"""MPIs for a machine of thought: libraries with the text that tells them, and their programs."""

from envmgr.hardware.host import CommandFailed, Ran
from tests.support.elves import Elf
from tests.support.host import FakeHost

TEXTS = {
    "mpich": b"\0MPICH Version:      %s\0\0005.0.2\0",
    "openmpi": b"\0v5.0.11rc1\0Open MPI v%d.%d.%d\0",
    "impi": b"\0Intel(R) MPI Library %s for Linux* OS\0002021.18.1\0MPICH Version:\0",
    "cray-mpich": b"\0MPICH Version:\0MPI VERSION    : CRAY MPICH version 8.1.25 (ANL base)\0",
    "mvapich": b"\0MVAPICH Version:      %s\0\0003.0\0MPICH Version:\0",
}
SAYS = {
    "mpich": "HYDRA build details:\n    Version:                                 5.0.2\n",
    "openmpi": "mpiexec.openmpi (OpenRTE) 5.0.11\n",
    "impi": "Intel(R) MPI Library for Linux* OS, Version 2021.18.1 Build 20260626\n",
    "mpichversion": "MPICH Version:      5.0.2\nMPICH ABI:          18:2:6\n",
    "ompi_info": "Open MPI v5.0.11\n",
}


def mpi_library(kind: str, soname: str | None, machine: int = 62, bits: int = 64) -> bytes:
    """Write a library with the SONAME and the text of an implementation."""
    return bytes(Elf(soname=soname, machine=machine, bits=bits)) + TEXTS.get(kind, b"")


def put_library(host: FakeHost, path: str, kind: str, soname: str | None) -> None:
    """Put a library at ``path``."""
    host.files[path] = mpi_library(kind, soname)


def put_program(host: FakeHost, path: str, says: str | CommandFailed) -> None:
    """Put a program that says what it is, whatever it is asked."""
    host.add_program(path, {"": Ran(0, says, "") if isinstance(says, str) else says})
