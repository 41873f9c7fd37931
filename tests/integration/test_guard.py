"""No program of an environment harms another one, on real packages from PyPI: `make slow`."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from envmgr.names import StoreKey
from envmgr.store.entry import Entry
from envmgr.store.store import open_store
from envmgr.store.tamper import find_tampering
from tests.support.users import hold_back
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.slow

SHARED = """\
from numba import njit
from inlined import which

@njit(cache=True)
def answer():
    return which()
"""
INLINED = """\
from numba import njit

@njit(inline="always")
def which():
    return {version}
"""
ANSWER = "import shared; print(shared.answer(), sum(shared.answer.stats.cache_hits.values()))"


@dataclass(frozen=True)
class Desk:
    """A directory with environment files, and a root that nobody else uses."""

    directory: Path

    @property
    def environ(self) -> dict[str, str]:
        unset = ("NUMBA_CACHE_DIR", "PYTHONDONTWRITEBYTECODE")
        return {
            **{name: value for name, value in os.environ.items() if name not in unset},
            "HOME": str(self.directory / "person"),
            "ENVMGR_HOME": str(self.directory / "home"),
            "ENVMGR_CACHE": str(self.directory / "cache"),
            "ENVMGR_PYTHONS": sys.executable,
        }

    def make(
        self, name: str, *dependencies: str, indexes: str = "", more: str = "", compiling: bool
    ) -> None:
        """Make an environment of these dependencies; ``more`` are further keys."""
        file = self.directory / f"{name}.yaml"
        lines = "".join(f"  - {each!r}\n" for each in dependencies)
        file.write_text(
            f"schema: 1\nname: {name}\n{indexes or 'exclude-newer: 2026-11-01'}\n"
            f"dependencies:\n{lines}{more}"
        )
        option = "--compile" if compiling else "--no-compile"
        self.call(sys.executable, "-m", "envmgr", "create", "-f", str(file), option)

    def program(self, name: str, program: str) -> str:
        return str(self.directory / "home/environments" / name / "bin" / program)

    def call(
        self, *command: str, within: Path | None = None, powers: Callable[[], None] | None = None
    ) -> str:
        done = subprocess.run(
            command,
            cwd=within or self.directory,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=powers,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def store_files(self) -> set[str]:
        return {
            os.path.join(directory, name)
            for directory, _, names in os.walk(self.directory / "home/store")
            for name in names
        }

    def assert_as_made(self) -> None:
        """No entry of the store was changed."""
        store = open_store((self.directory / "home/store",))
        for path in (store.path / "entries").iterdir():
            assert find_tampering(Entry(StoreKey(path.name), path)) is None


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    made = Desk(tmp_path_factory.mktemp("guard"))
    (made.directory / "person").mkdir()
    shelf = made.directory / "shelf"
    shelf.mkdir()
    make_wheel("shared", files={"shared/__init__.py": SHARED}).write_to(shelf)
    for version in ("1", "2"):
        files = {"inlined/__init__.py": INLINED.format(version=version)}
        make_wheel("inlined", version, files=files).write_to(shelf)
    return made


@pytest.fixture(params=["root", "user"])
def powers(request: pytest.FixtureRequest) -> Callable[[], None] | None:
    return None if request.param == "root" else hold_back


@pytest.mark.parametrize("compiling", [True, False], ids=["compiled", "not-compiled"])
def test_numba_takes_no_result_of_another_environment(
    desk: Desk, powers: Callable[[], None] | None, compiling: bool
) -> None:
    kind = f"{'root' if powers is None else 'user'}-{'compiled' if compiling else 'plain'}"
    indexes = (
        "indexes:\n  - {name: local, url: ./shelf, packages: [shared, inlined]}\n  - {name: pypi}\n"
    )
    for version in ("1", "2"):
        dependencies = ("numba", "shared", f"inlined =={version}")
        desk.make(f"{kind}-{version}", *dependencies, indexes=indexes, compiling=compiling)
    before = desk.store_files()

    def ask(version: str) -> str:
        return desk.call(desk.program(f"{kind}-{version}", "python"), "-c", ANSWER, powers=powers)

    assert [ask("1"), ask("2")] == ["1 0", "2 0"]
    assert [ask("1"), ask("2")] == ["1 1", "2 1"]

    assert desk.store_files() == before
    desk.assert_as_made()


def test_pytest_leaves_nothing_but_bytecode_in_the_store(
    desk: Desk, powers: Callable[[], None] | None
) -> None:
    desk.make("checks", "pytest", "pytest-mock", compiling=True)
    place = desk.directory / "project"
    place.mkdir(exist_ok=True)
    (place / "test_it.py").write_text("def test_it(mocker):\n    assert mocker.Mock()\n")
    before = desk.store_files()

    said = desk.call(desk.program("checks", "pytest"), "-q", within=place, powers=powers)

    assert "1 passed" in said
    assert (place / ".pytest_cache").is_dir()
    left = desk.store_files() - before
    assert all("-pytest-" in path and path.endswith(".pyc") for path in left)
    assert powers is None or not left
    desk.assert_as_made()


def test_templates_are_copied_with_the_modes_that_docs_name(desk: Desk) -> None:
    """alembic's are writable by recipes/links.yaml; told to fold, it shows what others do."""
    links = "link: {alembic: fold}\n"
    desk.make("web", "alembic", "django", "scrapy", compiling=False, more=links)
    place = desk.directory / "projects"
    place.mkdir()

    def modes(directory: str) -> dict[str, bool]:
        return {
            path.name: bool(path.stat().st_mode & stat.S_IWUSR)
            for path in (place / directory).rglob("*")
        }

    for command in (
        ("alembic", "init", "migrations"),
        ("django-admin", "startproject", "site1"),
        ("scrapy", "startproject", "spider1"),
    ):
        program, *words = command
        desk.call(desk.program("web", program), *words, within=place, powers=hold_back)

    assert all(modes("site1").values())
    assert all(modes("spider1").values())
    assert modes("migrations")["versions"]
    assert not modes("migrations")["env.py"]
    desk.call("chmod", "-R", "u+w", str(place / "migrations"), powers=hold_back)
    assert all(modes("migrations").values())
    desk.call(desk.program("web", "alembic"), "revision", "-m", "x", within=place, powers=hold_back)


def test_a_list_names_what_uv_put_there(desk: Desk) -> None:
    desk.make("mixed", "six", compiling=False)
    uv = str(Path(sys.executable).parent / "uv")
    desk.call(uv, "pip", "install", "-p", desk.program("mixed", "python"), "iniconfig")

    words = ("list", "-n", "mixed", "--json")
    document = json.loads(desk.call(sys.executable, "-m", "envmgr", *words))

    rows = {row["name"]: row["installer"] for row in document["result"]["packages"]}
    assert rows == {"six": "envmgr", "iniconfig": "uv"}
