"""``history``, ``rollback``, ``diff``, ``clone`` and ``rename`` as commands."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.terminal import envmgr
from tests.support.generations import cloned, named
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.wheels import make_wheel


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    wheels = [make_wheel("alpha", "1.0"), make_wheel("alpha", "2.0"), make_wheel("beta", "1.1")]
    with IndexServer(wheels) as server:
        made = Project(tmp_path, server.url)
        made.write("alpha ==1.0", "beta")
        made.create()
        made.write("alpha ==2.0")
        made.create()
        yield made


def ask(project: Project, *words: str) -> "subprocess.CompletedProcess[str]":
    root = str(Path(__file__).parents[3])
    environ = {**project.environ, "PYTHONPATH": root, "TZ": "UTC"}
    return envmgr(*words, environ=environ, directory=project.directory)


def result(project: Project, *words: str) -> dict[str, object]:
    done = ask(project, *words, "--json")
    document = json.loads(done.stdout)
    assert document["command"] == words[0]
    found = document["result"]
    assert isinstance(found, dict)
    return found


def test_history_is_a_line_each_and_what_changed(project: Project) -> None:
    lines = ask(project, "history", "project").stdout.splitlines()
    python = ".".join(map(str, sys.version_info[:3]))
    assert lines[0].startswith("* 2  20")
    assert lines[0].endswith(f"  file changed  (1 package, Python {python})")
    assert [line.split() for line in lines[1:3]] == [
        ["~", "alpha", "1.0", "->", "2.0"],
        ["-", "beta", "1.1"],
    ]
    assert lines[3].startswith("  1  20")
    assert lines[3].endswith(f"  created  (2 packages, Python {python})")
    assert len(lines) == 4


def test_history_in_json(project: Project) -> None:
    generations = result(project, "history", "-n", "project")["generations"]
    assert isinstance(generations, list)
    assert [(each["number"], each["current"], each["before"]) for each in generations] == [
        (2, True, 1),
        (1, False, None),
    ]
    assert generations[0]["changes"][1] == {"name": "beta", "before": "1.1", "after": None}
    assert generations[0]["created"].endswith("+00:00")


def test_rollback_by_name_by_number_and_by_prefix(project: Project) -> None:
    done = ask(project, "rollback", "project")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("rolled project back from generation 2 to 1: 2 packages")
    assert ask(project, "rollback", "-n", "project", "2").returncode == 0
    found = result(project, "rollback", "-p", str(project.prefix), "1")
    assert (found["number"], found["before"]) == (1, 2)
    again = ask(project, "rollback", "project", "1")
    assert again.stdout.startswith("project is at generation 1 already: 2 packages")
    synced = ask(project, "sync", "project")
    assert "project was rolled back to 1; this brings it up to its file again" in synced.stderr


@pytest.mark.parametrize("words", [["project", "x"], ["project", "0"], ["project", "1", "2"], []])
def test_a_rollback_that_is_not_understood_is_a_usage_error(
    project: Project, words: list[str]
) -> None:
    done = ask(project, "rollback", *words)
    assert done.returncode == 2
    assert project.python("import alpha; print(alpha.__version__)") == "2.0"


def test_a_generation_that_is_not_kept_is_exit_9(project: Project) -> None:
    done = ask(project, "rollback", "project", "9")
    assert done.returncode == 9
    assert "project keeps no generation 9" in done.stderr
    assert "kept are 1, 2" in done.stderr


def test_diff_ends_as_diff_does(project: Project) -> None:
    same = ask(project, "diff", "project")
    assert (same.returncode, same.stdout) == (0, "")
    assert same.stderr == f"project and {project.lock_file} are the same\n"
    other = ask(project, "diff", "project@1")
    assert other.returncode == 1
    assert other.stdout == "--- project@1\n+++ project\n  ~ alpha  1.0 -> 2.0\n  - beta   1.1\n"
    found = result(project, "diff", f"{project.prefix}@1", "pylock.toml")
    assert found["same"] is False
    assert found["facts"] == []
    packages = [{"name": "alpha", "before": "1.0", "after": "2.0", "what": "version"}]
    packages += [{"name": "beta", "before": "1.1", "after": None, "what": "removed"}]  # type: ignore[dict-item]
    assert found["packages"] == packages
    assert ask(project, "diff", "project@x").returncode == 2
    assert ask(project, "diff", "pylock.toml").returncode == 2
    assert ask(project, "diff", "absent").returncode == 9
    assert ask(project, "diff", "project", "./absent.toml").returncode == 7


def test_clone_by_name_and_by_prefix(project: Project) -> None:
    done = ask(project, "clone", "project", "-n", "twin")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("cloned project to twin: 1 package")
    assert "envmgr run -n twin python" in done.stdout
    found = result(project, "clone", f"{project.prefix}", "-p", "here")
    assert found["prefix"] == str(project.directory / "here")
    assert found["file"] == str(project.file)
    assert ask(project, "clone", "project").returncode == 2
    assert ask(project, "clone", "project", "-n", "twin").returncode == 9


def test_rename_says_where_it_is_now(project: Project) -> None:
    done = ask(project, "rename", "project", "climate")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("renamed project to climate\n  in ")
    assert "envmgr sync climate" in done.stdout
    assert ask(project, "run", "-n", "climate", "python", "-c", "import alpha").returncode == 0
    assert ask(project, "prefix", "project").returncode == 9
    cloned(project, named("twin"), named("climate"))
    assert ask(project, "rename", "climate", "twin").returncode == 9
    found = result(project, "rename", "climate", "project")
    assert (found["name"], found["before"]) == ("project", "climate")
