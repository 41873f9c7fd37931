import pytest

from envmgr.errors import ExitCode
from envmgr.hardware.host import CommandFailed, Ran
from envmgr.runtime.mpi.errors import NoHostMpi, SeveralHostMpis
from envmgr.runtime.mpi.search import (
    VARIABLES,
    Tier,
    choose_host_mpi,
    detect_host_mpi,
    find_host_mpi,
)
from tests.support.host import FakeHost
from tests.support.mpis import SAYS, put_library, put_program
from tests.unit.runtime.mpi.test_reading import debian

DEBIAN = "/usr/lib/x86_64-linux-gnu"


def origins(host: FakeHost) -> list[tuple[str, str]]:
    found = detect_host_mpi(host, "x86_64")
    return [(mpi.library, mpi.origin) for mpi in found.mpis]


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_of_a_module_leads_to_its_mpi(name: str) -> None:
    host = FakeHost(environ={name: "/opt/mpi"})
    put_library(host, "/opt/mpi/lib/libmpi.so.12", "mpich", "libmpi.so.12")

    assert origins(host) == [("/opt/mpi/lib/libmpi.so.12", name)]


def test_a_directory_of_libraries_that_a_module_names_is_looked_into() -> None:
    host = FakeHost(environ={"LD_LIBRARY_PATH": ":relative:/none:/opt/site/lib"})
    put_library(host, "/opt/site/lib/libmpi.so.40", "openmpi", "libmpi.so.40")

    assert origins(host) == [("/opt/site/lib/libmpi.so.40", "LD_LIBRARY_PATH")]


def test_crays_library_for_mpichs_abi_comes_before_those_of_its_compilers() -> None:
    host = FakeHost(environ={"CRAY_MPICH_DIR": "/opt/cray/ofi/gnu/9.1"})
    top = "/opt/cray/ofi/gnu/9.1"
    put_library(host, f"{top}/lib/libmpi_gnu_91.so.12.0.0", "cray-mpich", "libmpi_gnu_91.so.12")
    host.links[f"{top}/lib-abi-mpich/libmpi.so.12"] = "../lib/libmpi_gnu_91.so.12.0.0"

    (mpi,) = detect_host_mpi(host, "x86_64").mpis

    assert mpi.library == f"{top}/lib/libmpi_gnu_91.so.12.0.0"
    assert (mpi.soname, mpi.implementation) == ("libmpi_gnu_91.so.12", "cray-mpich")


def test_the_compiler_on_the_path_tells_where_it_links_from() -> None:
    host = FakeHost(environ={"PATH": "/opt/site/bin:/usr/bin"})
    show = Ran(0, "gcc -I/opt/site/include -L/opt/site/deep/lib -lmpi\n", "")
    host.add_program("/opt/site/bin/mpicc", {"-show": show})
    put_library(host, "/opt/site/deep/lib/libmpi.so.40", "openmpi", "libmpi.so.40")

    assert origins(host) == [("/opt/site/deep/lib/libmpi.so.40", "mpicc")]


def test_of_a_compilers_directories_the_first_counts_as_for_the_linker() -> None:
    host = FakeHost(environ={"PATH": "/opt/intel/bin"})
    show = Ran(0, "gcc -L/opt/intel/lib/release -L/opt/intel/lib -lmpifort -lmpi\n", "")
    host.add_program("/opt/intel/bin/mpicc", {"-show": show})
    for place in ("lib/release", "lib"):
        put_library(host, f"/opt/intel/{place}/libmpi.so.12", "impi", "libmpi.so.12")

    assert origins(host) == [("/opt/intel/lib/release/libmpi.so.12", "mpicc")]


def test_a_directory_with_another_mpi_alone_does_not_end_the_search_of_a_prefix() -> None:
    host = FakeHost(environ={"PATH": "/usr/bin"})
    put_program(host, "/usr/bin/mpiexec", SAYS["openmpi"])
    put_library(host, "/usr/lib/libmpi.so.12", "mpich", "libmpi.so.12")
    put_library(host, "/usr/lib64/libmpi.so.40", "openmpi", "libmpi.so.40")

    found = detect_host_mpi(host, "x86_64")

    assert choose_host_mpi(found, "x86_64").library == "/usr/lib64/libmpi.so.40"


@pytest.mark.parametrize(
    "answer",
    [Ran(1, "-L/opt/mpi/lib -lmpi", ""), Ran(0, "'", ""), CommandFailed(["mpicc"], "it hangs")],
)
def test_a_compiler_that_does_not_answer_tells_nothing(answer: Ran | CommandFailed) -> None:
    host = FakeHost(environ={"PATH": "/opt/mpi/bin"})
    host.add_program("/opt/mpi/bin/mpicc", {"-show": answer})
    put_library(host, "/opt/mpi/lib/libmpi.so.40", "openmpi", "libmpi.so.40")

    assert origins(host) == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mpiexec", SAYS["openmpi"]),
        ("ompi_info", SAYS["ompi_info"]),
    ],
)
def test_a_program_on_the_path_leads_to_the_prefix_it_is_in(name: str, says: str) -> None:
    host = FakeHost(environ={"PATH": "/usr/bin"})
    put_program(host, f"/opt/mpi/bin/{name}", says)
    host.links[f"/usr/bin/{name}"] = f"../../opt/mpi/bin/{name}"
    put_library(host, "/opt/mpi/lib/libmpi.so.40", "openmpi", "libmpi.so.40")

    assert origins(host) == [("/opt/mpi/lib/libmpi.so.40", name)]


