import pytest

from envmgr.errors import ExitCode
from envmgr.hardware.host import CommandFailed
from envmgr.runtime.mpi.abi import MpiAbi
from envmgr.runtime.mpi.errors import UnusableHostMpi
from envmgr.runtime.mpi.reading import read_host_mpi
from tests.support.host import FakeHost
from tests.support.mpis import SAYS, mpi_library, put_library, put_program


def debian() -> FakeHost:
    """Both MPIs, as Debian has them; plain mpiexec is Open MPI's."""
    host = FakeHost()
    here = "/usr/lib/x86_64-linux-gnu"
    put_library(host, f"{here}/libmpich.so.12.2.2", "mpich", "libmpich.so.12")
    put_library(host, f"{here}/libmpi.so.40.30.4", "openmpi", "libmpi.so.40")
    host.links[f"{here}/libmpich.so.12"] = "libmpich.so.12.2.2"
    host.links[f"{here}/libmpi.so.40"] = "libmpi.so.40.30.4"
    for name in ("mpiexec", "mpirun"):
        put_program(host, f"/usr/bin/{name}.mpich", SAYS["mpich"])
        put_program(host, f"/usr/bin/{name}.openmpi", SAYS["openmpi"])
        host.links[f"/usr/bin/{name}"] = f"{name}.openmpi"
    return host


def test_a_library_is_read_with_its_abi_version_and_launchers() -> None:
    mpi = read_host_mpi(debian(), "/usr/lib/x86_64-linux-gnu/libmpich.so.12", "x86_64")

    assert mpi.library == "/usr/lib/x86_64-linux-gnu/libmpich.so.12"
    assert (mpi.soname, mpi.abi) == ("libmpich.so.12", MpiAbi.MPICH)
    assert (mpi.implementation, mpi.version, mpi.machine) == ("mpich", "5.0.2", "x86_64")
    assert mpi.launchers == {"mpiexec": "/usr/bin/mpiexec.mpich", "mpirun": "/usr/bin/mpirun.mpich"}
    assert mpi.origin == "the environment file"


def test_a_library_is_called_by_where_it_is_and_not_by_the_link_to_it() -> None:
    host = FakeHost()
    put_library(host, "/opt/mpi-4.1.5/lib/libmpi.so.40.30.5", "openmpi", "libmpi.so.40")
    host.links["/opt/mpi"] = "mpi-4.1.5"
    path = "/opt/mpi/lib/libmpi.so.40.30.5"

    assert read_host_mpi(host, path, "x86_64").library == "/opt/mpi-4.1.5/lib/libmpi.so.40.30.5"

    host.links["/opt/mpi-4.1.5/lib/libmpi.so.40"] = "libmpi.so.40.30.5"
    assert read_host_mpi(host, path, "x86_64").library == "/opt/mpi-4.1.5/lib/libmpi.so.40"


def test_another_library_under_the_soname_is_not_taken() -> None:
    host = FakeHost()
    put_library(host, "/opt/lib/libmpi.so.40.30.4", "openmpi", "libmpi.so.40")
    put_library(host, "/opt/lib/libmpi.so.40", "openmpi", "libmpi.so.40")

    mpi = read_host_mpi(host, "/opt/lib/libmpi.so.40.30.4", "x86_64")

    assert mpi.library == "/opt/lib/libmpi.so.40.30.4"


@pytest.mark.parametrize("below", ["lib", "lib64", "lib/release", "lib-abi-mpich"])
def test_a_prefix_stands_for_the_library_in_it(below: str) -> None:
    host = FakeHost()
    put_library(host, f"/opt/mpi/{below}/libmpi.so.12", "impi", "libmpi.so.12")
    put_program(host, "/opt/mpi/bin/mpiexec", SAYS["impi"])

    mpi = read_host_mpi(host, "/opt/mpi", "x86_64")

    assert mpi.library == f"/opt/mpi/{below}/libmpi.so.12"
    assert (mpi.implementation, mpi.version) == ("impi", "2021.18.1")
    assert mpi.launchers == {"mpiexec": "/opt/mpi/bin/mpiexec"}


