"""The contestants, and what each of them does for the same job."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import Run, Series, added, run

FILE = Path(__file__).parent.parent / "recipes" / "environments" / "science.yaml"
STACK = (
    "numpy scipy pandas sklearn matplotlib.pyplot jupyterlab numba xarray dask.dataframe "
    "statsmodels.api seaborn pytest h5py zarr networkx sympy pyarrow polars skimage"
).split()
"""The modules of the requirements of FILE."""


def remove(path: Path) -> None:
    """Remove a tree, read-only directories included."""
    for root, _, _ in os.walk(path):
        Path(root).chmod(0o755)
    shutil.rmtree(path, ignore_errors=True)


def entries_under(path: Path) -> int:
    """Directory entries of a tree; links count once and are not followed."""
    return sum(len(folders) + len(files) for _, folders, files in os.walk(path))


@dataclass(frozen=True)
class Contest:
    """A place to work in, with the tools and the one lock that everybody installs."""

    root: Path
    envmgr: str
    uv: str
    python: str
    """Base interpreter the lock is for."""
    lock: Path
    requirements: tuple[str, ...]

    def environ(self, **extra: str) -> dict[str, str]:
        """The caller's environment without what would favour one contestant."""
        dropped = {"PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONUNBUFFERED"}
        kept = {name: value for name, value in os.environ.items() if name not in dropped}
        return {
            **kept,
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_PROGRESS": "1",
            "NO_COLOR": "1",
            **extra,
        }

    def ours(self, name: str = "warm") -> dict[str, str]:
        """Environment variables of an envmgr with a store and caches of its own."""
        base = self.root / f"envmgr-{name}"
        return self.environ(ENVMGR_HOME=str(base / "home"), ENVMGR_CACHE=str(base / "cache"))

    def theirs(self, name: str = "warm") -> dict[str, str]:
        """Environment variables of a uv with a cache of its own."""
        return self.environ(UV_CACHE_DIR=str(self.root / f"uv-{name}"))

    def envmgr_create(self, prefix: Path, environ: dict[str, str], *options: str) -> Run:
        """``envmgr create`` from the lock."""
        command = [
            self.envmgr,
            "create",
            "-f",
            str(FILE),
            "-p",
            str(prefix),
            "--lock",
            str(self.lock),
        ]
        return run([*command, "--frozen", *options], environ)

    def uv_create(
        self, prefix: Path, environ: dict[str, str], *options: str, lock: Path | None = None
    ) -> Run:
        """``uv venv && uv pip sync`` from the same lock, or another."""
        sync = [self.uv, "pip", "sync", "--python", str(prefix), *options, str(lock or self.lock)]
        return added(
            run([self.uv, "venv", "--python", self.python, str(prefix)], environ),
            run(sync, environ),
        )

    def pip_create(self, prefix: Path) -> Run:
        """``python -m venv && pip install -r`` from the same lock, pip's own cache warm."""
        environ = self.environ(PIP_CACHE_DIR=str(self.root / "pip-warm"))
        pip = str(prefix / "bin" / "pip")
        parts = [run([self.python, "-m", "venv", str(prefix)], environ)]
        run([pip, "install", "--quiet", "--upgrade", "pip"], environ)
        parts.append(run([pip, "install", "--quiet", "-r", str(self.lock)], environ))
        return added(*parts)

    def first_import(self, prefix: Path, environ: dict[str, str]) -> Run:
        """Import the stack with the environment's own interpreter."""
        code = f"import {', '.join(STACK)}"
        return run([str(prefix / "bin" / "python"), "-c", code], environ)


@contextmanager
def contest(envmgr: str, uv: str, where: Path | None) -> Iterator[Contest]:
    """Make the lock once, fill both warm caches, and clean up at the end."""
    root = Path(tempfile.mkdtemp(prefix="envmgr-bench-", dir=where))
    try:
        lock = root / "pylock.science.toml"
        draft = Contest(root, envmgr, uv, sys.executable, lock, ())
        run([envmgr, "lock", "-f", str(FILE), "--lock", str(lock)], draft.ours())
        draft.envmgr_create(root / "first", draft.ours())
        pyvenv = (root / "first" / "pyvenv.cfg").read_text("utf-8")
        python = dict(line.split(" = ", 1) for line in pyvenv.splitlines())["executable"]
        ready = Contest(root, envmgr, uv, python, lock, requirements_of(envmgr, draft))
        ready.uv_create(root / "first-uv", ready.theirs())
        yield ready
    finally:
        remove(root)


def requirements_of(envmgr: str, draft: Contest) -> tuple[str, ...]:
    """The requirements of FILE as PEP 508 lines, read the way envmgr reads them."""
    code = (
        "import sys; from pathlib import Path\n"
        "from envmgr.spec.environment import read_environment\n"
        "print(*read_environment(Path(sys.argv[1]), {}).dependencies, sep='\\n')"
    )
    python = str(Path(envmgr).parent / "python")
    done = subprocess.run(
        [python, "-c", code, str(FILE)], check=True, capture_output=True, text=True
    )
    return tuple(done.stdout.splitlines())


Job = Callable[[int], Run]


def pairs(count: int, ours: Job, theirs: Job) -> tuple[Series, Series]:
    """Run two jobs in turn, ``count`` times each."""
    a, b = [], []
    for number in range(count):
        a.append(ours(number))
        b.append(theirs(number))
    return Series(tuple(a)), Series(tuple(b))