def test_of_two_in_one_place_the_mpiexec_on_the_path_says_which_is_meant() -> None:
    host = debian()
    host.environ = {"PATH": "/usr/bin"}
    put_program(host, "/usr/bin/mpichversion", SAYS["mpichversion"])

    found = detect_host_mpi(host, "x86_64")

    assert [(tier, mpi.origin) for tier, mpi in found.candidates] == [
        (Tier.ON_PATH, "mpiexec"),
        (Tier.PRESENT, "mpichversion"),
    ]
    assert choose_host_mpi(found, "x86_64").implementation == "openmpi"


def test_a_loaded_module_comes_before_what_is_on_the_path() -> None:
    host = debian()
    host.environ = {"PATH": "/usr/bin", "MPI_HOME": "/opt/mpi"}
    put_library(host, "/opt/mpi/lib/libmpi.so.12", "mvapich", "libmpi.so.12")

    found = detect_host_mpi(host, "x86_64")

    assert len(found.mpis) == 3
    assert choose_host_mpi(found, "x86_64").library == "/opt/mpi/lib/libmpi.so.12"


def test_the_loaders_cache_leads_to_libraries() -> None:
    host = FakeHost()
    cache = (
        "3 libs found in cache\n"
        "\tlibmpi_cxx.so.40 (libc6,x86-64) => /opt/a/libmpi_cxx.so.40\n"
        "\tlibmpi.so.40 (libc6,x86-64) => /opt/a/libmpi.so.40\n"
        "\tlibz.so.1 (libc6,x86-64) => /opt/z/libz.so.1\n"
    )
    host.add_program("/sbin/ldconfig", {"-p": Ran(0, cache, "")})
    put_library(host, "/opt/a/libmpi.so.40", "openmpi", "libmpi.so.40")
    put_library(host, "/opt/z/libmpi.so.12", "mpich", "libmpi.so.12")

    assert origins(host) == [("/opt/a/libmpi.so.40", "ldconfig")]


@pytest.mark.parametrize(
    "directory",
    [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/x86_64-linux-gnu/openmpi/lib",
        "/usr/lib64/openmpi/lib",
        "/usr/lib64/mpich-4.1/lib",
        "/usr/lib64/mpi/gcc/openmpi4/lib64",
        "/usr/local/lib",
    ],
)
def test_the_places_of_distributions_are_looked_into(directory: str) -> None:
    host = FakeHost()
    put_library(host, f"{directory}/libmpi.so.40", "openmpi", "libmpi.so.40")

    assert origins(host) == [(f"{directory}/libmpi.so.40", "the system's directories")]


@pytest.mark.parametrize("name", ["VIRTUAL_ENV", "ENVMGR_PREFIX", "CONDA_PREFIX"])
def test_the_mpi_of_an_activated_environment_is_not_the_hosts(name: str) -> None:
    environ = {name: "/envs/mine", "PATH": "/envs/mine/bin", "MPI_HOME": "/envs/mine"}
    host = FakeHost(environ=environ)
    put_library(host, "/envs/mine/lib/libmpi.so.12", "mpich", "libmpi.so.12")
    put_program(host, "/envs/mine/bin/mpiexec", SAYS["mpich"])

    assert origins(host) == []
    assert host.ran == []


def test_a_library_in_a_store_is_not_the_hosts() -> None:
    host = FakeHost(environ={"MPI_HOME": "/envs/other"})
    put_library(host, "/s/store/v1/entries/ab/data/lib/libmpi.so.12", "mpich", "libmpi.so.12")
    host.links["/envs/other/lib"] = "/s/store/v1/entries/ab/data/lib"
    host.links["/envs/other/lib/libmpi.so.12"] = "/s/store/v1/entries/ab/data/lib/libmpi.so.12"

    assert origins(host) == []


def test_nothing_found_says_what_cannot_serve_and_why() -> None:
    host = FakeHost(environ={"MPI_HOME": "/opt/mpi"})
    put_library(host, "/opt/mpi/lib/libmpi.so.12", "mpich", "libmpi.so.12")

    with pytest.raises(NoHostMpi) as refusal:
        choose_host_mpi(detect_host_mpi(host, "aarch64"), "aarch64")

    assert refusal.value.exit_code is ExitCode.MACHINE
    (detail,) = refusal.value.details()
    assert "/opt/mpi/lib/libmpi.so.12" in detail
    assert "it is for x86_64" in detail


def test_several_that_are_equally_meant_are_listed() -> None:
    host = debian()

    with pytest.raises(SeveralHostMpis) as refusal:
        choose_host_mpi(detect_host_mpi(host, "x86_64"), "x86_64")

    assert refusal.value.exit_code is ExitCode.MACHINE
    assert refusal.value.details() == (
        f"openmpi 5.0.11 ({DEBIAN}/libmpi.so.40), from the system's directories",
        f"mpich 5.0.2 ({DEBIAN}/libmpich.so.12), from the system's directories",
    )
    assert f"`runtimes: {{mpi: {{host: {DEBIAN}/libmpi.so.40}}}}`" in str(refusal.value.hint)


def test_the_file_says_auto_or_a_path() -> None:
    host = debian()
    host.environ = {"PATH": "/usr/bin"}

    assert find_host_mpi(host, "auto", "x86_64").implementation == "openmpi"
    path = f"{DEBIAN}/libmpich.so.12"
    assert find_host_mpi(host, path, "x86_64").implementation == "mpich"
