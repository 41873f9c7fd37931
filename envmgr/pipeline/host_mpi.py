"""The machine's own MPI in an environment: which one is meant, and whether it will do."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from envmgr.errors import DefinitionError
from envmgr.hardware.host import RealHost
from envmgr.names import PackageName
from envmgr.pipeline.world import World
from envmgr.runtime.abi import mpi_abis_needed, unserved
from envmgr.runtime.host_errors import NoHostMpi, SeveralHostMpis
from envmgr.runtime.host_search import AUTO, find_host_mpi
from envmgr.runtime.mpi import HostMpi
from envmgr.spec.types import EnvironmentSpec
from envmgr.target.types import Interpreter
from envmgr.wheel.manifest import Manifest


class UnservedAbi(DefinitionError):
    """Packages are compiled for another MPI than the one of the machine that is to serve."""

    def __init__(self, mpi: HostMpi, packages: tuple[PackageName, ...], file: Path) -> None:
        super().__init__(mpi, packages, file)
        self.mpi = mpi
        self.packages = packages
        self.file = file

    def __str__(self) -> str:
        return (
            f"{self.file} takes {self.mpi.title} for mpi, whose ABI is {self.mpi.abi.soname}, "
            f"and {', '.join(self.packages)} cannot use that"
        )

    @property
    def hint(self) -> str:
        """Either side can give way."""
        return "name an MPI of another ABI under `runtimes`, or take the packages out"


def host_mpi(
    spec: EnvironmentSpec, interpreter: Interpreter, manifests: Iterable[Manifest], world: World
) -> HostMpi | None:
    """Return the machine's MPI that an environment file means; ``None`` where it means none.

    Raises UnusableHostMpi, NoHostMpi, SeveralHostMpis, UnservedAbi.
    """
    mpi = find_mpi(spec, interpreter, world.environ)
    if mpi is None:
        return None
    lacking = unserved(mpi_abis_needed(manifests), {mpi.abi})
    if lacking:
        raise UnservedAbi(mpi, tuple(sorted(lacking)), spec.source)
    return mpi


def find_mpi(
    spec: EnvironmentSpec, interpreter: Interpreter, environ: Mapping[str, str]
) -> HostMpi | None:
    """Look for the machine's MPI that an environment file means."""
    wish = spec.runtimes.families.get("mpi")
    if wish is None or wish.host is None:
        return None
    said = wish.host if wish.host == AUTO else str(spec.source.parent / wish.host)
    return find_host_mpi(RealHost(environ), said, interpreter.platform.partition("-")[2])


def named(mpi: HostMpi | None) -> str:
    """Say which MPI of the machine serves, so that another one is noticed; empty for none."""
    if mpi is None:
        return ""
    return " ".join((mpi.library, mpi.soname, *mpi.launchers.values()))


def serves_still(
    before: str, spec: EnvironmentSpec, interpreter: Interpreter, environ: Mapping[str, str]
) -> bool:
    """Whether what served before, as ``named`` says it, is what the file means now.

    ``auto`` may find nothing while no module is loaded; that is no reason to change.
    """
    wish = spec.runtimes.families.get("mpi")
    try:
        return before == named(find_mpi(spec, interpreter, environ))
    except (NoHostMpi, SeveralHostMpis):
        return bool(before) and wish is not None and wish.host == AUTO
