"""Trimming the caches, by request and once a day, beside processes that use them."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from envmgr.events import StageFinished, silent
from envmgr.pipeline.caches import MARK, trim_caches
from tests.integration.cli.terminal import ROOT, envmgr
from tests.support.project import Project

DAY = 24 * 3600.0


def age(directory: Path, days: float) -> None:
    """Make everything look as if nobody had used it for so long."""
    for path in (*directory.rglob("*"),):
        if path.is_file():
            status = path.stat()
            os.utime(path, (status.st_atime - days * DAY, status.st_mtime - days * DAY))


def files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


@pytest.fixture
def cache(project: Project) -> Path:
    project.write("alpha")
    project.create()
    project.create()  # which reads the lock and remembers it
    return project.settings.cache


def test_what_was_used_lately_stays_and_the_rest_goes(project: Project, cache: Path) -> None:
    before = files(cache) - {MARK}
    assert {name.partition("/")[0] for name in before} == {"index-v2", "interpreters", "locks-2"}
    assert trim_caches(project.settings, silent, age=0.0).files == 0

    age(cache, 31)
    would = trim_caches(project.settings, silent, dry_run=True)
    assert files(cache) - {MARK} == before
    done = trim_caches(project.settings, project.events.append)

    assert (would.files, would.bytes) == (done.files, done.bytes)
    assert done.files == len(before)
    assert files(cache) == {MARK}
    assert list((cache / "index-v2").glob("*")) == []
    assert sum(each.files for each in done.kinds) == done.files
    assert {each.kind for each in done.kinds if each.files} == {
        *("pages", "metadata", "interpreters", "locks")
    }
    (finished,) = [
        event
        for event in project.events
        if isinstance(event, StageFinished) and event.stage == "collect"
    ]
    assert finished.items == done.files
    assert project.create().made == "unchanged"


def test_nothing_goes_that_is_not_envmgrs(project: Project, cache: Path) -> None:
    strangers = {"notes.txt", "wheels/mine-1.0-py3-none-any.whl", "interpreters/x", "photos/a.jpg"}
    for name in strangers:
        (cache / name).parent.mkdir(exist_ok=True)
        (cache / name).write_text("mine")
    ours = {
        f"wheels/{'a' * 64}.whl",
        f"wheels/{'b' * 64}.part",
        f"wheels/{'c' * 24}.12-ab34ef.part",
        "index-v0/somewhere/pages/old.page",
    }
    for name in ours:
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).write_text("x")
    age(cache, 31)

    trim_caches(project.settings, silent)

    assert files(cache) == {MARK, *strangers}


def test_a_download_under_way_stays(project: Project, cache: Path) -> None:
    part = cache / "wheels" / f"{'a' * 64}.part"
    part.parent.mkdir(exist_ok=True)
    part.write_text("half")
    age(cache, 31)
    with part.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        trimmed = trim_caches(project.settings, silent)
        assert part.exists()
        assert trimmed.in_use == 1
    assert trim_caches(project.settings, silent).files == 1


def test_once_a_day_it_happens_unasked(project: Project, cache: Path) -> None:
    mark, old = cache / MARK, cache / "index-v2" / "old" / "metadata" / "x"
    assert mark.exists()
    old.parent.mkdir(parents=True)
    old.write_text("x")
    age(old.parent, 31)

    project.write("beta")
    project.create()
    assert old.exists()

    os.utime(mark, (0, 0))
    project.create(dry_run=True)
    project.lock(check=True)
    assert old.exists()
    project.lock()
    assert not old.exists()
    assert mark.stat().st_mtime > 0
    assert "index-v2" in {name.partition("/")[0] for name in files(cache)}


def test_environments_are_made_while_everything_goes_at_every_moment(project: Project) -> None:
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from envmgr.index.trim import read_cached, remove_cached, remove_empty\n"
        "cache = Path(sys.argv[1])\nprint('on', flush=True)\n"
        "while True:\n"
        "    for file in read_cached(cache):\n        remove_cached(file)\n"
        "    remove_empty(cache)\n"
    )
    cache = project.settings.cache
    with subprocess.Popen(
        [sys.executable, "-c", program, str(cache)], stdout=subprocess.PIPE, cwd=ROOT
    ) as trimming:
        assert trimming.stdout is not None
        assert trimming.stdout.readline() == b"on\n"
        try:
            for number in range(8):
                project.write("alpha" if number % 2 else "beta", "checks")
                made = project.create(name=f"e{number}", refresh=bool(number % 3))
                assert made.made == "created"
        finally:
            trimming.kill()


def test_the_command_says_what_went(project: Project, cache: Path, tmp_path: Path) -> None:
    environ = {**project.environ, "PYTHONPATH": str(ROOT)}
    age(cache, 3)

    done = envmgr(
        *("store", "gc", "--cache", "--older-than", "2d", "--json"),
        environ=environ,
        directory=tmp_path,
    )
    result = json.loads(done.stdout)["result"]
    assert (result["cache"], result["dry_run"]) == (str(cache), False)
    assert result["files"] > 3

    told = envmgr("store", "gc", "--cache", environ=environ, directory=tmp_path)
    assert told.stdout.startswith(f"nothing to remove from {cache}, in ")
    refused = envmgr("store", "du", "--cache", environ=environ, directory=tmp_path)
    assert refused.returncode == 2
