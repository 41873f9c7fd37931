"""Every interpreter of this machine: our tags and markers are what packaging says inside it."""

import json
import shutil
from importlib.metadata import metadata
from itertools import groupby
from pathlib import Path

import packaging
import pytest
from packaging.specifiers import SpecifierSet

from envmgr.target.tags import compatible_tags
from envmgr.target.types import Interpreter
from tests.support.interpreters import label, real_host, usable_here

ASK = """
import json, sys
sys.path.insert(0, sys.argv[1])
from packaging import markers, tags
print(json.dumps([list(map(str, tags.sys_tags())), markers.default_environment()]))
"""

ASK_PIP = """
import json
from pip._internal.utils.compatibility_tags import get_supported
from pip._vendor.packaging import markers
print(json.dumps([list(map(str, get_supported())), markers.default_environment()]))
"""
"""For a Python older than packaging supports: what ``pip debug --verbose`` shows."""

LINUX_FIRST = (26, 3)
"""Since this release packaging prefers ``linux_*`` to manylinux and musllinux."""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds packaging and nothing else."""
    place = tmp_path_factory.mktemp("packaging")
    source = Path(packaging.__file__).parent
    shutil.copytree(source, place / "packaging", ignore=shutil.ignore_patterns("__pycache__"))
    return place


def runs_packaging(interpreter: Interpreter) -> bool:
    """Whether the packaging of the tests runs in an interpreter; else its pip is asked."""
    wanted = SpecifierSet(metadata("packaging")["Requires-Python"])
    return interpreter.version_text in wanted


def answer_of(interpreter: Interpreter, alone: Path) -> tuple[list[str], dict[str, str]]:
    question = ASK if runs_packaging(interpreter) else ASK_PIP
    command = (interpreter.executable, "-c", question, str(alone))
    ran = real_host().run(command, 60, {"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"})
    if question is ASK_PIP and "No module named 'pip" in ran.errors:
        pytest.skip("too old for the packaging at hand, and without a pip")
    assert ran.status == 0, ran.errors
    tags, markers = json.loads(ran.output)
    return tags, markers


def with_linux_first(tags: list[str]) -> list[str]:
    """Bring an older packaging's list into the newer order, which differs in this only."""
    reordered: list[str] = []
    for _, group in groupby(tags, key=lambda tag: tag.rpartition("-")[0]):
        reordered += sorted(group, key=lambda tag: "-linux_" not in tag)
    return reordered


def test_at_least_the_interpreter_that_runs_the_tests_is_checked() -> None:
    own = real_host().real_path(real_host().own_interpreter)
    mine = [each for each in usable_here() if each.executable == own]
    assert len(mine) == 1
    assert runs_packaging(mine[0])


@pytest.mark.parametrize("interpreter", usable_here(), ids=label)
def test_our_tags_and_markers_are_those_packaging_gives_inside(
    interpreter: Interpreter, alone: Path
) -> None:
    tags, markers = answer_of(interpreter, alone)
    release = tuple(map(int, packaging.__version__.split(".")[:2]))
    if release < LINUX_FIRST or not runs_packaging(interpreter):
        tags = with_linux_first(tags)
    assert list(compatible_tags(interpreter)) == tags
    assert dict(interpreter.markers) == markers
