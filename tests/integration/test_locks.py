"""Locks, with processes that hold them, and with a kernel that has none."""

import errno
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from envmgr.events import Event, Noted
from envmgr.helper import Helper
from envmgr.locks import (
    Holder,
    PoliteLock,
    encode_holder,
    held_lock,
    holder_path,
    read_holder,
    this_process,
)
from envmgr.store.store import open_store
from tests.integration.cli.terminal import ROOT
from tests.support.index_server import IndexServer
from tests.support.no_locks import without_locks
from tests.support.project import Project
from tests.support.wheels import make_wheel

HOLD = (
    "import sys\nfrom pathlib import Path\nfrom envmgr.locks import held_lock\n"
    "with held_lock(Path(sys.argv[1]), 'testing'):\n    print('held', flush=True)\n    input()\n"
)


@contextmanager
def another_holding(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process holds a lock until it is given a line."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def let_go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_who_holds_a_lock_stands_beside_it_while_it_is_held(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with another_holding(path) as process:
        holder = read_holder(path)
        assert holder is not None
        assert (holder.host, holder.pid) == (platform.node(), process.pid)
        assert holder.command == f"-c {path}"
        assert holder.since.endswith("+00:00")
        let_go(process)
    assert read_holder(path) is None
    assert os.listdir(tmp_path) == ["lock"]


def test_the_second_is_told_of_the_first_and_goes_on_when_that_is_killed(tmp_path: Path) -> None:
    path, told = tmp_path / "lock", list[Event]()
    with another_holding(path) as process:

        def kill(event: Event) -> None:
            told.append(event)
            process.kill()

        with held_lock(path, "testing", kill):
            holder = read_holder(path)
            assert holder is not None
            assert holder.pid == os.getpid()
    (note,) = told
    assert isinstance(note, Noted)
    assert note.text.startswith(f"waiting for process {process.pid} on {platform.node()} (`-c ")
    assert note.text.endswith(" UTC), which is testing")


def test_a_holder_that_says_nothing_readable_is_another_envmgr(tmp_path: Path) -> None:
    path, told = tmp_path / "lock", list[Event]()
    with another_holding(path) as process:
        holder_path(path).write_text("12")

        def free(event: Event) -> None:
            told.append(event)
            let_go(process)

        with held_lock(path, "testing", free):
            pass
    assert told == [Noted("waiting for another envmgr, which is testing")]


def test_a_lock_whose_file_was_replaced_meanwhile_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = PoliteLock(path)
    first.acquire("testing")
    path.rename(tmp_path / "moved")
    assert not first.stands()

    with held_lock(path, "testing"):
        first.release()
        holder = read_holder(path)
    assert holder is not None, "the one that was moved took it away"


def test_a_helper_that_waits_is_spoken_for_by_who_started_it(tmp_path: Path) -> None:
    store, told = open_store((tmp_path / "store",)), list[Event]()
    wheel = make_wheel("alpha")
    path = wheel.write_to(tmp_path)
    (store.path / "locks").mkdir(parents=True)
    with another_holding(store.path / "locks" / f"{wheel.sha256[:2]}.lock") as process:

        def free(event: Event) -> None:
            told.append(event)
            let_go(process)

        with Helper() as helper:
            entry = store.add_wheel(path, wheel.filename, wheel.sha256, helper, free)
    assert entry.path.is_dir()
    (note,) = told
    assert isinstance(note, Noted)
    assert note.text.startswith(f"waiting for process {process.pid} on ")
    assert note.text.endswith(f"which is unpacking into {store.path}")


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_without_locks_an_environment_is_made_all_the_same_and_it_is_said_once(
    error: int, tmp_path: Path
) -> None:
    with IndexServer([make_wheel("alpha"), make_wheel("beta")]) as server:
        project = Project(tmp_path, server.url)
        project.write("alpha", "beta")
        done = subprocess.run(
            [sys.executable, "-m", "envmgr", "create", "-f", str(project.file)],
            env={**project.environ, "PYTHONPATH": str(ROOT)},
            preexec_fn=without_locks(error),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("has no locks") == 1
    assert os.strerror(error).lower() in done.stderr
    assert project.python("import alpha, beta; print('both')") == "both"


def test_a_command_is_shown_as_it_was_typed_and_not_at_any_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/envmgr/__main__.py", "create", "-f", "a b.yaml"])
    assert this_process().command == "envmgr create -f 'a b.yaml'"
    monkeypatch.setattr(sys, "argv", ["/usr/bin/envmgr", "x" * 300])
    assert this_process().command == f"envmgr {'x' * 193}..."


def test_threads_that_share_a_lock_are_not_told_of_one_another(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = PoliteLock(path)
    lock.acquire("testing")
    told: list[Event] = []
    waiting = PoliteLock(path, among_threads=True)
    assert not waiting._tell("testing", told.append)
    lock.release()
    assert told == []
    other = Holder(host="elsewhere", pid=os.getpid(), command="x", since="y")
    holder_path(path).write_bytes(encode_holder(other))
    assert waiting._tell("testing", told.append)
