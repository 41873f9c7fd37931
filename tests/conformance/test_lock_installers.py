"""Our locks in the hands of other installers of PEP 751: packaging, uv and pip."""

import json
import os
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uv as uv_package
from packaging.pylock import Pylock, PylockSelectError
from packaging.tags import parse_tag

from envmgr.hardware.profile import HardwareProfile
from envmgr.lock.freeze import freeze
from envmgr.lock.pylock import render_lock
from envmgr.lock.types import Lock
from envmgr.names import IndexName
from envmgr.spec.types import IndexSpec
from envmgr.target.probe import probe_interpreter
from envmgr.target.target import make_target
from envmgr.target.types import Target
from tests.support.index_server import IndexServer
from tests.support.interpreters import real_host
from tests.support.locks import (
    chosen,
    context_of,
    direct_candidate,
    groups_of,
    outcome,
    resolution_of,
    target_for,
    wheel_candidate,
)
from tests.support.values import replace
from tests.support.wheels import Wheel, make_wheel

BASE = make_wheel("base", "1.0", requires=["needed>=2"])
NEEDED = make_wheel("needed", "2.0+local.1")
CHECKER = make_wheel("checker", "3.0", requires=["needed"])
DIRECT = make_wheel("direct", "4.0")
WHEELS = (BASE, NEEDED, CHECKER, DIRECT)
ALWAYS = {"base": "1.0", "needed": "2.0+local.1", "direct": "4.0"}
WITH_TEST = {**ALWAYS, "checker": "3.0"}


@dataclass(frozen=True, slots=True)
class Project:
    """A directory with a lock in it, for the interpreter that runs the tests."""

    lock: Lock
    path: Path

    def write(self, lock: Lock) -> Path:
        self.path.write_text(render_lock(lock))
        return self.path


@pytest.fixture(scope="module")
def here() -> Target:
    interpreter = probe_interpreter(Path(sys.executable), real_host(), None)
    return make_target(interpreter, HardwareProfile(architecture="any"))


def make_lock(target: Target, index: IndexSpec, place: str, directory: Path) -> Lock:
    """Lock the wheels; ``place`` is what comes before a wheel's file name in its URL."""

    def package(wheel: Wheel, group: str | None = None, needs: tuple[str, ...] = ()) -> object:
        candidate = wheel_candidate(wheel.filename, index, url=f"{place}{wheel.filename}")
        told = replace(candidate, sha256=wheel.sha256, size=len(wheel.data))
        return chosen(told, groups=[group], requires=needs)

    direct = direct_candidate(f"{place}{DIRECT.filename}")
    resolution = resolution_of(
        package(BASE, needs=("needed",)),  # type: ignore[arg-type]
        package(NEEDED),  # type: ignore[arg-type]
        package(CHECKER, "test", ("needed",)),  # type: ignore[arg-type]
        chosen(replace(direct, sha256=DIRECT.sha256, size=len(DIRECT.data))),
        markers=[
            outcome('sys_platform == "nowhere"', False),
            outcome('python_full_version >= "3.0"', True),
        ],
    )
    context = context_of(groups=groups_of("test"), indexes=(index,), lock_directory=str(directory))
    return freeze(resolution, target, context)


@pytest.fixture(params=["index", "directory"])
def project(request: pytest.FixtureRequest, here: Target, tmp_path: Path) -> Iterator[Project]:
    directory = tmp_path / "a project"
    directory.mkdir()
    path = directory / "pylock.toml"
    if request.param == "directory":
        wheels = directory / "wheels"
        wheels.mkdir()
        for wheel in WHEELS:
            wheel.write_to(wheels)
        index = IndexSpec(name=IndexName("w"), url=f"file://{wheels}", shown_url="./wheels")
        lock = make_lock(here, index, f"file://{str(wheels).replace(' ', '%20')}/", directory)
        path.write_text(render_lock(lock))
        yield Project(lock, path)
        return
    with IndexServer(WHEELS) as server:
        index = IndexSpec(name=IndexName("loop"), url=server.url, shown_url=server.url)
        lock = make_lock(here, index, f"{server.root}/files/", directory)
        path.write_text(render_lock(lock))
        yield Project(lock, path)


def clean_environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment without anybody's settings of pip and uv."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "UV_", "PYTHON", "VIRTUAL_ENV"))
    }
    return {**kept, "HOME": str(tmp_path), "UV_CACHE_DIR": str(tmp_path / "uv-cache")}


