"""``recipe build``: from a loopback index and from the host, and what installs the result."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.errors import ExitCode
from envmgr.pipeline.recipe_build import (
    BuildRequest,
    BuiltWheels,
    HostLibraryUnusable,
    LibraryUnfit,
    NoUpstreamWheel,
    build_recipe,
)
from envmgr.pipeline.world import World
from envmgr.spec.problems import FileUnreadable, RecipeInvalid
from envmgr.spec.settings import load_settings
from envmgr.wheel.writing import EARLIEST
from tests.integration.cli.terminal import bare_environ, envmgr
from tests.support.elves import Elf
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.wheels import make_wheel

IOMP = bytes(Elf(soname="libiomp5-0a1b2c3d.so", versions={"libc.so.6": ["GLIBC_2.17"]}))


def upstream(version: str) -> dict[str, object]:
    return {
        "version": version,
        "files": {},
        "data": {
            "data/lib/libiomp5-0a1b2c3d.so": IOMP,
            "data/lib/libomptarget.so": b"x" * 100_000,
            "data/share/doc/third-party-programs.txt": "others",
        },
        "dist_info_files": {"LICENSE.txt": "licence"},
        "requires": ["tcmlib"],
        "tag": "py2.py3-none-any",
    }


@pytest.fixture
def server() -> Iterator[IndexServer]:
    wheels = [
        make_wheel("upstream-openmp", **upstream("2024.1")),  # type: ignore[arg-type]
        make_wheel("upstream-openmp", **upstream("2025.2")),  # type: ignore[arg-type]
        make_wheel("upstream-openmp", **upstream("2026.0b1")),  # type: ignore[arg-type]
    ]
    with IndexServer(wheels) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, server: IndexServer) -> Project:
    variables = {"ENVMGR_INDEX_URL": server.url}
    return Project(tmp_path, server.url, variables=variables)


def build(project: Project, text: str, *names: str) -> BuiltWheels:
    recipe = project.directory / "openmp.yaml"
    recipe.write_text(text, "utf-8")
    request = BuildRequest(
        recipe=recipe, names=names, output=project.directory / "out", timestamp=EARLIEST
    )
    settings = load_settings(project.environ, project.directory / "nobody")
    return build_recipe(request, World(settings, project.environ, project.events.append))


def made(project: Project) -> list[str]:
    out = project.directory / "out"
    return sorted(os.listdir(out)) if out.exists() else []


INTEL = """\
build:
  shared-openmp:
    wheel: upstream-openmp >=2024
    keep: ["data/lib/libiomp5*.so"]
    sonames: {libiomp5-0a1b2c3d.so: libiomp5.so}
    links: {libomp.so: libiomp5.so}
