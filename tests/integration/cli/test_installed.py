"""The command where it was installed from a wheel, and no checkout stands beside it."""

import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from tests.integration.cli.terminal import ROOT, envmgr
from tests.support.wheels import make_wheel


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The files of envmgr's own wheel, put where `pyproject.toml` says they go."""
    place = tmp_path / "site-packages"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    parts = {name: name for name in wheel["packages"]} | wheel["force-include"]
    for source, target in parts.items():
        shutil.copytree(ROOT / source, place / target)
    return place


def test_an_environment_is_made_where_no_checkout_is(
    installed: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    wheel = make_wheel("model", "1.0")
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / wheel.filename).write_bytes(wheel.data)
    (tmp_path / "environment.yaml").write_text(
        "name: climate\nindexes: [{name: here, url: ./wheels}]\ndependencies: [model]\n"
    )
    environ |= {"PYTHONPATH": str(installed), "ENVMGR_PYTHONS": sys.executable}

    done = envmgr("create", environ=environ, directory=tmp_path)

    assert done.returncode == 0, done.stderr
    listed = envmgr("list", "-n", "climate", environ=environ, directory=tmp_path)
    assert "model" in listed.stdout