@dataclass(frozen=True, slots=True)
class Installer:
    """A tool with a fresh virtual environment to install into."""

    command: tuple[str, ...]
    group: str
    python: Path
    environment: dict[str, str]

    def install(self, lock: Path, *groups: str) -> subprocess.CompletedProcess[str]:
        asked = [argument for name in groups for argument in (self.group, name)]
        return subprocess.run(
            [*self.command, str(lock), *asked],
            env=self.environment,
            cwd=lock.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def installed(self) -> dict[str, str]:
        program = (
            "import importlib.metadata as m, json;"
            "print(json.dumps({d.name: d.version for d in m.distributions()}))"
        )
        done = subprocess.run(
            [self.python, "-c", program], capture_output=True, text=True, check=True, timeout=60
        )
        found: dict[str, str] = json.loads(done.stdout)
        return {name: found[name] for name in sorted(found.keys() & WITH_TEST.keys())}


@pytest.fixture
def uv(tmp_path: Path) -> Installer:
    prefix = tmp_path / "venv"
    venv.create(prefix)
    python = prefix / "bin" / "python"
    command = (uv_package.find_uv_bin(), "pip", "sync", "--python", str(python))
    return Installer(command, "--group", python, clean_environment(tmp_path))


@pytest.fixture(scope="module")
def recent_pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fetch a pip that knows PEP 751, with its own settings of where the index is."""
    place = tmp_path_factory.mktemp("pip")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--target", str(place), "pip>=26.1"],
        check=True,
        timeout=300,
    )
    return place


@pytest.fixture
def pip(tmp_path: Path, recent_pip: Path) -> Installer:
    prefix = tmp_path / "venv"
    venv.create(prefix)
    python = prefix / "bin" / "python"
    command = (str(python), "-m", "pip", "install", "--no-input", "-r")
    environment = {**clean_environment(tmp_path), "PYTHONPATH": str(recent_pip)}
    return Installer(command, "--group", python, environment)


def test_packaging_chooses_the_same_packages(project: Project, here: Target) -> None:
    pylock = Pylock.from_dict(tomllib.loads(project.path.read_text()))
    tags = [one for tag in here.tags for one in parse_tag(tag)]

    def names(*groups: str) -> set[str]:
        environment = dict(here.markers)
        picked = pylock.select(environment=environment, tags=tags, dependency_groups=groups)  # type: ignore[arg-type]
        return {package.name for package, _ in picked}

    assert names() == ALWAYS.keys()
    assert names("test") == WITH_TEST.keys()


def test_packaging_refuses_the_lock_elsewhere(project: Project) -> None:
    pylock = Pylock.from_dict(tomllib.loads(project.path.read_text()))
    elsewhere = dict(target_for((3, 99, 0)).markers)

    with pytest.raises(PylockSelectError):
        list(pylock.select(environment=elsewhere, tags=[]))  # type: ignore[arg-type]


def test_uv_installs_what_dependencies_need(project: Project, uv: Installer) -> None:
    done = uv.install(project.path)

    assert (done.returncode, uv.installed()) == (0, ALWAYS), done.stderr


def test_uv_installs_a_group(project: Project, uv: Installer) -> None:
    done = uv.install(project.path, "test")

    assert (done.returncode, uv.installed()) == (0, WITH_TEST), done.stderr


def test_uv_checks_our_hashes(project: Project, uv: Installer) -> None:
    base, *others = project.lock.packages
    spoiled = replace(base, wheel=replace(base.wheel, sha256="0" * 64))

    done = uv.install(project.write(replace(project.lock, packages=(spoiled, *others))))

    assert done.returncode != 0
    assert "hash" in done.stderr.lower()


def test_uv_refuses_a_lock_for_another_platform(project: Project, uv: Installer) -> None:
    elsewhere = replace(project.lock.conditions, environment="sys_platform == 'nowhere'")

    done = uv.install(project.write(replace(project.lock, conditions=elsewhere)))

    assert done.returncode != 0
    assert uv.installed() == {}


@pytest.mark.slow
def test_pip_installs_what_dependencies_need(project: Project, pip: Installer) -> None:
    done = pip.install(project.path)

    assert (done.returncode, pip.installed()) == (0, ALWAYS), done.stderr


@pytest.mark.slow
def test_pip_checks_our_hashes(project: Project, pip: Installer) -> None:
    base, *others = project.lock.packages
    spoiled = replace(base, wheel=replace(base.wheel, sha256="0" * 64))

    done = pip.install(project.write(replace(project.lock, packages=(spoiled, *others))))

    assert done.returncode != 0
    assert "hash" in done.stderr.lower()
