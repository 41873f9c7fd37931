"""Environments of which a part is gone, and what stands in the way of whole ones."""

import os
from pathlib import Path

import pytest

from envmgr.link.inputs import LayoutClash
from envmgr.link.prefix import DamagedEnvironment, NameTaken, current_generation, read_generation
from envmgr.names import EnvironmentName
from envmgr.pipeline.environments import delete, find_prefix, list_environments, list_packages
from envmgr.pipeline.errors import NoSuchEnvironment
from envmgr.pipeline.types import ByName, ByPrefix
from tests.support.index_server import IndexServer, hosted
from tests.support.project import Project
from tests.support.wheels import make_wheel

PROJECT = ByName(EnvironmentName("project"))
SAY = "import alpha; print(alpha.__version__)"


def garble(prefix: Path) -> None:
    (prefix / ".envmgr" / "current" / "generation.json").write_text("garbage")


def lose_current(prefix: Path) -> None:
    (prefix / ".envmgr" / "current").unlink()


def lose_generation(prefix: Path) -> None:
    from envmgr.files import remove_tree

    remove_tree(current_generation(prefix))


@pytest.fixture(params=[garble, lose_current, lose_generation])
def damaged(project: Project, request: pytest.FixtureRequest) -> Project:
    project.write("alpha ==1.0")
    project.create()
    project.create(name="whole")
    request.param(project.prefix)
    return project


def test_a_damaged_environment_is_called_so_with_both_ways_on(damaged: Project) -> None:
    if (damaged.prefix / ".envmgr" / "current").exists():
        (damaged.prefix / ".envmgr" / "current" / "generation.json").write_text("{}")
    for ask in (find_prefix, list_packages):
        with pytest.raises(DamagedEnvironment) as failure:
            ask(PROJECT, damaged.settings)
        assert str(damaged.prefix) in str(failure.value)
        assert f"envmgr create -f {damaged.file} -n project" in failure.value.hint
        assert "envmgr delete -n project" in failure.value.hint
    with pytest.raises(DamagedEnvironment) as failure:
        find_prefix(ByPrefix(damaged.prefix), damaged.settings)
    assert f"envmgr delete -p {damaged.prefix}" in failure.value.hint


def test_create_rebuilds_it(damaged: Project) -> None:
    damaged.create()
    assert damaged.python(SAY) == "1.0"
    assert find_prefix(PROJECT, damaged.settings) == damaged.prefix


def test_it_can_be_deleted(damaged: Project) -> None:
    assert delete(PROJECT, damaged.settings, damaged.events.append).name == "project"
    assert not os.path.lexists(damaged.prefix)
    with pytest.raises(NoSuchEnvironment):
        delete(PROJECT, damaged.settings, damaged.events.append)


def test_the_whole_ones_are_listed_and_it_is_warned_of(damaged: Project) -> None:
    damaged.events.clear()
    listed = list_environments(damaged.settings, damaged.events.append)
    assert [each.name for each in listed] == ["whole"]
    assert damaged.told().startswith(f"the environment at {damaged.prefix} is damaged: ")
    assert list_environments(damaged.settings) == listed


def test_run_blames_the_environment_and_not_its_generation(project: Project) -> None:
    project.write("alpha ==1.0")
    project.create()
    garble(project.prefix)
    with pytest.raises(DamagedEnvironment) as failure:
        read_generation(current_generation(project.prefix))
    assert failure.value.prefix == project.prefix
    assert str(project.file) in failure.value.hint


@pytest.mark.parametrize("name", [".gitignore", ".envmgr/current/x", "generation.json"])
def test_a_package_that_brings_a_reserved_name_is_refused(
    project: Project, server: IndexServer, name: str
) -> None:
    server.add(hosted(make_wheel("greedy", "1.0", data={f"data/{name}": "mine"})))
    project.write("greedy")
    with pytest.raises(LayoutClash) as failure:
        project.create()
    assert "greedy" in str(failure.value)
    assert name.partition("/")[0] in str(failure.value)
    assert not os.path.lexists(project.prefix)


