"""Extensions of notebooks, and settings below the prefix, in a view: `make slow`."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.integration.test_tools_pypi import Environment

pytestmark = pytest.mark.slow

CLASSIC = """\
schema: 1
name: tools
python: "3.11"
exclude-newer: 2026-11-01
dependencies: [jupyter_contrib_nbextensions, "notebook <7", "setuptools <81"]
"""
LAB = """\
schema: 1
name: tools
python: "3.12"
exclude-newer: 2026-11-01
dependencies: [jupyterlab, ipywidgets, nbclassic, jupyterlab-git]
"""
LIKE_A_USER = "--bounding-set=-dac_override,-dac_read_search,-fowner"
"""For root: modes hold then as they do for everybody else."""
MORE = "groups: {more: [iniconfig]}\n"


class Notebooks(Environment):
    """An environment whose programs run as a user's do."""

    def user(self, *command: str) -> str:
        """Run a command as somebody whom modes hold back; returns what it printed."""
        held = ["setpriv", LIKE_A_USER] if os.geteuid() == 0 else []
        return self.call(*held, *command)

    def jupyter(self, *words: str) -> str:
        """Run jupyter so; returns its messages too."""
        return self.user("sh", "-c", '"$@" 2>&1', "sh", str(self.prefix / "bin/jupyter"), *words)

    def change(self) -> str:
        """Make the next generation; returns what was told."""
        with (self.directory / "environment.yaml").open("a", encoding="utf-8") as file:
            file.write(MORE)
        return self.call(
            "sh", "-c", '"$@" 2>&1', "sh", *self.words("sync", "tools", "--group", "more")
        )

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "envmgr", *words, "--no-compile"]


def made(file: str, directory: str) -> Notebooks:
    environment = Notebooks(Path(directory))
    (environment.directory / "nobody").mkdir()
    (environment.directory / "environment.yaml").write_text(file, "utf-8")
    environment.envmgr("create", "--no-compile")
    return environment


@pytest.fixture
def classic() -> Iterator[Notebooks]:
    with TemporaryDirectory(prefix="envmgr-classic-") as directory:
        yield made(CLASSIC, directory)


@pytest.fixture
def lab() -> Iterator[Notebooks]:
    with TemporaryDirectory(prefix="envmgr-lab-") as directory:
        yield made(LAB, directory)


def test_nbextensions_are_installed_enabled_and_go_along(classic: Notebooks) -> None:
    for _ in range(2):  # again, over what is there
        classic.jupyter("contrib", "nbextension", "install", "--sys-prefix")
    classic.jupyter("nbextension", "enable", "codefolding/main", "--sys-prefix")
    settings = classic.prefix / "etc/jupyter/nbconfig/notebook.json"
    assert json.loads(settings.read_text("utf-8"))["load_extensions"]["codefolding/main"]

    told = classic.change()

    assert "kept what programs wrote: etc/jupyter/" in told
    assert json.loads(settings.read_text("utf-8"))["load_extensions"]["codefolding/main"]
    listed = classic.jupyter("nbextension", "list")
    enabled = next(part for part in listed.split("\n      ") if "codefolding/main" in part)
    assert "enabled" in enabled
    assert (classic.prefix / "share/jupyter/nbextensions/codefolding/main.js").is_file()


def test_labextensions_are_found_and_disabled_for_the_environment(lab: Notebooks) -> None:
    listed = lab.jupyter("labextension", "list")
    for name in ("@jupyter-widgets/jupyterlab-manager", "@jupyterlab/git"):
        line = next(each for each in listed.splitlines() if name in each)
        assert "enabled" in line
        assert "OK" in line

    lab.jupyter("labextension", "disable", "--level=sys_prefix", "@jupyterlab/git")
    lab.jupyter("server", "extension", "disable", "--sys-prefix", "jupyterlab_git")
    lab.change()

    listed = lab.jupyter("labextension", "list")
    line = next(each for each in listed.splitlines() if "@jupyterlab/git" in each)
    assert "disabled" in line
    listed = lab.jupyter("server", "extension", "list")
    assert "jupyterlab_git disabled" in " ".join(listed.replace("\x1b[31m", "").split())


def test_settings_below_the_prefix_are_read_and_carried(lab: Notebooks) -> None:
    """The user's own file, and one in a directory that packages fill with links."""
    etc = lab.prefix / "etc" / "jupyter"
    (etc / "jupyter_server_config.json").write_text('{"ServerApp": {"port": 7357}}', "utf-8")
    (etc / "jupyter_server_config.d" / "zz-mine.json").write_text(
        '{"ServerApp": {"jpserver_extensions": {"nbclassic": false}}}', "utf-8"
    )

    def shown() -> str:
        return lab.jupyter("server", "--show-config")

    before = shown()
    told = lab.change()

    for text in (before, shown()):
        assert "7357" in text
        assert "'nbclassic': False" in text
    for name in ("jupyter_server_config.json", "jupyter_server_config.d/zz-mine.json"):
        assert f"etc/jupyter/{name}" in told


def test_a_kernel_is_installed_over_the_packages_own(lab: Notebooks) -> None:
    """Under the name that ipykernel's own has, which is what nobody says another of."""
    for _ in range(2):
        lab.user(str(lab.prefix / "bin/python"), "-m", "ipykernel", "install", "--sys-prefix")
    kernels = json.loads(lab.user(str(lab.prefix / "bin/jupyter"), "kernelspec", "list", "--json"))
    argv = kernels["kernelspecs"]["python3"]["spec"]["argv"]
    assert argv[0].startswith(str(lab.prefix))

    lab.change()

    kernels = json.loads(lab.user(str(lab.prefix / "bin/jupyter"), "kernelspec", "list", "--json"))
    assert "python3" in kernels["kernelspecs"]
