"""An MPI of the machine, and what a view needs to run on it."""

import shlex
from collections.abc import Mapping

from msgspec import Struct

from envmgr.runtime.mpi.abi import MpiAbi
from envmgr.runtime.mpi.alias import render_alias


class HostMpi(Struct, frozen=True, kw_only=True):
    """An MPI of the machine, which an environment may use instead of a wheel's.

    Paths are absolute. What cannot be told is ``None``, or ``unknown``.
    """

    library: str
    """Where the library really is, with the links on the way followed, so that it finds what
    stands beside it; called by its SONAME there, if it can be, which an upgrade keeps."""
    soname: str
    """Its own; not always the one that programs of this ABI ask for."""
    abi: MpiAbi
    implementation: str
    """``mpich``, ``openmpi``, ``impi``, ``mvapich``, ``cray-mpich`` or ``unknown``."""
    version: str | None
    machine: str
    """``x86_64``, ``aarch64``, ... as ``ElfFacts`` has it."""
    launchers: Mapping[str, str]
    """``mpiexec`` and ``mpirun``, as far as there are any that start programs of this MPI."""
    origin: str
    """What told of it: ``MPI_HOME``, ``mpicc``, ``ldconfig``, ``the environment file``."""

    @property
    def title(self) -> str:
        """``openmpi 4.1.4 (/usr/lib/x86_64-linux-gnu/libmpi.so.40)``."""
        version = f" {self.version}" if self.version else ""
        return f"{self.implementation}{version} ({self.library})"


class HostFile(Struct, frozen=True):
    """A file of a view that leads to the host's MPI."""

    content: bytes
    executable: bool


def host_files(mpi: HostMpi) -> Mapping[str, HostFile]:
    """Return what a view needs to run on a host's MPI, by path in the view.

    ``lib/libmpi.so.12`` (or the ABI's other name) is an alias library: mpi4py looks
    there by itself, and the host's library is loaded from its own place. ``bin/mpiexec``
    and ``bin/mpirun`` call the host's by its own path, since a link would make Hydra look
    for its parts in the view, and any other ``mpiexec`` on PATH may be another MPI's.
    """
    alias = render_alias(mpi.abi.soname, mpi.library, mpi.machine)
    scripts = {
        f"bin/{name}": HostFile(_render_launcher(path), executable=True)
        for name, path in mpi.launchers.items()
    }
    return {f"lib/{mpi.abi.soname}": HostFile(alias, executable=False), **scripts}


def _render_launcher(path: str) -> bytes:
    return f'#!/bin/sh\nexec {shlex.quote(path)} "$@"\n'.encode("utf-8", "surrogateescape")


def mpi_variables(abi: MpiAbi) -> Mapping[str, str]:
    """Return what mpi4py must be told of the MPI in the view, for the start-up file.

    By itself it finds the same library, and where that cannot be loaded (an older libfabric
    on LD_LIBRARY_PATH is enough) goes on to any other MPI of the machine without a word:
    every process is then a world of its own. Told a path, it says what is wrong with it.
    """
    return {"MPI4PY_LIBMPI": f"{{prefix}}/lib/{abi.soname}"}


def host_variables(mpi: HostMpi) -> Mapping[str, str]:
    """Return what mpi4py must be told of a host's MPI, for the start-up file.

    Intel's own path comes first: mpi4py loads the libfabric that belongs to it from around
    the path, and without that a libfabric of the system is taken.
    """
    told = mpi_variables(mpi.abi)
    if mpi.implementation == "impi" and mpi.soname == mpi.abi.soname:
        return {name: f"{mpi.library}:{value}" for name, value in told.items()}
    return told
