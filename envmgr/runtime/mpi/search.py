"""Find the MPIs of a machine, and tell which of them is meant.

What a loaded module says comes before what is on PATH, and that before what merely
is there (``Tier``). A wheel's MPI in an activated environment is not the host's.
"""

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum

from msgspec import Struct

from envmgr.hardware.host import CommandFailed, Host
from envmgr.runtime.mpi.errors import NoHostMpi, SeveralHostMpis, UnusableHostMpi
from envmgr.runtime.mpi.host import HostMpi
from envmgr.runtime.mpi.identity import can_launch
from envmgr.runtime.mpi.reading import ask_version, mpi_libraries, read_host_mpi

AUTO = "auto"
VARIABLES = (
    "MPI_HOME", "MPI_ROOT", "I_MPI_ROOT", "CRAY_MPICH_DIR", "MPICH_DIR", "MPI_LIB",
    "OMPI_DIR", "OPENMPI_DIR", "OPENMPI_ROOT", "OPENMPI_HOME", "OPAL_PREFIX",
    "MPICH_ROOT", "MPICH_HOME", "MVAPICH_DIR", "MVAPICH2_DIR",
    "EBROOTOPENMPI", "EBROOTMPICH", "EBROOTIMPI", "EBROOTMVAPICH2",
)  # fmt: skip
"""What sites' modules set, EasyBuild's and Cray's among them; most are prefixes."""
_BELOW = ("lib-abi-mpich", "lib", "lib64", "lib/release", "")
_ENVIRONMENTS = ("VIRTUAL_ENV", "ENVMGR_PREFIX", "CONDA_PREFIX")
_TELLERS = ("mpichversion", "ompi_info")
_LDCONFIG = ("/sbin/ldconfig", "/usr/sbin/ldconfig")
_TIMEOUT = 10.0
"""Seconds."""
_CACHED = re.compile(r"^\s+libmpi\S* \([^)]*\) => (/\S+)$", re.MULTILINE)


class Tier(IntEnum):
    """How much a find says about what the user means; lower is more."""

    LOADED = 0
    """A variable of a module, or of the user."""
    ON_PATH = 1
    """The mpicc and mpiexec that the user's shell would start."""
    PRESENT = 2


class _Lead(Struct, frozen=True):
    """Directories that may hold an MPI library, and who says so."""

    tier: Tier
    origin: str
    directories: tuple[str, ...]
    launcher: str | None = None
    """What the mpiexec is that led here; libraries of other MPIs beside it are not meant."""
    everywhere: bool = False
    """Whether every directory counts, as of a machine; of a prefix the first that has one does."""

    def means(self, mpi: HostMpi) -> bool:
        """Tell whether a library in these directories is what was led to."""
        return self.launcher is None or can_launch(self.launcher, mpi.implementation, mpi.abi)


class Found(Struct, frozen=True):
    """The MPIs of a machine, the most likely first; ``unsuitable`` cannot serve, with why."""

    candidates: tuple[tuple[Tier, HostMpi], ...]
    unsuitable: tuple[UnusableHostMpi, ...]

    @property
    def mpis(self) -> tuple[HostMpi, ...]:
        """Return them without their tiers."""
        return tuple(mpi for _, mpi in self.candidates)


def find_host_mpi(host: Host, said: str, machine: str) -> HostMpi:
    """Return the MPI that ``{host: ...}`` means: ``auto``, or an absolute path.

    Raises UnusableHostMpi for a path, NoHostMpi and SeveralHostMpis for ``auto``.
    """
    if said == AUTO:
        return choose_host_mpi(detect_host_mpi(host, machine), machine)
    return read_host_mpi(host, said, machine)


def detect_host_mpi(host: Host, machine: str) -> Found:
    """Look for MPIs whose programs an interpreter for ``machine`` could load.

    Runs mpicc, mpiexec, mpichversion, ompi_info and ldconfig, as far as there are any.
    """
    search = _Search(host, machine)
    for lead in _leads(host, machine):
        for directory in lead.directories:
            if search.look_into(directory, lead) and not lead.everywhere:
                break
    return Found(tuple(search.found.values()), tuple(search.unsuitable.values()))


class _Search:
    """What was found so far, by the real path of each library."""

    def __init__(self, host: Host, machine: str) -> None:
        self._host = host
        self._machine = machine
        self.found: dict[str, tuple[Tier, HostMpi]] = {}
        self.unsuitable: dict[str, UnusableHostMpi] = {}

    def look_into(self, directory: str, lead: _Lead) -> bool:
        """Take what is meant in a directory; tell whether there was any."""
        taken = [self._take(path, lead) for path in mpi_libraries(self._host, (directory,))]
        return any(taken)

    def _take(self, path: str, lead: _Lead) -> bool:
        real = self._host.real_path(path)
        if real in self.found:
            return lead.means(self.found[real][1])
        if real in self.unsuitable or _in_an_environment(self._host, real):
            return False
        try:
            mpi = read_host_mpi(self._host, path, self._machine, lead.origin)
        except UnusableHostMpi as error:
            self.unsuitable[real] = error
            return False
        if lead.means(mpi):
            self.found[real] = lead.tier, mpi
        return lead.means(mpi)


