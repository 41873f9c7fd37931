import pytest

from envmgr.runtime.mpi.abi import MpiAbi
from envmgr.runtime.mpi.host import HostMpi, host_files, host_variables, mpi_variables
from envmgr.wheel.elf import parse_elf


def host_mpi(
    library: str = "/usr/lib/libmpich.so.12.2.2",
    soname: str = "libmpich.so.12",
    implementation: str = "mpich",
) -> HostMpi:
    return HostMpi(
        library=library,
        soname=soname,
        abi=MpiAbi.MPICH,
        implementation=implementation,
        version="4.0.2",
        machine="x86_64",
        launchers={"mpiexec": "/usr/bin/mpiexec.mpich", "mpirun": "/opt/it's here/mpirun"},
        origin="MPI_HOME",
    )


def test_a_view_has_the_library_under_the_name_that_programs_ask_for() -> None:
    file = host_files(host_mpi())["lib/libmpi.so.12"]

    facts = parse_elf(file.content, "lib/libmpi.so.12")
    assert facts is not None
    assert (facts.soname, facts.needed) == ("libmpi.so.12", ("/usr/lib/libmpich.so.12.2.2",))
    assert not file.executable


def test_a_view_has_programs_that_call_the_hosts_by_their_own_paths() -> None:
    files = host_files(host_mpi())

    mpiexec, mpirun = files["bin/mpiexec"], files["bin/mpirun"]
    assert mpiexec.executable
    assert mpiexec.content == b'#!/bin/sh\nexec /usr/bin/mpiexec.mpich "$@"\n'
    assert b"""exec '/opt/it'"'"'s here/mpirun' "$@\"""" in mpirun.content


@pytest.mark.parametrize("abi", MpiAbi)
def test_mpi4py_is_told_the_library_of_the_view(abi: MpiAbi) -> None:
    assert mpi_variables(abi) == {"MPI4PY_LIBMPI": f"{{prefix}}/lib/{abi.soname}"}
    assert host_variables(host_mpi()) == mpi_variables(MpiAbi.MPICH)


def test_of_intels_mpi4py_is_told_where_it_really_is() -> None:
    intels = host_mpi("/opt/intel/lib/libmpi.so.12", "libmpi.so.12", "impi")

    told = host_variables(intels)["MPI4PY_LIBMPI"]

    assert told == "/opt/intel/lib/libmpi.so.12:{prefix}/lib/libmpi.so.12"


def test_it_is_called_by_implementation_version_and_path() -> None:
    assert host_mpi().title == "mpich 4.0.2 (/usr/lib/libmpich.so.12.2.2)"
