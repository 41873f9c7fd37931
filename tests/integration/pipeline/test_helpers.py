"""Wheels that are many or large are unpacked by helpers; nothing else changes."""

import os
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from envmgr.events import StageFinished
from envmgr.files import remove_tree
from envmgr.helper import Helper
from envmgr.pipeline import stock
from envmgr.pipeline.create import create
from envmgr.pipeline.types import CreateRequest
from envmgr.store.entry import Entry
from envmgr.store.store import Store
from envmgr.wheel.archive import BrokenWheel
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.wheels import make_wheel


@pytest.fixture(autouse=True)
def helped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count helpers; every wheel is worth one here."""
    started: list[int] = []

    class Counted(Helper):
        def __init__(self) -> None:
            super().__init__()
            started.append(1)

    monkeypatch.setattr(stock, "HELPED_FROM", 1)
    monkeypatch.setattr(stock, "Helper", Counted)
    return started


def links(prefix: Path) -> dict[str, str]:
    found = {}
    for directory, names, files in os.walk(prefix / ".envmgr" / "current" / "lib"):
        for name in names + files:
            path = Path(directory, name)
            if path.is_symlink():
                found[str(path.relative_to(prefix))] = str(path.readlink())
    return found


def test_the_environment_is_the_one_without_helpers(
    project: Project, helped: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("checks")
    project.create()
    assert len(helped) == stock.UNPACKERS
    theirs = links(project.prefix)
    monkeypatch.setattr(stock, "HELPED_FROM", 1 << 40)
    remove_tree(project.directory / "home")
    project.create()
    assert len(helped) == stock.UNPACKERS
    assert theirs
    assert links(project.prefix) == theirs


def test_a_broken_wheel_ends_it_and_leaves_nothing_unfinished(
    project: Project, server: IndexServer, helped: list[int]
) -> None:
    server.add(make_wheel("alpha", "3.0", edit_record=lambda rows: rows[1:]))
    project.write("alpha ==3.0", "checks")
    with pytest.raises(BrokenWheel):
        project.create()
    assert helped
    assert {name for name in project.entries() if len(name) != 64} == set()


def test_where_no_process_can_be_started_it_is_done_here(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(stock, "Helper", refused)
    project.write("alpha ==1.0")
    project.create()
    assert project.python("import alpha; print(alpha.__version__)") == "1.0"


def test_of_the_wheels_that_wait_the_largest_is_unpacked_first(
    project: Project, server: IndexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {"small": 100, "largest": 9000, "medium": 3000, "tiny": 10, "large": 6000}
    for name, size in sizes.items():
        server.add(make_wheel(name, files={f"{name}.py": os.urandom(size).hex()}))
    project.write(*sizes)
    fetched = Event()
    unpacked: list[str] = []

    class Waiting(Store):
        def add_wheel(self, wheel: Path, filename: str, *rest: Any) -> Entry:
            assert fetched.wait(timeout=60)
            unpacked.append(filename.partition("-")[0])
            return super().add_wheel(wheel, filename, *rest)

    def report(event: object) -> None:
        if isinstance(event, StageFinished) and event.stage == "fetch":
            fetched.set()

    monkeypatch.setattr(stock, "HELPED_FROM", 1 << 40)
    monkeypatch.setattr(stock, "UNPACKERS", 1)
    monkeypatch.setattr("envmgr.pipeline.create.open_store", Waiting)
    request = CreateRequest(file=project.file, selector=None, groups=None)
    create(request, project.settings, project.environ, report)
    _begun, *waiting = unpacked
    assert set(unpacked) == set(sizes)
    assert waiting == sorted(waiting, key=sizes.__getitem__, reverse=True)
