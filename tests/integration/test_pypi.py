"""The commands a person types, on real packages from PyPI: `make slow`."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from envmgr.names import normalized

pytestmark = pytest.mark.slow

FILE = """\
schema: 1
name: real
python: ">=3.11"
exclude-newer: 2026-11-01
dependencies:
  - numpy >=2
  - requests[socks]
  - six
groups:
  test: [pytest]
variables: {OMP_NUM_THREADS: 1}
"""


@dataclass(frozen=True)
class Shell:
    """A person's terminal: a directory, and a root that nobody else uses."""

    directory: Path

    @property
    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "ENVMGR_HOME": str(self.directory / "home"),
            "ENVMGR_CACHE": str(self.directory / "cache"),
            "UV_CACHE_DIR": str(self.directory / "uv-cache"),
        }

    def run(self, *command: str, expect: int = 0) -> str:
        done = subprocess.run(
            command, cwd=self.directory, env=self.environ, capture_output=True, text=True
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout

    def envmgr(self, *words: str, expect: int = 0) -> str:
        return self.run(sys.executable, "-m", "envmgr", *words, expect=expect)

    def document(self, *words: str) -> dict[str, object]:
        document: dict[str, object] = json.loads(self.envmgr(*words, "--json"))
        return document


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    made = Shell(tmp_path_factory.mktemp("pypi"))
    (made.directory / "environment.yaml").write_text(FILE, "utf-8")
    made.envmgr("create", "--no-compile")
    return made


def versions(rows: Sequence[dict[str, str]]) -> dict[str, str]:
    return {normalized(row["name"]): row["version"] for row in rows}


def installed(shell: Shell) -> dict[str, str]:
    python = f"{shell.envmgr('prefix', 'real').strip()}/bin/python"
    asked = ("pip", "list", "--no-cache", "--python", python, "--format", "json")
    listed = shell.run(uv(), *asked)
    return versions(json.loads(listed))


def uv() -> str:
    return str(Path(sys.executable).with_name("uv"))


def test_the_environment_computes(shell: Shell) -> None:
    code = "import numpy, six, requests; print(numpy.arange(4).sum(), six.PY3)"
    assert shell.envmgr("run", "-n", "real", "python", "-c", code) == "6 True\n"


def test_nothing_newer_than_the_file_says_was_chosen(shell: Shell) -> None:
    lock = (shell.directory / "pylock.toml").read_text("utf-8")
    times = [
        line.split("upload-time = ")[1][:10] for line in lock.splitlines() if "upload-t" in line
    ]
    assert times
    assert max(times) <= "2026-11-01"


def test_variables_hold_in_run_and_in_an_activated_shell(shell: Shell) -> None:
    code = "import os; print(os.environ['OMP_NUM_THREADS'])"
    assert shell.envmgr("run", "-n", "real", "python", "-c", code) == "1\n"
    prefix = shell.envmgr("prefix", "real").strip()
    script = f'. "{prefix}/bin/activate"; python -c "{code}"; deactivate; command -v python'
    shown, after = shell.run("bash", "-c", script).splitlines()
    assert shown == "1"
    assert not after.startswith(prefix)


def test_other_tools_see_the_packages_of_the_view(shell: Shell) -> None:
    seen = installed(shell)
    assert {"numpy", "requests", "pysocks", "six"} <= seen.keys()
    assert "pytest" not in seen


def test_a_group_comes_and_stays(shell: Shell) -> None:
    shell.envmgr("create", "-g", "test", "--no-compile")
    assert "pytest" in installed(shell)
    assert shell.envmgr("run", "-n", "real", "pytest", "--version").startswith("pytest ")
    shell.envmgr("sync", "real", "--no-compile", "--locked")
    assert "pytest" in installed(shell)


def test_uv_and_pip_install_the_same_lock(shell: Shell) -> None:
    result = shell.document("list", "-n", "real")["result"]
    assert isinstance(result, dict)
    expected = versions(result["packages"])
    python = (Path(shell.envmgr("prefix", "real").strip()) / "bin" / "python").resolve()
    shell.run(uv(), "venv", "--python", str(python), "by-uv")
    shell.run(uv(), "pip", "sync", "--python", "by-uv", "pylock.toml")
    by_uv = json.loads(shell.run(uv(), "pip", "list", "--python", "by-uv", "--format", "json"))
    assert {name: expected[name] for name in versions(by_uv)} == versions(by_uv)
    assert {"numpy", "requests"} <= versions(by_uv).keys()
    shell.run(str(python), "-m", "venv", "by-pip")
    shell.run("by-pip/bin/python", "-m", "pip", "install", "--quiet", "--upgrade", "pip")
    shell.run("by-pip/bin/python", "-m", "pip", "install", "--quiet", "-r", "pylock.toml")
    by_pip = json.loads(shell.run("by-pip/bin/python", "-m", "pip", "list", "--format", "json"))
    assert versions(by_uv).items() <= versions(by_pip).items()


def test_an_old_interpreter_gets_an_environment_too(shell: Shell) -> None:
    (shell.directory / "old.yaml").write_text(
        "schema: 1\nname: old\npython: '3.8'\ndependencies: [six, attrs]\n", "utf-8"
    )
    shell.envmgr("create", "-f", "old.yaml")
    code = "import attr, six, sys; print(sys.version_info[:2])"
    assert shell.envmgr("run", "-n", "old", "python", "-c", code) == "(3, 8)\n"


def test_a_contradiction_names_what_contradicts(shell: Shell) -> None:
    (shell.directory / "wrong.yaml").write_text(
        "schema: 1\nname: wrong\npython: '3.12'\ndependencies: ['numba ==0.60.*', 'numpy >=2.3']\n",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "envmgr", "lock", "-f", "wrong.yaml"],
        cwd=shell.directory,
        env=shell.environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 6
    assert "numba" in done.stderr
    assert "numpy" in done.stderr


def test_offline_works_from_the_cache_and_fails_clearly_without(shell: Shell) -> None:
    shell.envmgr("lock", "--offline", "--dry-run")
    (shell.directory / "new.yaml").write_text(
        "schema: 1\nname: new\npython: '>=3.11'\ndependencies: [attrs-strict]\n", "utf-8"
    )
    shell.envmgr("lock", "-f", "new.yaml", "--offline", expect=5)


def test_deleting_leaves_no_trace_but_the_store(shell: Shell) -> None:
    (shell.directory / "brief.yaml").write_text(
        "schema: 1\nname: brief\npython: '>=3.11'\ndependencies: [six]\n", "utf-8"
    )
    shell.envmgr("create", "-f", "brief.yaml", "--no-compile")
    prefix = Path(shell.envmgr("prefix", "brief").strip())
    shell.envmgr("delete", "brief", "--yes")
    assert not prefix.exists()
    shell.envmgr("prefix", "brief", expect=9)
