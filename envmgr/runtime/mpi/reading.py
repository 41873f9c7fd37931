"""Read a site's own MPI: the library that ``{host: PATH}`` names, or that was found.

Nothing of it is loaded or linked; its facts come from its ELF headers and its text.
"""

import posixpath
from collections.abc import Iterable, Iterator

from envmgr.hardware.host import CommandFailed, Host
from envmgr.runtime.mpi.abi import MpiAbi, abi_of_soname
from envmgr.runtime.mpi.alias import can_alias
from envmgr.runtime.mpi.errors import UnusableHostMpi
from envmgr.runtime.mpi.host import HostMpi
from envmgr.runtime.mpi.identity import (
    UNKNOWN,
    Identity,
    can_launch,
    identify_library,
    identify_output,
)
from envmgr.wheel.elf import ELF_MAGIC, parse_elf
from envmgr.wheel.manifest import ElfFacts

FILE = "the environment file"
_LARGEST = 1 << 30
"""Bytes of the largest library that is read; those known are under 70 MB."""
_TIMEOUT = 10.0
"""Seconds that a program may take to tell its version."""
_LIBRARY_DIRECTORIES = ("", "lib-abi-mpich", "lib", "lib64", "lib/release", "release")
"""Where a prefix has its MPI library; Cray's for MPICH's ABI and Intel's stand deeper."""
_LEVELS = 4
"""How far above a library the prefix can be: ``PREFIX/lib/x86_64-linux-gnu/openmpi/lib``."""


def read_host_mpi(host: Host, path: str, machine: str, origin: str = FILE) -> HostMpi:
    """Read the MPI at ``path``, absolute: a library, or a prefix with one in lib or lib64.

    ``machine`` is what the environment's interpreter was built for. Runs the
    ``mpiexec`` beside it, to know whose it is. Raises UnusableHostMpi.
    """
    if not posixpath.isabs(path):
        raise UnusableHostMpi(path, "it is not an absolute path", "write the path from / on")
    if host.stamp(path) is not None:
        return _read_library(host, path, machine, origin)
    found = mpi_libraries(host, (posixpath.join(path, each) for each in _directories(machine)))
    if not found:
        listed = bool(host.list_directory(path))
        reason = "it holds no MPI library in lib or lib64" if listed else "there is no such file"
        raise UnusableHostMpi(path, reason, "name the library itself, libmpi.so.12 or libmpi.so.40")
    if len(found) > 1:
        raise UnusableHostMpi(path, f"it holds several: {', '.join(found)}", "name one of them")
    return _read_library(host, found[0], machine, origin)


def _directories(machine: str) -> Iterator[str]:
    yield from _LIBRARY_DIRECTORIES
    yield f"lib/{machine}-linux-gnu"


def mpi_libraries(host: Host, directories: Iterable[str]) -> tuple[str, ...]:
    """Return the MPI libraries for C in the first directory that has any, each name once.

    Of ``libmpi.so.12`` and ``libmpi.so.12.0``, links or copies, the shorter counts; the
    Forum's ABI only where there is no other, since wheels do not ask for it yet.
    """
    for directory in directories:
        known: dict[str, tuple[MpiAbi, str]] = {}
        for name in sorted(host.list_directory(directory), key=len):
            soname = _soname_of(name)
            abi = abi_of_soname(soname)
            path = posixpath.join(directory, name)
            if abi is not None and host.stamp(path) is not None:
                known.setdefault(soname, (abi, path))
        native = {path for abi, path in known.values() if abi is not MpiAbi.FORUM}
        paths = native or {path for _, path in known.values()}
        if paths:
            return tuple({host.real_path(path): path for path in sorted(paths)}.values())
    return ()


def _soname_of(filename: str) -> str:
    """Shorten a file's name to what its SONAME ought to be: ``libmpi.so.40.30.4``."""
    stem, mark, number = filename.partition(".so.")
    return f"{stem}{mark}{number.partition('.')[0]}"