def choose_host_mpi(found: Found, machine: str) -> HostMpi:
    """Return the one that is meant: the only one of the best tier.

    Raises NoHostMpi, SeveralHostMpis.
    """
    if not found.candidates:
        raise NoHostMpi(machine, found.unsuitable)
    best = min(tier for tier, _ in found.candidates)
    meant = [mpi for tier, mpi in found.candidates if tier is best]
    if len(meant) > 1:
        raise SeveralHostMpis(meant)
    return meant[0]


def _leads(host: Host, machine: str) -> Iterator[_Lead]:
    yield from _leads_of_variables(host.environ)
    path = _search_path(host)
    mpicc = _which(host, path, "mpicc")
    if mpicc is not None:
        yield _Lead(Tier.ON_PATH, "mpicc", _compiler_directories(host, mpicc))
    mpiexec = _which(host, path, "mpiexec")
    if mpiexec is not None:
        said = ask_version(host, mpiexec)
        launcher = said.name if said is not None else "unknown"
        yield _Lead(Tier.ON_PATH, "mpiexec", _around(host, mpiexec, machine), launcher)
    for name in _TELLERS:
        teller = _which(host, path, name)
        if teller is not None:
            said = ask_version(host, teller)
            launcher = said.name if said is not None else "unknown"
            yield _Lead(Tier.PRESENT, name, _around(host, teller, machine), launcher)
    cached, known = _cached_directories(host), _known_directories(host, machine)
    yield _Lead(Tier.PRESENT, "ldconfig", cached, everywhere=True)
    yield _Lead(Tier.PRESENT, "the system's directories", known, everywhere=True)


def _leads_of_variables(environ: Mapping[str, str]) -> Iterator[_Lead]:
    for name in VARIABLES:
        value = environ.get(name, "")
        if posixpath.isabs(value):
            below = tuple(posixpath.join(value, each) for each in _BELOW)
            yield _Lead(Tier.LOADED, name, below)
    searched = environ.get("LD_LIBRARY_PATH", "").split(":")
    directories = tuple(each for each in searched if posixpath.isabs(each))
    yield _Lead(Tier.LOADED, "LD_LIBRARY_PATH", directories)


def _search_path(host: Host) -> tuple[str, ...]:
    """Return PATH without the programs of environments."""
    written = host.environ.get("PATH", "").split(":")
    return tuple(
        each for each in written if posixpath.isabs(each) and not _in_an_environment(host, each)
    )


def _in_an_environment(host: Host, path: str) -> bool:
    tops = (host.environ.get(name, "").rstrip("/") for name in _ENVIRONMENTS)
    own = any(top and (path == top or path.startswith(f"{top}/")) for top in tops)
    return own or "/v1/entries/" in path or "/.envmgr/generations/" in path


def _which(host: Host, path: Sequence[str], name: str) -> str | None:
    for directory in path:
        program = posixpath.join(directory, name)
        stamp = host.stamp(program)
        if stamp is not None and stamp.executable:
            return program
    return None


def _compiler_directories(host: Host, mpicc: str) -> tuple[str, ...]:
    """Ask an MPI's compiler where it would link from; ``-show`` is known to all of them."""
    try:
        ran = host.run([mpicc, "-show"], _TIMEOUT, {})
        words = shlex.split(ran.output)
    except (CommandFailed, ValueError):
        return ()
    if ran.status != 0:
        return ()
    told = (word.removeprefix("-L") for word in words if word.startswith("-L/"))
    named = {word.removeprefix("-l") for word in words if word.startswith("-l")}
    directories = tuple(dict.fromkeys(told))
    return directories if named & {"mpi", "mpich"} or not named else ()


def _around(host: Host, program: str, machine: str) -> tuple[str, ...]:
    """Return where the libraries of a program's prefix may stand."""
    tops = (
        posixpath.dirname(posixpath.dirname(each)) for each in (program, host.real_path(program))
    )
    below = (*_BELOW[:-1], f"lib/{machine}-linux-gnu")
    return tuple(dict.fromkeys(posixpath.join(top, each) for top in tops for each in below))


def _cached_directories(host: Host) -> tuple[str, ...]:
    for program in _LDCONFIG:
        if host.stamp(program) is None:
            continue
        try:
            ran = host.run([program, "-p"], _TIMEOUT, {})
        except CommandFailed:
            continue
        paths = (posixpath.dirname(found[1]) for found in _CACHED.finditer(ran.output))
        return tuple(dict.fromkeys(paths))
    return ()


def _known_directories(host: Host, machine: str) -> tuple[str, ...]:
    """Debian's, RHEL's and SUSE's places; RHEL has a directory for each MPI and compiler."""
    debian = f"/usr/lib/{machine}-linux-gnu"
    suse = "/usr/lib64/mpi/gcc"
    return (
        debian,
        f"{debian}/openmpi/lib",
        f"{debian}/mpich/lib",
        *(
            f"/usr/lib64/{name}/lib"
            for name in sorted(host.list_directory("/usr/lib64"))
            if name.startswith(("mpich", "openmpi", "mvapich"))
        ),
        *(f"{suse}/{name}/lib64" for name in sorted(host.list_directory(suse))),
        "/usr/lib64",
        "/usr/local/lib",
    )
