"""The machine's own MPI in an environment: which one is meant, and whether it is still that."""

import re
from collections.abc import Mapping

from envmgr.hardware.host import RealHost
from envmgr.runtime.mpi.errors import NoHostMpi, SeveralHostMpis
from envmgr.runtime.mpi.host import HostMpi
from envmgr.runtime.mpi.search import AUTO, find_host_mpi
from envmgr.spec.types import EnvironmentSpec
from envmgr.target.types import Interpreter


def find_mpi(
    spec: EnvironmentSpec, interpreter: Interpreter, environ: Mapping[str, str]
) -> HostMpi | None:
    """Look for the machine's MPI that an environment file means; ``None`` where it means none.

    Raises UnusableHostMpi, NoHostMpi, SeveralHostMpis.
    """
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


def library_of(host: str) -> str | None:
    """Return the path of the library out of what ``named`` said."""
    found = re.match(r".*?\.so[^ /]*(?= )", host)
    return None if found is None else found[0]


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
