"""Tools that look at an environment from within and from without, in a view: `make slow`."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

pytestmark = pytest.mark.slow

FILE = """\
schema: 1
name: tools
python: "3.12"
exclude-newer: 2026-11-01
dependencies:
  - basedpyright
  - coverage
  - ipykernel
  - jupyterlab
  - mypy
  - pyright[nodejs]
  - numpy
  - pandas
  - pip
  - pytest
  - pytest-randomly
  - virtualenv
"""


@dataclass(frozen=True)
class Environment:
    """One environment with tools in it, and a directory to work in."""

    directory: Path

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        return {
            **kept,
            "HOME": str(self.directory / "nobody"),
            "ENVMGR_HOME": str(self.directory / "home"),
            "ENVMGR_CACHE": str(self.directory / "cache"),
            "UV_CACHE_DIR": str(self.directory / "uv-cache"),
        }

    @property
    def prefix(self) -> Path:
        return self.directory / "home" / "environments" / "tools"

    def call(self, *command: str | Path, expect: int = 0, cwd: Path | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=cwd or self.directory,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout

    def envmgr(self, *words: str) -> str:
        return self.call(sys.executable, "-m", "envmgr", *words)

    def program(self, name: str, *words: str | Path, cwd: Path | None = None) -> str:
        return self.call(self.prefix / "bin" / name, *words, cwd=cwd)

    def python(self, code: str, *options: str) -> str:
        return self.program("python", *options, "-c", code).strip()

    def packages(self) -> set[str]:
        rows = json.loads(self.envmgr("list", "-n", "tools", "--json"))["result"]["packages"]
        return {row["name"] for row in rows}


@pytest.fixture(scope="module")
def tools() -> Iterator[Environment]:
    with TemporaryDirectory(prefix="envmgr-tools-") as directory:
        made = Environment(Path(directory))
        (made.directory / "nobody").mkdir()
        (made.directory / "environment.yaml").write_text(FILE, "utf-8")
        made.envmgr("create", "--no-compile")
        yield made


def test_pip_lists_and_checks(tools: Environment) -> None:
    listed = json.loads(tools.program("pip", "list", "--format", "json"))
    names = {row["name"].lower().replace("_", "-").replace(".", "-") for row in listed}
    assert names == tools.packages()
    assert "No broken requirements" in tools.program("pip", "check")


def test_uv_lists_and_checks(tools: Environment) -> None:
    uv = Path(sys.executable).with_name("uv")
    python = str(tools.prefix / "bin" / "python")
    listed = json.loads(tools.call(uv, "pip", "list", "--python", python, "--format", "json"))
    assert {row["name"] for row in listed} == tools.packages()
    tools.call(uv, "pip", "check", "--python", python)


def test_importlib_finds_metadata_files_and_resources(tools: Environment) -> None:
    assert (
        tools.python("""if True:
        from importlib import metadata, resources
        names = {name for every in metadata.packages_distributions().values() for name in every}
        missing = {each.name for each in metadata.distributions()} - names
        files = [each for each in metadata.distributions() if not each.files]
        text = resources.files("jupyterlab").joinpath("__init__.py").read_text()
        with resources.as_file(resources.files("pandas").joinpath("__init__.py")) as path:
            print(sorted(missing), files, bool(text), path.is_file())
    """)
        == "[] [] True True"
    )


def test_entry_points_are_found_and_load(tools: Environment) -> None:
    loaded = tools.python("""if True:
        from importlib.metadata import entry_points
        print(sorted(point.name for point in entry_points(group="pytest11") if point.load()))
    """)
    assert "randomly" in loaded


def test_isolated_mode_has_the_packages_and_nothing_of_the_directory(tools: Environment) -> None:
    assert tools.python("import numpy, sys; print('' in sys.path)", "-I") == "False"


def test_an_environment_upon_the_environment_sees_its_packages(
    tools: Environment, tmp_path: Path
) -> None:
    """``--system-site-packages`` of a virtual environment means the base interpreter's."""
    tools.program("python", "-m", "venv", "--without-pip", tmp_path / "plain")
    tools.program("virtualenv", "--no-seed", tmp_path / "virtual")
    for name in ("plain", "virtual"):
        found = tools.call(
            tmp_path / name / "bin" / "python", "-c", "import sys; print(sys.prefix)"
        )
        assert Path(found.strip()).samefile(tmp_path / name)


def test_type_checkers_find_packages(tools: Environment, tmp_path: Path) -> None:
    source = tmp_path / "program.py"
    source.write_text(
        "import numpy as np\nimport pytest\n\n"
        "wrong: str = np.zeros(3).sum\nreveal_type(np.arange(3).shape)\n",
        "utf-8",
    )
    mypy = tools.call(tools.prefix / "bin" / "mypy", "--strict", source, expect=1)
    assert "Incompatible types" in mypy
    assert "tuple[int" in mypy
    assert "import-not-found" not in mypy
    python = str(tools.prefix / "bin" / "python")
    for name in ("basedpyright", "pyright"):  # pyright itself comes from npm's registry
        checker = tools.prefix / "bin" / name
        report = tools.call(checker, "--outputjson", "--pythonpath", python, source, expect=1)
        found = json.loads(report[report.index("{") :])["generalDiagnostics"]
        rules = {each.get("rule") for each in found}
        assert "reportAssignmentType" in rules
        assert "reportMissingImports" not in rules


