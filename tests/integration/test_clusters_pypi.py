"""Real packages whose libraries reach into each other, in a composition: `make slow`.

Pinocchio comes in a dozen wheels that fill one directory, ``cmeel.prefix``, and find each
other there.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.real_environments import RealEnvironments

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="libraries reach on Linux"),
]

FILE = "schema: 1\nname: robots\npython: '==3.11.*'\ndependencies: [pin]\n"
PROGRAM = """
import importlib.metadata, json, os, pathlib
import pinocchio, coal, eigenpy
model = pinocchio.buildSampleModelHumanoidRandom()
pinocchio.forwardKinematics(model, model.createData(), pinocchio.randomConfiguration(model))
libraries = {}
for line in open("/proc/self/maps"):
    words = line.split()
    if len(words) > 5 and "cmeel.prefix" in words[5]:
        libraries.setdefault(os.path.basename(words[5]), set()).add(words[4])
print(json.dumps({
    "libraries": {name: len(inodes) for name, inodes in libraries.items()},
    "files": all(each.locate().exists() for each in importlib.metadata.files("coal")),
    "really": str(pathlib.Path(pinocchio.__file__).resolve()),
}))
"""
ENTRIES = 250
"""At most in the view; the wheels have 19,000 files, and 449 places where they meet."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> RealEnvironments:
    environments = RealEnvironments(tmp_path_factory.mktemp("clusters"))
    assert environments.create(FILE)["entries"] <= ENTRIES
    return environments


def test_each_library_is_loaded_once_and_the_same_as_in_a_plain_environment(
    made: RealEnvironments,
) -> None:
    seen = made.last_line([made.python("robots"), "-c", PROGRAM])
    assert {*seen["libraries"].values()} == {1}
    assert seen["files"]
    assert "/composed-" in seen["really"]

    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    base = os.path.realpath(made.python("robots"))
    plain = made.directory / "plain"
    made.run([uv, "venv", "--quiet", "--python", base, str(plain)])
    made.run([uv, "pip", "sync", "--quiet", "--python", f"{plain}/bin/python", "pylock.toml"])
    alone = made.last_line([f"{plain}/bin/python", "-c", PROGRAM])
    assert alone["libraries"].keys() == seen["libraries"].keys()


def test_the_store_is_whole_and_everything_goes_with_the_environment(
    made: RealEnvironments,
) -> None:
    made.envmgr("store", "verify")
    entries = made.directory / "home/store/v1/entries"
    assert len(list(entries.glob("composed-*"))) > 0
    made.envmgr("delete", "robots", "--yes")
    made.envmgr("store", "gc", "--older-than", "0")
    assert list(entries.iterdir()) == []
