"""Locks that uv and pip make, as we read them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import uv as uv_package

from envmgr.lock.errors import LockUnfit
from envmgr.lock.foreign import ForeignLock, adopt
from envmgr.lock.locations import real_url
from envmgr.lock.lockfile import read_lock
from envmgr.lock.types import Lock
from tests.support.index_server import IndexServer
from tests.support.locks import target_for
from tests.support.wheels import make_wheel

NATIVE = "cp312-cp312-manylinux_2_17_x86_64"
WHEELS = (
    make_wheel("app", "1.0", requires=["native", "winonly; sys_platform == 'win32'"]),
    make_wheel("native", "2.0", tag=NATIVE),
    make_wheel("native", "2.0", tag="cp312-cp312-musllinux_1_2_x86_64"),
    make_wheel("native", "2.0", tag="cp313-cp313-manylinux_2_17_x86_64"),
    make_wheel("winonly", "1.0"),
)


@pytest.fixture(scope="module")
def index() -> Iterator[IndexServer]:
    with IndexServer(WHEELS) as server:
        yield server


def clean_environment(home: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "UV_", "PYTHON", "VIRTUAL_ENV"))
    }
    return {**kept, "HOME": str(home), "UV_CACHE_DIR": str(home / "uv-cache")}


def lock_with_uv(index: IndexServer, tmp_path: Path, *options: str) -> ForeignLock:
    (tmp_path / "requirements.in").write_text("app\n")
    command = [uv_package.find_uv_bin(), "pip", "compile", "requirements.in"]
    command += ["--format", "pylock.toml", "-o", "pylock.toml", "--default-index", index.url]
    command += ["--python-version", "3.12", "--no-python-downloads", *options]
    subprocess.run(
        command,
        cwd=tmp_path,
        env=clean_environment(tmp_path),
        check=True,
        capture_output=True,
        timeout=120,
    )
    return foreign_lock(tmp_path / "pylock.toml")


def foreign_lock(path: Path) -> ForeignLock:
    lock = read_lock(path)
    assert isinstance(lock, ForeignLock)
    return lock


def wheels_of(lock: Lock) -> dict[str, str]:
    return {package.name: package.wheel.filename for package in lock.packages}


def test_a_lock_of_uv_for_one_platform_gives_its_wheels(index: IndexServer, tmp_path: Path) -> None:
    foreign = lock_with_uv(index, tmp_path, "--python-platform", "x86_64-manylinux_2_28")

    lock = adopt(foreign, target_for())

    assert lock.created_by == "uv"
    assert wheels_of(lock) == {
        "app": "app-1.0-py3-none-any.whl",
        "native": f"native-2.0-{NATIVE}.whl",
    }
    assert {package.index for package in lock.packages} == {"127.0.0.1"}  # uv names no index here
    sums = {wheel.filename: wheel.sha256 for wheel in WHEELS}
    assert all(package.wheel.sha256 == sums[package.wheel.filename] for package in lock.packages)


def test_a_universal_lock_of_uv_gives_what_is_for_the_target(
    index: IndexServer, tmp_path: Path
) -> None:
    foreign = lock_with_uv(index, tmp_path, "--universal")

    assert {package.name for package in foreign.packages} == {"app", "native", "winonly"}
    assert wheels_of(adopt(foreign, target_for())).keys() == {"app", "native"}
    windows = target_for(markers={"sys_platform": "win32"})
    assert wheels_of(adopt(foreign, windows)).keys() == {"app", "native", "winonly"}


def test_a_lock_of_uv_is_refused_where_it_has_no_wheel(index: IndexServer, tmp_path: Path) -> None:
    foreign = lock_with_uv(index, tmp_path, "--universal")

    with pytest.raises(LockUnfit, match=r"native 2\.0 has no wheel for here"):
        adopt(foreign, target_for(machine="aarch64"))


@pytest.mark.slow
def test_a_lock_of_pip_gives_its_wheels(tmp_path: Path) -> None:
    pure = [make_wheel("app", "1.0", requires=["needed"]), make_wheel("needed", "2.0")]
    place = tmp_path / "pip"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--target", str(place), "pip>=26.1"],
        check=True,
        timeout=300,
    )
    with IndexServer(pure) as server:
        subprocess.run(
            [sys.executable, "-m", "pip", "lock", "app", "--index-url", server.url],
            cwd=tmp_path,
            env={**clean_environment(tmp_path), "PYTHONPATH": str(place)},
            check=True,
            timeout=120,
        )

    lock = adopt(foreign_lock(tmp_path / "pylock.toml"), target_for())

    assert lock.created_by == "pip"
    assert wheels_of(lock) == {wheel.filename.split("-")[0]: wheel.filename for wheel in pure}
    urls = [real_url(each.wheel.location, None, str(tmp_path)) for each in lock.packages]
    assert all(url.startswith("http://127.0.0.1:") for url in urls)
