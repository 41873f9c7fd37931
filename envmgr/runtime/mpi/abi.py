"""The ABIs of MPI libraries for C, told by SONAMEs."""

import re
from enum import StrEnum


class MpiAbi(StrEnum):
    """What a program was compiled for; libraries of one ABI stand in for each other."""

    MPICH = "mpich"
    """The MPICH ABI initiative: MPICH, Intel MPI, MVAPICH, Cray MPICH."""
    OPENMPI = "openmpi"
    """Open MPI 2 to 5."""
    FORUM = "mpiabi"
    """The MPI Forum's own (MPI 5.0, chapter 20)."""

    @property
    def soname(self) -> str:
        """What a program of this ABI asks the loader for."""
        return _CANONICAL[self]


_CANONICAL = {
    MpiAbi.MPICH: "libmpi.so.12",
    MpiAbi.OPENMPI: "libmpi.so.40",
    MpiAbi.FORUM: "libmpi_abi.so.1",
}
_SPELLINGS = (
    (re.compile(r"libmpi_abi\.so\.1"), MpiAbi.FORUM),
    (re.compile(r"libmpi\.so\.40"), MpiAbi.OPENMPI),
    (re.compile(r"libmpi(ch)?(_[a-z]+(_\d+)*)?\.so\.12"), MpiAbi.MPICH),
)
_NOT_C = frozenset({"cxx", "fort", "ilp64", "java", "abi", "mpifh", "usempi", "usempif08"})
"""Bindings for other languages: ``libmpi_cxx.so.12``."""


def abi_of_soname(soname: str) -> MpiAbi | None:
    """Tell the ABI of an MPI library for C by its SONAME; ``None`` for any other library.

    MPICH's is ``libmpi.so.12``, Debian's spelling of it ``libmpich.so.12``, and Cray's
    names the compiler: ``libmpi_gnu_123.so.12``.
    """
    for pattern, abi in _SPELLINGS:
        found = pattern.fullmatch(soname)
        if found is not None and (not found.lastindex or not _names_binding(soname)):
            return abi
    return None


def _names_binding(soname: str) -> bool:
    return soname.partition(".")[0].removeprefix("libmpi_") in _NOT_C
