"""What a command imports decides how long it takes to start."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli.terminal import bare_environ, make_environment

HEAVY = {
    "archspec", "dataclasses", "filelock", "urllib3", "inspect", "isal", "json", "logging",
    "msgspec", "packaging", "pathlib", "platformdirs", "resolvelib", "rich", "shutil",
    "subprocess", "tomli_w", "truststore", "yaml",
}  # fmt: skip
"""Costs several milliseconds, or much more."""
THIRD_PARTY = {
    "archspec", "filelock", "urllib3", "isal", "msgspec", "packaging", "platformdirs",
    "resolvelib", "rich", "tomli_w", "truststore", "yaml",
}  # fmt: skip


def imported_by(words: list[str], environ: dict[str, str], code: int = 0) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "envmgr", *words],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return set(re.findall(r"^import time:[^|]+\|[^|]+\|\s+(\S+)$", done.stderr, re.MULTILINE))


def started_with(environ: dict[str, str]) -> set[str]:
    """What the interpreter imports for itself, with whatever its site-packages add."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", ""],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(re.findall(r"\|\s+(\S+)$", done.stderr, re.MULTILINE))


def top_level(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def ours(modules: set[str]) -> set[str]:
    return {module for module in modules if module.partition(".")[0] == "envmgr"}


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_and_version_import_no_command_and_nothing_heavy(
    words: list[str], environ: dict[str, str]
) -> None:
    modules = imported_by(words, environ) - started_with(environ)

    assert not top_level(modules) & (HEAVY | {"argparse"})
    assert ours(modules) <= {
        "envmgr",
        "envmgr.cli",
        "envmgr.cli.main",
        "envmgr.cli.menu",
        "envmgr.cli.output",
        "envmgr.cli.session",
        "envmgr.cli.words",
        "envmgr.errors",
    }


def test_the_help_of_a_command_imports_that_command_alone(environ: dict[str, str]) -> None:
    modules = imported_by(["create", "--help"], environ)

    commands = {module for module in modules if module.startswith("envmgr.cli.commands.")}
    assert commands == {"envmgr.cli.commands.create"}
    assert "rich" not in modules
    assert not any(module.startswith("envmgr.pipeline.create") for module in modules)


@pytest.mark.parametrize("by_name", [False, True])
def test_run_imports_nothing_of_others_and_no_pipeline(
    by_name: bool, tmp_path: Path, environ: dict[str, str]
) -> None:
    prefix = tmp_path / "root" / "environments" / "climate"
    make_environment(prefix, {"prog": "#!/bin/sh\nexit 0\n"})
    select = ["-n", "climate"] if by_name else ["-p", str(prefix)]

    modules = imported_by(["run", *select, "prog"], environ) - started_with(environ)

    assert not top_level(modules) & THIRD_PARTY
    assert {"subprocess", "shutil", "logging"}.isdisjoint(modules)
    pipeline = {module for module in modules if module.startswith("envmgr.pipeline.")}
    assert pipeline <= {"envmgr.pipeline.selectors"}
    assert by_name or "dataclasses" not in modules  # settings have them, and a name needs these


def test_prefix_is_as_light_as_run(tmp_path: Path, environ: dict[str, str]) -> None:
    make_environment(tmp_path / "root" / "environments" / "climate", {})

    modules = imported_by(["prefix", "climate"], environ) - started_with(environ)

    assert not top_level(modules) & THIRD_PARTY


def test_the_check_would_notice_a_heavy_import(tmp_path: Path) -> None:
    environ = bare_environ(tmp_path)

    modules = imported_by(["config", "--json", "show"], environ)

    assert "json" in modules