def _read_library(host: Host, path: str, machine: str, origin: str) -> HostMpi:
    real = host.real_path(path)
    data = host.read_bytes(real, _LARGEST)
    if data is None:
        raise UnusableHostMpi(path, "it cannot be read", "ask for leave to read it")
    facts = _check(path, data, machine)
    soname, abi = _check_abi(path, facts)
    if any(special in real for special in ("$", ":", "\n")):
        raise UnusableHostMpi(path, f"the loader cannot be told a path like {real!r}")
    identity = identify_library(data)
    launchers, said = _launchers(host, real, identity, abi)
    if identity.version is None and said.name == identity.name:
        identity = said
    return HostMpi(
        library=_lasting_path(host, real, soname),
        soname=soname,
        abi=abi,
        implementation=identity.name,
        version=identity.version,
        machine=facts.machine,
        launchers=launchers,
        origin=origin,
    )


def _lasting_path(host: Host, real: str, soname: str) -> str:
    """Name a library by its SONAME where its directory does so too: upgrades keep that name."""
    named = posixpath.join(posixpath.dirname(real), soname)
    return named if host.real_path(named) == real and host.stamp(named) is not None else real


def _check(path: str, data: bytes, machine: str) -> ElfFacts:
    facts = parse_elf(data, path)
    if facts is None:
        reason = "it is no shared library"
        if data[:4] != ELF_MAGIC and b"libmpi" in data[:4096]:
            reason = "it is a text for the linker"
        raise UnusableHostMpi(path, reason, "name the library itself, libmpi.so.12 or libmpi.so.40")
    if facts.machine != machine or facts.bits != 64:
        reason = f"it is for {facts.machine} with {facts.bits} bits, and Python for {machine}"
        raise UnusableHostMpi(path, reason, f"name a library for {machine}")
    if not can_alias(machine):
        raise UnusableHostMpi(path, f"a host's MPI cannot be used on {machine} yet")
    return facts


def _check_abi(path: str, facts: ElfFacts) -> tuple[str, MpiAbi]:
    if facts.soname is None:
        raise UnusableHostMpi(path, "it has no SONAME, which would tell its ABI")
    abi = abi_of_soname(facts.soname)
    if abi is None:
        reason = f"its SONAME {facts.soname} is of no ABI that packages ask for"
        known = ", ".join(each.soname for each in MpiAbi)
        raise UnusableHostMpi(path, reason, f"name a library whose SONAME is one of {known}")
    return facts.soname, abi


def _launchers(
    host: Host, library: str, identity: Identity, abi: MpiAbi
) -> tuple[dict[str, str], Identity]:
    """Find mpiexec and mpirun near a library, and what they say they are."""
    found: dict[str, str] = {}
    said = UNKNOWN
    directory = posixpath.dirname(library)
    for _ in range(_LEVELS):
        directory = posixpath.dirname(directory)
        for name in ("mpiexec", "mpirun"):
            path = None if name in found else _launcher(host, directory, name, identity, abi)
            if path is not None:
                found[name], said = path
    return found, said


def _launcher(
    host: Host, prefix: str, name: str, identity: Identity, abi: MpiAbi
) -> tuple[str, Identity] | None:
    """Return the program of this name in ``prefix/bin`` that starts programs of this MPI."""
    for spelling in (f"{name}.{identity.name}", name, f"{name}.hydra"):
        path = posixpath.join(prefix, "bin", spelling)
        said = ask_version(host, path)
        if said is not None and can_launch(said.name, identity.name, abi):
            return path, said
    return None


def ask_version(host: Host, program: str, option: str = "--version") -> Identity | None:
    """Ask a program of an MPI what it is; ``None`` where there is no such program."""
    stamp = host.stamp(program)
    if stamp is None or not stamp.executable:
        return None
    try:
        ran = host.run([program, option], _TIMEOUT, {})
    except CommandFailed:
        return UNKNOWN
    return identify_output(ran.output + ran.errors)
