"""Which MPI a library or a program is, by what it carries and what it says."""

import re

from msgspec import Struct

from envmgr.runtime.mpi.abi import MpiAbi


class Identity(Struct, frozen=True):
    """Name and version of an MPI; the version is ``None`` where nothing tells it."""

    name: str
    version: str | None


UNKNOWN = Identity("unknown", None)

_MARKS = (
    (b"Intel(R) MPI Library", "impi", rb"\0(20\d\d\.\d+(?:\.\d+)?)\0"),
    (b"CRAY MPICH version", "cray-mpich", rb"CRAY MPICH version (\d[\w.]*)"),
    (b"MVAPICH", "mvapich", rb"\0([2-9]\.\d+(?:\.\d+)?(?:[a-z]+\d*)?)\0"),
    (b"Open MPI v", "openmpi", rb"\0v(\d+\.\d+\.\d+)(?:[a-z]\w*)?\0"),
    (b"MPICH Version:", "mpich", rb"\0([1-9]\.\d+(?:\.\d+)?(?:(?:a|b|rc)\d+)?)\0"),
)
"""Text in the library, what it means, and where the version stands. The forks of MPICH
carry its text too, so that they come first."""

_SAID = (
    (re.compile(r"Intel\(R\) MPI Library.*?Version (\d[\w.]*)"), "impi"),
    (re.compile(r"MVAPICH2? Version:\s*(\S+)"), "mvapich"),
    (re.compile(r"MPICH Version:\s*(\S+)"), "mpich"),
    (re.compile(r"(?:Open MPI v|\(Open MPI\) |\(OpenRTE\) |\(PRRTE\) )(\d\S*)"), "openmpi"),
    (re.compile(r"HYDRA build details:\s+Version:\s*(\S+)"), "mpich"),
)
"""What ``mpichversion``, ``ompi_info --version`` and ``mpiexec --version`` say."""


def identify_library(data: bytes) -> Identity:
    """Tell an MPI library by its text, without loading it."""
    for mark, name, version in _MARKS:
        if mark in data:
            found = re.search(version, data)
            return Identity(name, found[1].decode("ascii") if found else None)
    return UNKNOWN


def identify_output(text: str) -> Identity:
    """Tell an MPI by what a program of it says of its version."""
    for pattern, name in _SAID:
        found = pattern.search(text)
        if found is not None:
            return Identity(name, found[1])
    return UNKNOWN


def can_launch(launcher: str, library: str, abi: MpiAbi) -> bool:
    """Tell whether one MPI's ``mpiexec`` starts programs of a library as one world.

    Hydra speaks PMI with whatever descends from MPICH; Intel's is a Hydra too.
    """
    if launcher == "unknown":
        return False
    return (launcher == "openmpi") == (library == "openmpi" or abi is MpiAbi.OPENMPI)
