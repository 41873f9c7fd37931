import json
import sys
from pathlib import Path

import pytest

from tests.integration.cli.terminal import envmgr, make_environment, on_terminal


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    place = tmp_path / "root" / "environments" / "climate"
    make_environment(place, {"show": "#!/bin/sh\n"})
    return place


def test_nobody_there_to_ask_is_a_usage_error_and_nothing_goes(
    prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    done = envmgr("delete", "climate", environ=environ, directory=tmp_path, stdin="y\n")

    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert prefix.is_dir()


def test_with_yes_it_goes(prefix: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    done = envmgr("delete", "climate", "--yes", environ=environ, directory=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"deleted climate ({prefix})\n"
    assert not prefix.exists()


@pytest.mark.parametrize(
    ("typed", "code", "stays"),
    [("y\n", 0, False), ("Yes\n", 0, False), ("n\n", 130, True), ("\n", 130, True)],
)
def test_on_a_terminal_it_asks(
    typed: str, code: int, stays: bool, prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "envmgr", "delete", "climate"]

    ended, shown = on_terminal(command, environ, tmp_path, typed)

    assert f"Delete the environment at {prefix}? [y/N]" in shown
    assert ended == code
    assert prefix.exists() is stays


def test_an_unknown_environment_is_told_before_anything_is_asked(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    done = envmgr("delete", "climate", "--json", environ=environ, directory=tmp_path)

    assert done.returncode == 9
    assert json.loads(done.stdout)["error"]["code"] == "NoSuchEnvironment"


def test_a_deletion_in_json(prefix: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    done = envmgr("delete", "-p", str(prefix), "-y", "--json", environ=environ, directory=tmp_path)

    assert json.loads(done.stdout) == {
        "schema": 1,
        "command": "delete",
        "result": {"name": "climate", "prefix": str(prefix)},
    }