def test_a_directory_of_the_user_stops_an_update_before_it_begins(
    project: Project, server: IndexServer
) -> None:
    server.add(hosted(make_wheel("shared", "1.0", data={"data/man/shared.txt": "x"})))
    project.write("alpha ==1.0")
    project.create()
    before = os.listdir(project.prefix / ".envmgr" / "generations")
    (project.prefix / "man").mkdir()
    (project.prefix / "man" / "mine.txt").write_text("mine")
    project.write("alpha ==1.0", "shared")
    for _ in range(2):
        with pytest.raises(NameTaken) as failure:
            project.create()
        assert str(project.prefix / "man") in str(failure.value)
    assert os.listdir(project.prefix / ".envmgr" / "generations") == before
    assert project.python(SAY) == "1.0"
    (project.prefix / "man" / "mine.txt").unlink()
    (project.prefix / "man").rmdir()
    assert project.create().made == "updated"


def test_a_switch_that_fails_leaves_no_generation_behind(
    project: Project, server: IndexServer
) -> None:
    server.add(hosted(make_wheel("shared", "1.0", data={"data/share/shared.txt": "x"})))
    project.write("shared")
    project.create()
    (project.prefix / "share" / "mine.txt").write_text("mine")
    before = os.listdir(project.prefix / ".envmgr" / "generations")
    (project.prefix / "share").unlink()
    (project.prefix / "share").mkdir()
    project.write("alpha ==1.0")  # whose view has no share, until mine.txt is carried there
    with pytest.raises(NameTaken):
        project.create()
    assert os.listdir(project.prefix / ".envmgr" / "generations") == before


def site_packages(project: Project) -> Path:
    (site,) = current_generation(project.prefix).glob("lib/*/site-packages")
    return site


def test_a_stray_file_stays_behind_and_is_warned_of(project: Project) -> None:
    project.write("alpha ==1.0")
    first = project.create()
    stray = site_packages(project) / "notes.py"
    stray.write_text("")
    project.write("alpha ==2.0")

    project.create()

    (warning,) = project.told().splitlines()
    assert warning.startswith("notes.py ")
    assert str(first.generation) in warning
    assert stray.exists()


def test_a_program_that_somebody_put_into_bin_stays_behind_and_is_warned_of(
    project: Project,
) -> None:
    """``npm install --global`` and ``cargo install`` put some there, pip its own."""
    project.write("alpha ==1.0")
    first = project.create()
    (project.prefix / "bin" / "mine").write_text("#!/bin/sh\n")
    (project.prefix / "bin" / "of-stray").write_text("")
    info = site_packages(project) / "stray-4.2.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("../../../bin/of-stray,,\n")
    project.write("alpha ==2.0")

    project.create(discard_installed=True)

    told = project.told()
    assert told.startswith("stray 4.2, bin/mine stayed behind")
    assert str(first.generation) in told


@pytest.mark.parametrize("compiling", ["yes", "no"])
def test_nobody_is_warned_of_what_belongs_to_the_view(
    project: Project, server: IndexServer, compiling: str
) -> None:
    for name in ("one", "two"):
        server.add(hosted(make_wheel(name, "1.0", files={f"space/{name}.py": "x = 1"})))
    project.variables = {"ENVMGR_COMPILE": compiling}
    scripts = {"scripts/run": "#!python\n", "scripts/blob": "\x7fELF", "scripts/deep/er": "x"}
    points = {"console_scripts": {"tool": "tool:main"}}
    server.add(hosted(make_wheel("tool", "1.0", data=scripts, entry_points=points)))
    project.write("one", "two", "beta", "tool")
    project.create()
    project.python("import space.one, space.two, beta, _envmgr")
    assert any((site_packages(project) / "space" / "__pycache__").iterdir())
    project.write("one", "two")
    project.create()
    assert project.told() == ""
