"""``envmgr doctor`` as a person types it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.files import remove_tree
from tests.integration.cli.terminal import ROOT
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.upkeep import entry_of
from tests.support.wheels import make_wheel


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Project]:
    with IndexServer([make_wheel("alpha"), make_wheel("beta")]) as server:
        project = Project(tmp_path, server.url)
        project.write("alpha", "beta")
        project.create()
        yield project


def doctor(project: Project, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run it without PYTHONPATH, which would be a finding."""
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[:] = ['envmgr', *sys.argv[1:]]\n"
        "from envmgr.cli.main import program; sys.exit(program())"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "doctor", *words],
        env=project.environ,
        cwd=project.directory,
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_is_well(made: Project) -> None:
    done = doctor(made, "project")
    assert done.returncode == 0, done.stdout
    assert "all is well" in done.stdout
    assert "1 environment and 2 entries looked through" in done.stdout
    quick = doctor(made)
    assert quick.returncode == 0
    assert quick.stdout.endswith("to look at every file of the store too: envmgr doctor all\n")


def test_a_problem_is_exit_1_with_what_to_do(made: Project) -> None:
    remove_tree(entry_of(made, made.prefix, "alpha").path)

    done = doctor(made, "all")
    assert done.returncode == 1
    assert f"problem: packages of {made.prefix} cannot be found in the store" in done.stdout
    assert "\n  alpha 1.0\nhint: run `envmgr sync -n project`" in done.stdout

    told = doctor(made, "-n", "project", "--json")
    assert told.returncode == 1
    result = json.loads(told.stdout)["result"]
    assert not result["healthy"]
    assert "entries" in [each["check"] for each in result["complaints"]]
    assert result["environments"] == [str(made.prefix)]


def test_settings_that_cannot_be_read_are_a_finding(made: Project) -> None:
    file = made.directory / "nobody/.config/envmgr/config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("stroes: [/x]\noffline: maybe\n")

    done = doctor(made, "--json")

    assert done.returncode == 1
    (complaint,) = json.loads(done.stdout)["result"]["complaints"]
    assert complaint["check"] == "configuration"
    assert len(complaint["details"]) >= 2
    assert "every file of the store" not in doctor(made).stdout  # it would not be looked at


def test_what_makes_no_sense_is_refused(made: Project) -> None:
    assert doctor(made, "all", "-n", "project").returncode == 2
    assert doctor(made, "nobody").returncode == 9
