"""When a process of its own asks for pages, and that nothing else comes of it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr import helper as helper_module
from envmgr.helper import Helper
from envmgr.pipeline.asking_ahead import WORTH_IT, listed
from tests.support.index_server import IndexServer
from tests.support.limits import TOO_LARGE
from tests.support.project import Project
from tests.support.wheels import make_wheel

NAMES = tuple(f"part-{number}" for number in range(WORTH_IT))


@pytest.fixture
def server() -> Iterator[IndexServer]:
    with IndexServer(map(make_wheel, NAMES)) as running:
        yield running


@pytest.fixture(autouse=True)
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Helper]:
    """What was begun, and ended meanwhile or not."""
    helpers: list[Helper] = []

    class Recorded(Helper):
        def __init__(self, threads: int) -> None:
            super().__init__(threads)
            helpers.append(self)

    monkeypatch.setattr(helper_module, "Helper", Recorded)
    return helpers


def test_many_packages_are_asked_for_by_another_process(
    project: Project, begun: list[Helper]
) -> None:
    project.write(*NAMES)
    assert project.lock().packages == WORTH_IT
    assert len(begun) == 1


def test_the_lock_is_the_one_without(
    project: Project, begun: list[Helper], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(*NAMES)
    project.lock()
    with_it = project.lock_file.read_bytes()
    project.lock_file.unlink()

    def none_to_be_had(_threads: int) -> Helper:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(helper_module, "Helper", none_to_be_had)
    project.lock(refresh=True)
    assert project.lock_file.read_bytes() == with_it
    assert len(begun) == 1


def test_a_lock_is_made_where_no_thread_is_to_be_had(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "pylock.other.toml"
    project.write(*NAMES)
    project.lock()
    with_threads = project.lock_file.read_bytes()
    program = (
        f"import sys, threading; threading.stack_size({TOO_LARGE});"
        "from envmgr.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "lock", "-f", project.file, "--lock", other, "--refresh"],
        env={**project.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert other.read_bytes() == with_threads


def test_what_came_just_now_needs_none_but_to_be_refreshed(
    project: Project, begun: list[Helper]
) -> None:
    project.write(*NAMES)
    project.lock()
    project.lock()
    assert len(begun) == 1
    project.lock(refresh=True)
    assert len(begun) == 2


def test_pages_of_an_hour_ago_need_one(project: Project, begun: list[Helper]) -> None:
    project.write(*NAMES)
    project.lock()
    for directory in (project.directory / "cache").glob("index-v2/*/pages"):
        os.utime(directory, (0, 0))
    project.lock()
    assert len(begun) == 2


def test_few_packages_need_none_unless_the_lock_has_many(
    project: Project, server: IndexServer, begun: list[Helper]
) -> None:
    project.write(*NAMES[1:])
    project.lock()
    assert not begun
    server.add(make_wheel("all-of-it", requires=NAMES))
    project.write("all-of-it")
    project.lock(refresh=True)
    assert not begun
    project.lock(refresh=True)
    assert len(begun) == 1


def test_create_begins_one_where_it_resolves(project: Project, begun: list[Helper]) -> None:
    project.write(*NAMES)
    project.create()
    assert len(begun) == 1
    project.create(name="another")
    assert len(begun) == 1


def test_neither_offline_nor_for_directories(
    project: Project, begun: list[Helper], tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in NAMES:
        wheel = make_wheel(name)
        (wheels / wheel.filename).write_bytes(wheel.data)
    project.index_url = wheels.as_uri()
    project.write(*NAMES)
    project.lock()
    assert project.lock(refresh=True).packages == WORTH_IT
    assert not begun


def test_items_are_counted_at_a_glance(tmp_path: Path, project: Project) -> None:
    project.write(*NAMES)
    assert listed(project.file) == WORTH_IT + 1  # and an index
    project.file.write_bytes(project.file.read_bytes().replace(b"\n", b"\r\n"))
    assert listed(project.file) == WORTH_IT + 1
    assert listed(tmp_path / "absent") == 0
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert listed(pipe) == 0


def test_a_file_of_blank_lines_takes_no_longer_than_another(tmp_path: Path) -> None:
    blank = tmp_path / "blank.yaml"
    blank.write_bytes(b"\n" * 1_000_000 + b"dependencies:\n  - spam\n")
    assert listed(blank) == 1