"""


def test_the_newest_fitting_wheel_is_repacked_without_what_nobody_loads(project: Project) -> None:
    (built,) = build(project, INTEL).wheels

    assert built.origin == "upstream_openmp-2025.2-py2.py3-none-any.whl"
    assert built.wheel.path.name == "shared_openmp-2025.2-py3-none-any.whl"
    assert built.unpacked_before > 100_000 > built.wheel.unpacked
    assert built.licences == ("LICENSE.txt", "data/share/doc/third-party-programs.txt")
    assert [(link.path[-9:], link.target[-11:]) for link in built.links] == [
        ("libomp.so", "libiomp5.so")
    ]
    assert not list((project.directory / "cache/wheels").glob("*.whl"))


def test_a_pre_release_is_taken_where_it_is_asked_for(project: Project) -> None:
    (built,) = build(project, INTEL.replace(">=2024", ">=2026.0b1")).wheels

    assert built.wheel.path.name == "shared_openmp-2026.0b1-py3-none-any.whl"


def test_it_is_the_same_wheel_every_time(project: Project) -> None:
    first = build(project, INTEL).wheels[0].wheel
    first.path.unlink()

    assert build(project, INTEL).wheels[0].wheel.sha256 == first.sha256


def test_an_environment_has_the_library_under_all_its_names(project: Project) -> None:
    build(project, INTEL)
    made = Project(project.directory, (project.directory / "out").as_uri() + "/")
    made.write("shared-openmp")

    made.create()

    for name in ("libiomp5.so", "libomp.so"):
        data = (made.prefix / "lib" / name).read_bytes()
        assert b"libiomp5.so\0" in data
        assert b"0a1b2c3d" not in data


def test_pip_installs_it_without_the_further_names(project: Project) -> None:
    (built,) = build(project, INTEL).wheels
    venv = project.directory / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = [str(venv / "bin/python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]

    subprocess.run([*pip, "install", "--no-index", str(built.wheel.path)], check=True)

    names = {path.name for path in (venv / "lib").glob("*.so*")}
    assert names == {"libiomp5.so"}
    subprocess.run([*pip, "check"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*pip, "uninstall", "--yes", "shared-openmp"], check=True)
    assert not list((venv / "lib").glob("*.so*"))


def host_recipe(path: Path, more: str = "") -> str:
    return f"build: {{host-omp: {{host: '{path}', version: 12.2{more}}}}}\n"


def test_a_library_of_the_host_becomes_a_wheel_with_its_tag(project: Project) -> None:
    real = project.directory / "libhost.so.1.0.0"
    real.write_bytes(bytes(Elf(soname="libhost.so.1", versions={"libc.so.6": ["GLIBC_2.34"]})))
    (project.directory / "libhost.so.1").symlink_to(real)
    licence = project.directory / "copyright"
    licence.write_text("free")
    text = host_recipe(project.directory / "libhost.so.1", f", licences: ['{licence}']")

    (built,) = build(project, text).wheels

    assert built.wheel.path.name == "host_omp-12.2-py3-none-manylinux_2_34_x86_64.whl"
    assert built.origin == str(real)
    assert [link.path.rpartition("/")[2] for link in built.links] == ["libhost.so"]
    assert built.licences == (f"host{licence}",)


def test_only_the_wheels_that_are_named_are_made(project: Project) -> None:
    text = INTEL + "  other:\n    wheel: gone\n    keep: [x]\n"

    assert len(build(project, text, "shared-openmp").wheels) == 1
    with pytest.raises(NoUpstreamWheel, match="no index has a wheel of gone for this machine"):
        build(project, text, "other")


def test_what_no_index_has_is_said(project: Project) -> None:
    with pytest.raises(NoUpstreamWheel, match="3 other versions are there") as refusal:
        build(project, INTEL.replace(">=2024", ">=2027"))

    assert refusal.value.exit_code is ExitCode.UNSATISFIABLE
    assert made(project) == []


def test_a_recipe_that_does_not_fit_the_wheel_is_told_where(project: Project) -> None:
    with pytest.raises(RecipeInvalid) as refusal:
        build(project, INTEL.replace("libiomp5*.so", "libgone.so"))

    assert refusal.value.details()[0].startswith(
        f"{project.directory}/openmp.yaml:4:12: no file of the wheel is `data/lib/libgone.so`"
    )
    assert made(project) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "it is not in"),
        (b"text", "is no ELF library"),
        (b"\x7fELF" + bytes(60), "is no ELF library"),
        (bytes(Elf(soname="libx.so.1", machine=8)), "is for mips, and this machine is"),
        (bytes(Elf()), "has no SONAME"),
    ],
)
def test_a_library_that_the_host_lacks_is_said(
    project: Project, content: bytes | None, reason: str
) -> None:
    path = project.directory / "libx.so.1"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(HostLibraryUnusable, match=reason) as refusal:
        build(project, host_recipe(path))

    assert refusal.value.exit_code is ExitCode.MACHINE
    assert made(project) == []


def test_a_soname_that_nothing_has_is_looked_for_in_the_host_s_places(project: Project) -> None:
    with pytest.raises(HostLibraryUnusable, match="/usr/lib64"):
        build(project, "build: {x: {host: libnothing-has-this.so.9, version: 1}}\n")


@pytest.mark.parametrize(
    ("elf", "more", "reason"),
    [
        (Elf(soname="libx.so.1", versions={"libc.so.6": ["GLIBC_PRIVATE"]}), "", "private to"),
        (
            Elf(soname="libx.so.1"),
            ", sonames: {libx.so.1: libx-with-a-longer-name.so.1}",
            "it is longer by",
        ),
    ],
)
def test_a_library_that_cannot_be_a_wheel_is_refused(
    project: Project, elf: Elf, more: str, reason: str
) -> None:
    path = project.directory / "libx.so.1"
    path.write_bytes(bytes(elf))

    with pytest.raises(LibraryUnfit, match=reason) as refusal:
        build(project, host_recipe(path, more))

    assert refusal.value.exit_code is ExitCode.INTEGRITY
    assert made(project) == []


def test_the_command_tells_a_person_and_a_program(project: Project, server: IndexServer) -> None:
    (project.directory / "openmp.yaml").write_text(INTEL, "utf-8")
    environ = {**bare_environ(project.directory), **project.environ}
    line = ("recipe", "build", "openmp.yaml", "-o", "out")

    done = envmgr(*line, environ=environ, directory=project.directory)
    told = envmgr(*line, "--json", environ=environ, directory=project.directory)
    wrong = envmgr(*line[:3], "nothing", *line[3:], environ=environ, directory=project.directory)
    absent = envmgr("recipe", "build", "gone.yaml", environ=environ, directory=project.directory)

    assert done.returncode == 0, done.stderr
    assert "wrote out/shared_openmp-2025.2-py3-none-any.whl, " in done.stdout
    (wheel,) = json.loads(told.stdout)["result"]["wheels"]
    assert wheel["name"] == "shared-openmp"
    assert wheel["origin"] == "upstream_openmp-2025.2-py2.py3-none-any.whl"
    assert len(wheel["origin_sha256"]) == 64
    assert (wrong.returncode, absent.returncode) == (ExitCode.USAGE, FileUnreadable.exit_code)
    assert "choose among shared-openmp" in wrong.stderr