def test_equal_libraries_under_longer_names_and_the_forums_are_not_several() -> None:
    host = FakeHost()
    for name in ("libmpi.so.12", "libmpi.so.12.0", "libmpi.so.12.0.0"):
        put_library(host, f"/opt/mpi/lib/{name}", "impi", "libmpi.so.12")
    put_library(host, "/opt/mpi/lib/libmpi_abi.so.1", "impi", "libmpi_abi.so.1")

    assert read_host_mpi(host, "/opt/mpi", "x86_64").library == "/opt/mpi/lib/libmpi.so.12"


def test_the_forums_abi_serves_where_it_is_all_there_is() -> None:
    host = FakeHost()
    put_library(host, "/opt/mpi/lib/libmpi_abi.so.1", "openmpi", "libmpi_abi.so.1")

    assert read_host_mpi(host, "/opt/mpi", "x86_64").abi is MpiAbi.FORUM


def test_another_mpis_mpiexec_is_not_taken() -> None:
    host = debian()
    del host.programs["/usr/bin/mpiexec.mpich"], host.programs["/usr/bin/mpirun.mpich"]

    mpi = read_host_mpi(host, "/usr/lib/x86_64-linux-gnu/libmpich.so.12", "x86_64")

    assert mpi.launchers == {}


def test_an_mpiexec_that_does_not_answer_is_not_taken() -> None:
    host = FakeHost()
    put_library(host, "/opt/mpi/lib/libmpi.so.40", "openmpi", "libmpi.so.40")
    put_program(host, "/opt/mpi/bin/mpiexec", CommandFailed(["mpiexec"], "it hangs"))

    assert read_host_mpi(host, "/opt/mpi", "x86_64").launchers == {}


def test_a_program_beside_it_tells_the_version_that_the_library_does_not() -> None:
    host = FakeHost()
    host.files["/opt/mpi/lib/libmpi.so.40"] = mpi_library("", "libmpi.so.40") + b"Open MPI v%d"
    put_program(host, "/opt/mpi/bin/mpirun", SAYS["openmpi"])

    assert read_host_mpi(host, "/opt/mpi", "x86_64").version == "5.0.11"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"plain text", "no shared library"),
        (b"INPUT(libmpi.so.12)\n", "a text for the linker"),
        (mpi_library("mpich", None), "no SONAME"),
        (mpi_library("mpich", "libmpi.so.20"), "libmpi.so.20 is of no ABI"),
        (mpi_library("mpich", "libmpi.so.12", machine=183), "it is for aarch64 with 64 bits"),
        (mpi_library("mpich", "libmpi.so.12", machine=3, bits=32), "it is for i686 with 32 bits"),
    ],
)
def test_a_file_that_cannot_serve_is_refused_with_its_name(content: bytes, reason: str) -> None:
    host = FakeHost(files={"/opt/x/libmpi.so": content})

    with pytest.raises(UnusableHostMpi) as refusal:
        read_host_mpi(host, "/opt/x/libmpi.so", "x86_64")

    assert str(refusal.value).startswith("/opt/x/libmpi.so cannot be this environment's MPI: ")
    assert reason in str(refusal.value)
    assert refusal.value.exit_code is ExitCode.DEFINITION


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nowhere", "there is no such file"),
        ("/opt/empty", "it holds no MPI library"),
        ("lib/libmpi.so.12", "it is not an absolute path"),
        ("/usr", "it holds several: /usr/lib/x86_64-linux-gnu/libmpi.so.40, "),
    ],
)
def test_a_path_without_one_library_is_refused(path: str, reason: str) -> None:
    host = debian()
    host.files["/opt/empty/lib/libz.so"] = b""

    with pytest.raises(UnusableHostMpi) as refusal:
        read_host_mpi(host, path, "x86_64")

    assert reason in str(refusal.value)
    assert refusal.value.hint


def test_a_path_that_the_loader_would_read_otherwise_is_refused() -> None:
    host = FakeHost()
    put_library(host, "/opt/$LIB/libmpi.so.12", "mpich", "libmpi.so.12")

    with pytest.raises(UnusableHostMpi, match="cannot be told"):
        read_host_mpi(host, "/opt/$LIB/libmpi.so.12", "x86_64")


def test_a_machine_for_which_no_alias_can_be_written_is_refused() -> None:
    host = FakeHost()
    host.files["/opt/libmpi.so.12"] = mpi_library("mpich", "libmpi.so.12", machine=258)

    with pytest.raises(UnusableHostMpi, match="on loongarch64 yet"):
        read_host_mpi(host, "/opt/libmpi.so.12", "loongarch64")
