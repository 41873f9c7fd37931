"""The whole command line over a directory of wheels: what a person types and reads."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.integration.cli.terminal import envmgr
from tests.support.wheels import make_wheel

FILE = """\
name: climate
python: "{python}"
indexes: [{{name: here, url: ./wheels}}]
dependencies: [model]
groups: {{plots: [paint]}}
variables: {{MODE: fast}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with an environment file and every wheel it needs."""
    place = tmp_path / "project"
    (place / "wheels").mkdir(parents=True)
    wheels = (
        make_wheel("model", "1.0", files={"model.py": "answer = 42\n"}, requires=["grid >=1"]),
        make_wheel("grid", "1.5", files={"grid/__init__.py": ""}),
        make_wheel("paint", "2.0", files={"paint.py": ""}),
    )
    for wheel in wheels:
        (place / "wheels" / wheel.filename).write_bytes(wheel.data)
    python = f"=={sys.version_info.major}.{sys.version_info.minor}.*"
    (place / "environment.yaml").write_text(FILE.format(python=python))
    return place


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    """This interpreter is the one to be found."""
    return {**environ, "ENVMGR_PYTHONS": sys.executable, "SHELL": "/bin/bash"}


def steady(text: str) -> str:
    """Text without what differs from run to run."""
    text = re.sub(r"\d+(\.\d+)? (ms|s)\b", "TIME", text)
    return re.sub(
        r"Python \d+\.\d+\.\d+", "Python VERSION", re.sub(r"\d+ entries", "N entries", text)
    )


def test_a_person_makes_an_environment_and_works_in_it(
    project: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    root = tmp_path / "root"

    created = envmgr("create", "-q", "--progress", "plain", environ=environ, directory=project)
    again = envmgr("create", environ=environ, directory=project)
    program = "import model, os; print(model.answer, os.environ['MODE'])"
    ran = envmgr(
        "run", "-n", "climate", "python", "-c", program, environ=environ, directory=project
    )

    assert (created.returncode, created.stdout) == (0, ""), created.stderr
    assert "linked 2 packages in TIME" in steady(created.stderr).splitlines()
    assert steady(again.stdout) == "climate is up to date: 2 packages, Python VERSION (TIME)\n"
    assert ran.stdout == "42 fast\n", ran.stderr
    assert (root / "environments" / "climate" / "bin" / "activate").is_file()


def test_the_summary_says_what_was_made_and_what_to_type(
    project: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    done = envmgr("create", "-g", "plots", environ=environ, directory=project)

    lines = steady(done.stdout).splitlines()
    root = tmp_path / "root"
    assert lines[:8] == [
        "created climate: 3 packages, Python VERSION, N entries",
        f"  in {root}/environments/climate",
        "  with group plots",
        "  + grid   1.5",
        "  + model  1.0",
        "  + paint  2.0",
        f"wrote {project}/pylock.toml",
        f"the store is new: {root}/store/v1",
    ]
    assert lines[8].endswith("TIME in all")
    assert lines[9:] == [
        "next:  envmgr run -n climate python",
        '  or:  source "$(envmgr prefix climate)/bin/activate"',
    ]


def test_a_dry_run_leaves_nothing_behind(
    project: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    done = envmgr("create", "--dry-run", environ=environ, directory=project)

    assert done.stdout.startswith("would create climate: 2 packages"), done.stderr
    assert not (tmp_path / "root" / "environments" / "climate").exists()
    assert not (project / "pylock.toml").exists()


def test_sync_follows_the_file_and_tells_in_json(
    project: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    envmgr("create", "-p", "env", environ=environ, directory=project)
    file = project / "environment.yaml"
    file.write_text(file.read_text().replace("[model]", "[grid]"))

    done = envmgr("sync", "-p", "env", "--json", environ=environ, directory=project)

    document = json.loads(done.stdout)
    assert (document["schema"], document["command"]) == (1, "sync")
    result = document["result"]
    assert (result["made"], result["packages"], result["lock_written"]) == ("updated", 1, True)
    assert result["prefix"] == str(project / "env")
    assert result["changes"] == [{"name": "model", "before": "1.0", "after": None}]


def test_packages_are_listed_with_their_groups(
    project: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    envmgr("create", "-g", "plots", environ=environ, directory=project)

    done = envmgr("list", "-n", "climate", environ=environ, directory=project)

    rows = [line.split()[:4] for line in done.stdout.splitlines()[1:4]]
    assert rows == [
        ["grid", "1.5", "here", "-"],
        ["model", "1.0", "here", "-"],
        ["paint", "2.0", "here", "plots"],
    ]


def test_a_lock_is_checked_and_a_stale_one_is_exit_7(
    project: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    missing = envmgr("lock", "--check", environ=environ, directory=project)
    written = envmgr("lock", environ=environ, directory=project)
    right = envmgr("lock", "--check", environ=environ, directory=project)
    file = project / "environment.yaml"
    file.write_text(file.read_text().replace("[model]", "[model, paint]"))
    stale = envmgr("lock", "--check", "--json", environ=environ, directory=project)

    assert missing.returncode == 7
    assert written.stdout.startswith(f"wrote {project}/pylock.toml: 3 packages"), written.stderr
    assert (right.returncode, "is up to date" in right.stdout) == (0, True)
    assert stale.returncode == 7
    assert json.loads(stale.stdout)["error"]["code"] == "LockStale"


def test_progress_in_json_is_apart_from_the_result(
    project: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    done = envmgr("create", "--json", "--progress", "json", environ=environ, directory=project)

    assert json.loads(done.stdout)["result"]["made"] == "created"
    events = [json.loads(line) for line in done.stderr.splitlines()]
    finished = {event["stage"]: event["items"] for event in events if "items" in event}
    assert finished["unpack"] == 2
    assert finished["link"] == 2
