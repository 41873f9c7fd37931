"""Environments of real packages, in one store that all of them share."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
LIMIT = 900
"""Seconds that anything may take."""

_STEERING = ("MKL_", "OMP_", "GOMP_", "KMP_", "OPENBLAS_", "NUMBA_", "LD_", "PYTHONPATH")


@dataclass(frozen=True)
class RealEnvironments:
    """A directory with a store and the environments that are made there."""

    directory: Path

    @property
    def environ(self) -> dict[str, str]:
        """Variables with nothing that steers a runtime or the loader."""
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith(_STEERING)
        }
        home, cache = self.directory / "home", self.directory / "cache"
        return {**inherited, "ENVMGR_HOME": str(home), "ENVMGR_CACHE": str(cache)}

    def python(self, name: str) -> str:
        return str(self.directory / "home" / "environments" / name / "bin" / "python")

    def create(self, text: str) -> dict[str, Any]:
        """Make the environment of a file's text; returns what ``create`` reports."""
        (self.directory / "environment.yaml").write_text(text, "utf-8")
        (self.directory / "pylock.toml").unlink(missing_ok=True)
        return dict(json.loads(self.envmgr("create", "--no-compile", "--json"))["result"])

    def envmgr(self, *words: str) -> str:
        return self.run([sys.executable, "-m", "envmgr", *words], {"PYTHONPATH": str(ROOT)})

    def run(self, command: list[str], more: Mapping[str, str] | None = None) -> str:
        """Run a command; fails with everything it wrote where it fails."""
        done = subprocess.run(
            command,
            cwd=self.directory,
            env={**self.environ, **(more or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def last_line(self, command: list[str], more: Mapping[str, str] | None = None) -> Any:
        """Run a command and read the JSON of its last line."""
        return json.loads(self.run(command, more).splitlines()[-1])


def torch_index() -> str:
    """A torch for CPUs, where pip is told of one for Python 3.11 by PIP_FIND_LINKS, else PyPI's."""
    local = Path(os.environ.get("PIP_FIND_LINKS") or "absent")
    wheel = next(iter(sorted(local.glob("torch-*-cp311-*.whl"))), None)
    here = f"{{name: here, url: '{local}', packages: [torch]}}, " if wheel else ""
    return f"indexes: [{here}{{name: pypi}}]\n"
