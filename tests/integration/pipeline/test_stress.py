"""Many at once, killed at any moment, without space: nothing may break. `make slow`."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from envmgr.names import StoreKey
from envmgr.pipeline import create as create_module
from envmgr.store.entry import Entry, read_manifest
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.wheels import Wheel, make_wheel

pytestmark = pytest.mark.slow

PACKAGES = 24
PROCESSES = 50
KILLS = 300


def package(number: int, version: str = "1.0") -> Wheel:
    """A wheel of some size that needs two others."""
    needs = [f"p{number // 2}", f"p{number // 3}"] if number > 3 else []
    files = {f"p{number}/m{each}.py": f"x = {each}\n" * 20 for each in range(20)}
    files[f"p{number}/__init__.py"] = f"__version__ = {version!r}\n"
    return make_wheel(f"p{number}", version, files=files, requires=needs)


@pytest.fixture
def crowd() -> Iterator[IndexServer]:
    with IndexServer([package(number) for number in range(PACKAGES)]) as server:
        yield server


def is_whole(entry: Path) -> bool:
    """Whether every file of an entry is what its manifest says."""
    manifest = read_manifest(Entry(StoreKey(entry.name), entry))
    return all(
        hashlib.sha256((entry / file.path).read_bytes()).hexdigest() == file.sha256
        and (entry / file.path).stat().st_mode & 0o222 == 0
        for file in manifest.files
    )


def check_store(home: Path, *, whole: int | None = None) -> None:
    """Nothing unfinished in the store, and every entry whole."""
    names = os.listdir(home / "store" / "v1" / "entries")
    assert {name for name in names if len(name) != 64} == set()
    assert all(is_whole(home / "store" / "v1" / "entries" / name) for name in names)
    if whole is not None:
        assert len(names) == whole


def write_file(directory: Path, url: str, name: str, packages: list[str]) -> Path:
    path = directory / f"{name}.yaml"
    path.write_text(
        f"schema: 1\nname: {name}\nindexes: [{{name: loopback, url: '{url}'}}]\n"
        f"dependencies: {json.dumps(packages)}\n",
        "utf-8",
    )
    return path


def test_fifty_processes_fill_one_store_at_once(tmp_path: Path, crowd: IndexServer) -> None:
    project = Project(tmp_path, crowd.url)
    chosen = random.Random(7)  # noqa: S311
    wanted = {
        f"e{number}": sorted({f"p{chosen.randrange(PACKAGES)}" for _ in range(6)})
        for number in range(PROCESSES)
    }
    running = {
        name: subprocess.Popen(
            [sys.executable, "-m", "envmgr", "create", "-q", "-f",
             write_file(tmp_path, crowd.url, name, packages)],
            env=project.environ,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, packages in wanted.items()
    }  # fmt: skip
    for name, process in running.items():
        _, told = process.communicate()
        assert process.returncode == 0, f"{name}: {told}"
    for name, packages in wanted.items():
        python = project.settings.environments / name / "bin" / "python"
        imports = "; ".join(f"import {each}.m19" for each in packages)
        subprocess.run([python, "-c", imports], check=True, env=project.environ)
    check_store(tmp_path / "home")
    assert not list((tmp_path / "cache" / "wheels").iterdir())


def test_killed_at_random_moments_hundreds_of_times(tmp_path: Path, crowd: IndexServer) -> None:
    for number in range(4):
        crowd.add(package(number, "2.0"))
    project = Project(tmp_path, crowd.url)
    project.write("p20 ==1.0", "p3 ==1.0")
    project.create()
    chosen = random.Random(11)  # noqa: S311
    finished = 0  # how many had ended before they were killed
    for round_ in range(KILLS):
        version = ("1.0", "2.0")[round_ % 2]
        project.write(f"p{round_ % PACKAGES}", "p3 ==" + version)
        process = subprocess.Popen(
            [sys.executable, "-m", "envmgr", "create", "-q", "-f", project.file],
            env=project.environ,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(chosen.uniform(0.05, 0.6))
        finished += process.poll() is not None
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert project.python("import p3.m19; print(p3.__version__)") in {"1.0", "2.0"}
    assert 0 < finished < KILLS, "the moments were all before or all after the work"
    project.write("p20", "p3 ==2.0")
    project.create()
    assert project.python("import p20.m19, p3; print(p3.__version__)") == "2.0"
    check_store(tmp_path / "home")


FULL = """
set -e
mount -t tmpfs -o size={size}k,nr_inodes={inodes} none {place}
set +e
{envmgr} create -q -f {file} -p {prefix} --no-compile 2> {told}
echo $? > {status}
set -e
mount -o remount,size=64m,nr_inodes=100k {place}
{envmgr} create -q -f {file} -p {prefix} --no-compile
{prefix}/bin/python -c 'import p20.m19'
ls {place}/home/store/v1/entries > {entries}
"""


@pytest.mark.parametrize("size", [40, 120, 300, 500, 700, 900, 1200, 2000])
@pytest.mark.parametrize("inodes", [40, 150, 400, 100_000])
def test_without_space_or_inodes_there_is_a_clear_error_and_the_next_run_completes(
    tmp_path: Path, crowd: IndexServer, size: int, inodes: int
) -> None:
    """On a file system of its own, in a mount namespace of its own (needs to be root)."""
    place = tmp_path / "small"
    place.mkdir()
    script = FULL.format(
        size=size,
        inodes=inodes,
        place=place,
        envmgr=f"{sys.executable} -m envmgr",
        file=write_file(tmp_path, crowd.url, "small", ["p20", "p23"]),
        prefix=place / "prefix",
        told=tmp_path / "told",
        status=tmp_path / "status",
        entries=tmp_path / "entries",
    )
    environ = Project(tmp_path, crowd.url).environ | {
        "ENVMGR_HOME": str(place / "home"),
        "ENVMGR_CACHE": str(place / "cache"),
    }
    subprocess.run(["unshare", "--mount", "sh", "-c", script], env=environ, check=True)
    status, told = int((tmp_path / "status").read_text()), (tmp_path / "told").read_text()
    assert status in {0, 9}, told
    assert "Traceback" not in told
    assert (status == 0) == (told == "")
    if status:
        assert "space" in told or "disk is full" in told or "No space" in told, told
    assert all(len(name) == 64 for name in (tmp_path / "entries").read_text().split())


def test_some_of_these_small_places_are_too_small(tmp_path: Path, crowd: IndexServer) -> None:
    """The test above proves something only if its sizes fail at different points."""
    with pytest.raises(AssertionError):
        _expect_done(tmp_path, crowd, 300, 100_000)


def _expect_done(tmp_path: Path, crowd: IndexServer, size: int, inodes: int) -> None:
    test_without_space_or_inodes_there_is_a_clear_error_and_the_next_run_completes(
        tmp_path, crowd, size, inodes
    )
    assert (tmp_path / "status").read_text() == "0\n"


UPKEEP = """
set -e
mount -t tmpfs -o size=8m none {place}
{envmgr} create -q -f {file} -p {prefix} --no-compile
set +e
dd if=/dev/zero of={place}/fill bs=4k 2> {devnull}
{envmgr} store compile --python {python} > {told} 2>&1; echo $? > {status}
{envmgr} clone {prefix} -p {prefix}-2 >> {told} 2>&1; echo $? >> {status}
rm {prefix}/.gitignore; rm -r {prefix}
dd if=/dev/zero of={place}/fill2 bs=4k 2> {devnull}
{envmgr} store verify >> {told} 2>&1; echo $? >> {status}
{envmgr} store gc --older-than 0 >> {told} 2>&1; echo $? >> {status}
ls {place}/home/store/v1/entries > {entries}
"""


def test_a_full_disk_harms_no_entry_and_a_collection_frees_it(
    tmp_path: Path, crowd: IndexServer
) -> None:
    """On a file system of its own, in a mount namespace of its own (needs to be root)."""
    place = tmp_path / "small"
    place.mkdir()
    told, status, entries = (tmp_path / name for name in ("told", "status", "entries"))
    script = UPKEEP.format(
        place=place,
        envmgr=f"{sys.executable} -m envmgr",
        python=sys.executable,
        file=write_file(tmp_path, crowd.url, "small", ["p20", "p23"]),
        prefix=place / "prefix",
        told=told,
        status=status,
        entries=entries,
        devnull=os.devnull,
    )
    environ = Project(tmp_path, crowd.url).environ | {"ENVMGR_HOME": str(place / "home")}

    subprocess.run(["unshare", "--mount", "sh", "-c", script], env=environ, check=True)

    assert status.read_text().split() == ["9", "9", "0", "0"], told.read_text()
    assert "Traceback" not in told.read_text()
    assert (
        f"no space left in the store {place}/home/store/v1 for the bytecode of" in told.read_text()
    )
    assert entries.read_text() == ""


NO_ROOM = """
set -e
mount -t tmpfs -o size=8m none {place}
{envmgr} create -q -f {file} -p {prefix} --no-compile
dd if=/dev/zero of={place}/fill bs=4k 2> {devnull} || true
{envmgr} create -f {file} -p {prefix} --compile > {told} 2>&1
{prefix}/bin/python -c 'import p20.m19'
"""


def test_an_environment_whose_bytecode_does_not_fit_is_made_and_that_is_told(
    tmp_path: Path, crowd: IndexServer
) -> None:
    """On a file system of its own, in a mount namespace of its own (needs to be root)."""
    place, told = tmp_path / "small", tmp_path / "told"
    place.mkdir()
    script = NO_ROOM.format(
        place=place,
        envmgr=f"{sys.executable} -m envmgr",
        file=write_file(tmp_path, crowd.url, "small", ["p20"]),
        prefix=tmp_path / "prefix",
        told=told,
        devnull=os.devnull,
    )
    environ = Project(tmp_path, crowd.url).environ | {"ENVMGR_HOME": str(place / "home")}

    subprocess.run(["unshare", "--mount", "sh", "-c", script], env=environ, check=True)

    assert f"no space left in the store {place}/home/store/v1 for the bytecode of" in (
        told.read_text()
    )


def test_a_store_on_another_file_system_serves_a_prefix_here(
    tmp_path: Path, crowd: IndexServer
) -> None:
    place = tmp_path / "other"
    place.mkdir()
    file = write_file(tmp_path, crowd.url, "far", ["p20"])
    prefix = tmp_path / "prefix"
    envmgr = f"{sys.executable} -m envmgr"
    script = (
        f"set -e; mount -t tmpfs none {place}; {envmgr} create -q -f {file} -p {prefix};"
        f"{prefix}/bin/python -c 'import p20.m19';"
        f"{envmgr} create -q -f {write_file(tmp_path, crowd.url, 'far2', ['p21'])} -p {prefix}2;"
        f"{prefix}2/bin/python -c 'import p21.m19'"
    )
    environ = Project(tmp_path, crowd.url).environ | {"ENVMGR_HOME": str(place / "home")}
    subprocess.run(["unshare", "--mount", "sh", "-c", script], env=environ, check=True)


@pytest.mark.parametrize("years", [-20, 20])
def test_a_clock_that_was_wrong_for_a_while_costs_nothing(
    tmp_path: Path, crowd: IndexServer, monkeypatch: pytest.MonkeyPatch, years: int
) -> None:
    project = Project(tmp_path, crowd.url)

    class Skewed(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Skewed":
            moment = datetime.now(UTC) + timedelta(days=365 * years)
            return cls.fromtimestamp(moment.timestamp(), UTC)

    with monkeypatch.context() as patch:
        patch.setattr(create_module, "datetime", Skewed)
        project.write("p1")
        project.create()
    for number in range(2, 9):
        project.write(f"p{number}")
        project.create()
        assert project.python(f"import p{number}.m19; print('works')") == "works"
    generations = project.prefix / ".envmgr" / "generations"
    assert len([each for each in generations.iterdir() if not each.is_symlink()]) == 5
