"""The scientific stack from PyPI: the same versions as uv chooses."""

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

import envmgr
from envmgr.index.catalog import open_catalog
from envmgr.resolve.solve import resolve
from envmgr.resolve.types import Problem, Resolution, Root
from envmgr.spec.environment import read_environment
from envmgr.spec.settings import load_settings
from envmgr.target.tags import compatible_tags
from envmgr.target.types import Target
from tests.support.universe import make_target

SCIENCE = Path(envmgr.__file__).parent.parent / "recipes" / "environments" / "science.yaml"


def uv() -> str:
    beside = Path(sysconfig.get_path("scripts")) / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    assert found, "uv is a development dependency"
    return found


@pytest.mark.slow
def test_the_scientific_stack_gets_the_versions_that_uv_chooses(tmp_path: Path) -> None:
    described = make_target("3.12.4")
    tags = compatible_tags(described.interpreter)
    target = Target(described.interpreter, described.markers, tags, described.hardware)
    spec = read_environment(SCIENCE, {})
    roots = tuple(Root(requirement, None) for requirement in spec.dependencies)
    indexes = load_settings({}, tmp_path).indexes
    with open_catalog(
        indexes,
        target,
        cache=tmp_path / "cache",
        offline=False,
        refresh=False,
        exclude_newer=None,
        environ=os.environ,
    ) as catalog:
        answer = resolve(Problem(roots=roots, target=target), catalog)
    assert isinstance(answer, Resolution)
    ours = {str(name): str(one.candidate.version) for name, one in answer.chosen.items()}
    assert ours == chosen_by_uv([str(root.requirement) for root in roots], tmp_path)


def chosen_by_uv(requirements: list[str], directory: Path) -> dict[str, str]:
    asked = directory / "requirements.in"
    asked.write_text("\n".join(requirements), "utf-8")
    command = [
        uv(), "pip", "compile", "--quiet", "--python-version", "3.12.4",
        "--python-platform", "x86_64-manylinux_2_36", "--only-binary", ":all:",
        "--no-header", "--no-annotate", str(asked),
    ]  # fmt: skip
    written = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pins = re.findall(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==(\S+)", written, re.MULTILINE)
    return dict(pins)
