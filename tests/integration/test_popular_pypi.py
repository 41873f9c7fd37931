"""Popular compiled packages in views, each imported and called: `make slow`.

``python -m tests.integration.test_popular_pypi [PACKAGE ...]`` prints the table of
docs/packages.md, or these packages' lines of it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from envmgr.names import normalized
from tests.integration.popular import POPULAR, TORCH, Popular, environment_file

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Place:
    """A directory with a store that all environments share."""

    directory: Path

    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "ENVMGR_HOME": str(self.directory / "home"),
            "ENVMGR_CACHE": str(self.directory / "cache"),
        }

    def envmgr(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "envmgr", *words],
            cwd=self.directory,
            env=self.environ(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def create(self, package: Popular) -> None:
        """Make an environment of one package, called ``one``."""
        (self.directory / "environment.yaml").write_text(environment_file(package), "utf-8")
        (self.directory / "pylock.toml").unlink(missing_ok=True)
        self.envmgr("create", "--no-compile")

    def call(self, package: Popular) -> str:
        """What the package's call prints, on the last line."""
        return self.envmgr("run", "-n", "one", "python", "-c", package.code).splitlines()[-1]


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with TemporaryDirectory(prefix="envmgr-popular-") as directory:
        yield Place(Path(directory))


@pytest.mark.parametrize("package", POPULAR, ids=lambda package: package.name)
def test_a_popular_package_works_in_a_view(place: Place, package: Popular) -> None:
    place.create(package)
    assert place.call(package) == package.prints


def test_torch_works_in_a_view(place: Place) -> None:
    place.create(TORCH)
    assert place.call(TORCH) == TORCH.prints


def row(place: Place, package: Popular) -> str:
    """Make a line of the table."""
    place.create(package)
    called = place.call(package)
    packages = json.loads(place.envmgr("list", "-n", "one", "--json"))["result"]["packages"]
    prefix = Path(place.envmgr("prefix", "one").strip()) / ".envmgr" / "current"
    entries = sum(len(names) + len(files) for _, names, files in os.walk(prefix.resolve()))
    own = next(each for each in packages if each["name"] == normalized(package.name))
    works = "yes" if called == package.prints else f"no: {called}"
    size = sum(each["size"] for each in packages) / 1e6
    cells = (package.name, own["version"], len(packages), f"{size:.0f}", entries, package.does)
    return "| " + " | ".join(map(str, (*cells, works))) + " |"


def main() -> None:
    """Print the table."""
    write = sys.stdout.write
    write("| package | version | packages | MB | entries | the call | works |\n")
    write("|---|---|---|---|---|---|---|\n")
    chosen = [package for package in POPULAR if package.name in (sys.argv[1:] or [package.name])]
    with TemporaryDirectory(prefix="envmgr-popular-") as directory:
        for package in chosen:
            write(f"{row(Place(Path(directory)), package)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