def test_pytest_uses_plugins_and_writes_nothing_into_the_store(
    tools: Environment, tmp_path: Path
) -> None:
    (tmp_path / "test_one.py").write_text("def test_one():\n    assert 1 + 1 == 2\n", "utf-8")
    told = tools.program("pytest", "-p", "no:cacheprovider", cwd=tmp_path)
    assert "randomly" in told
    assert "1 passed" in told


def test_spawned_processes_are_of_the_same_environment(tools: Environment, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing, sys\n"
        "import numpy\n"
        "def work(n):\n    return sys.prefix, int(numpy.arange(n).sum())\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n"
        "        print({(sys.prefix, 10)} | {pool.apply(work, (5,))} == {(sys.prefix, 10)})\n",
        "utf-8",
    )
    assert tools.program("python", program).strip() == "True"


def test_a_debugger_steps_into_a_package(tools: Environment, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("from packaging.version import parse\nparse('1.0')\n", "utf-8")
    commands = ("next", "step", "args", "where", "q")
    told = tools.program("python", "-m", "pdb", *(f"-c{each}" for each in commands), program)
    assert "version = '1.0'" in told
    assert "site-packages/packaging/version.py" in told


@pytest.mark.parametrize("option", ["--source=mine", "--omit=*/store/v1/entries/*"])
def test_coverage_measures_the_users_code_alone(
    tools: Environment, tmp_path: Path, option: str
) -> None:
    (tmp_path / "mine.py").write_text("import packaging.version\nx = 1\n", "utf-8")
    tools.program("coverage", "run", option, "mine.py", cwd=tmp_path)
    report = json.loads(tools.program("coverage", "json", "-o", "-", cwd=tmp_path))
    assert set(report["files"]) == {"mine.py"}


def test_jupyterlab_starts_with_its_extensions(tools: Environment, tmp_path: Path) -> None:
    listed = tools.program("jupyter", "server", "extension", "list")
    for extension in ("jupyterlab", "jupyter_lsp", "jupyter_server_terminals", "notebook_shim"):
        assert f"Validating {extension}..." in listed
    port, token = 18889, "secret"
    server = subprocess.Popen(
        [
            tools.prefix / "bin" / "jupyter-lab",
            "--no-browser",
            "--allow-root",
            f"--ServerApp.port={port}",
            f"--IdentityProvider.token={token}",
        ],
        cwd=tmp_path,
        env=tools.environ,
        stderr=subprocess.DEVNULL,
    )
    try:
        page = _ask(f"http://127.0.0.1:{port}/lab?token={token}", server)
        kernels = json.loads(_ask(f"http://127.0.0.1:{port}/api/kernelspecs?token={token}", server))
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert "JupyterLab" in page
    assert "python3" in kernels["kernelspecs"]


def _ask(url: str, server: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + 60
    while True:
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - http, of this machine
                return str(answer.read().decode())
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_a_kernel_is_installed_runs_and_goes_along(tools: Environment, tmp_path: Path) -> None:
    tools.program("python", "-m", "ipykernel", "install", "--sys-prefix", "--name", "mine")
    specification = tools.prefix / "share" / "jupyter" / "kernels" / "mine" / "kernel.json"
    python = json.loads(specification.read_text("utf-8"))["argv"][0]
    assert python.startswith(str(tools.prefix))
    notebook = tmp_path / "one.ipynb"
    notebook.write_text(
        json.dumps(
            {
                "nbformat": 4,
                "nbformat_minor": 5,
                "metadata": {"kernelspec": {"name": "mine", "display_name": "m"}},
                "cells": [
                    {
                        "id": "a",
                        "cell_type": "code",
                        "metadata": {},
                        "outputs": [],
                        "execution_count": None,
                        "source": "import numpy, sys; print(numpy.arange(4).sum(), sys.prefix)",
                    }
                ],
            }
        ),
        "utf-8",
    )
    told = tools.program(
        "jupyter", "nbconvert", "--execute", "--to", "markdown", "--stdout", notebook
    )
    assert f"6 {tools.prefix}" in told


def test_the_store_is_as_it_was(tools: Environment) -> None:
    """After everything above, which ran as whoever runs the tests, root perhaps.

    What pytest rewrote of its plugins is its own affair: it checks it against the source.
    """
    entries = tools.directory / "home" / "store" / "v1" / "entries"
    written = [
        str(path.relative_to(entries))
        for path in entries.rglob("*")
        if path.parent.name == "__pycache__" and "-pytest-" not in path.name
    ]
    assert written == []
    assert tools.envmgr("sync", "tools", "--no-compile").startswith("tools is up to date")
