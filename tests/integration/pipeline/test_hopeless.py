"""Requirements that fail by themselves: all of them are told at once, with where they stand."""

import json
import subprocess
import sys

import pytest

from envmgr.errors import ExitCode
from envmgr.index.failures import IndexRefused
from envmgr.resolve.impossible import ResolutionImpossible
from tests.support.index_server import IndexServer, Status
from tests.support.project import Project


def told(project: Project) -> ResolutionImpossible:
    with pytest.raises(ResolutionImpossible) as caught:
        project.lock()
    return caught.value


def test_misspelt_names_are_all_told_with_their_places(project: Project) -> None:
    more = "groups:\n  test: [chekcs, alpha]\nconstraints: [gamma <2]\n"
    project.write("alhpa >=1", "alpha", "beta >=7", more=more)
    failure = told(project)
    assert str(failure) == "alhpa >=1, beta >=7 and chekcs cannot be had"
    assert failure.details() == (
        f"{project.file}:6:5: alhpa >=1: No index has alhpa (asked: loopback).",
        f"{project.file}:8:5: beta >=7: loopback has beta 1.0 and 1.1.",
        f"{project.file}:11:10: chekcs: No index has chekcs (asked: loopback).",
    )
    assert failure.hint == ("check how alhpa and chekcs are spelt, or add an index that has them")


def test_one_misspelt_name_is_told_with_its_place(project: Project) -> None:
    project.write()
    item = """  - {package: 'alhpa ; python_version > "3"'}\n"""
    project.file.write_text(project.file.read_text().replace("  []\n", item))
    failure = told(project)
    assert failure.details() == (
        f"{project.file}:6:15: alhpa: No index has alhpa (asked: loopback).",
    )
    assert failure.hint == "check how alhpa is spelt, or add an index that has it"


@pytest.mark.parametrize("dependencies", [("alhpa", "beta"), ("beta", "alhpa")])
def test_an_index_that_refuses_comes_before_names_that_none_has(
    project: Project, server: IndexServer, dependencies: tuple[str, ...]
) -> None:
    server.fail("/simple/beta/", Status(403))
    project.write(*dependencies)
    with pytest.raises(IndexRefused) as caught:
        project.lock()
    assert caught.value.exit_code == ExitCode.INDEX


def test_the_command_line_tells_all_and_json_too(project: Project) -> None:
    project.write("alhpa", "bata")
    done = subprocess.run(
        [sys.executable, "-m", "envmgr", "lock", "-f", project.file, "--json"],
        capture_output=True,
        text=True,
        env=project.environ,
        check=False,
    )
    assert done.returncode == ExitCode.UNSATISFIABLE
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "ResolutionImpossible"
    assert error["message"] == "alhpa and bata cannot be had"
    assert [line.partition(": ")[0] for line in error["details"]] == [
        f"{project.file}:6:5",
        f"{project.file}:7:5",
    ]
