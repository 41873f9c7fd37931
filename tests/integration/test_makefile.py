"""Which virtual environment ``make`` works in: commands are printed, nothing is made."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALL = {name: value for name, value in os.environ.items() if name not in {"PYTHON", "MAKEFLAGS"}}

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def commands(*words: str, **variables: str) -> str:
    return subprocess.run(
        ["make", "--dry-run", "--always-make", "unit", *words],
        cwd=ROOT,
        env={**SMALL, **variables},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_another_interpreter_has_an_environment_of_its_own() -> None:
    own = ".venv-{}.{}{}".format(*sys.version_info[:2], sys.abiflags)
    said = commands(f"PYTHON={sys.executable}")
    assert said == commands(PYTHON=sys.executable)
    assert f"{sys.executable} -m venv {own}\n" in said
    assert f"\n{own}/bin/pytest " in said


def test_without_one_the_tests_run_in_the_usual_place() -> None:
    said = commands()
    assert "python3 -m venv .venv\n" in said
    assert "\n.venv/bin/pytest " in said
    assert ".venv-" not in said
