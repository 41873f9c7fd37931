"""Helpers: processes of our own that answer calls, and end when nobody is there to make them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envmgr.errors import EnvmgrError, UsageError
from envmgr.helper import FailedInHelper, Helper, HelperDied
from envmgr.store.errors import StoreFull


def where(_: object = None) -> int:
    return os.getpid()


def end_badly() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(path: Path) -> None:
    raise StoreFull(path, "spam.whl")


def stumble() -> None:
    raise ValueError("a bug")


def chatter() -> str:
    sys.stdout.write("this must not stand among the answers")
    sys.stdout.flush()
    return "answer"


def meet(directory: Path, name: str, other: str) -> bool:
    """Return whether two calls run at the same time: each waits for the other's file."""
    (directory / name).touch()
    deadline = time.monotonic() + 20
    while not (directory / other).exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))


def test_work_is_done_in_one_other_process() -> None:
    with Helper() as helper:
        answers = {helper.submit(where, number).result() for number in range(50)}
    assert len(answers) == 1
    assert answers != {os.getpid()}


def test_what_is_raised_there_is_raised_here(tmp_path: Path) -> None:
    with Helper() as helper:
        with pytest.raises(StoreFull) as raised:
            helper.submit(refuse, tmp_path).result()
        assert raised.value.store == tmp_path
        with pytest.raises(FailedInHelper, match="ValueError: a bug"):
            helper.submit(stumble).result()
        with pytest.raises(FileNotFoundError):
            helper.submit(os.stat, str(tmp_path / "absent")).result()
        assert helper.submit(where).result() > 0


def test_what_is_printed_there_disturbs_nobody() -> None:
    with Helper() as helper:
        assert [helper.submit(chatter).result() for _ in range(3)] == ["answer"] * 3


def test_calls_run_side_by_side_in_a_helper_with_threads(tmp_path: Path) -> None:
    with Helper(threads=2) as helper:
        one = helper.submit(meet, tmp_path, "a", "b")
        other = helper.submit(meet, tmp_path, "b", "a")
        assert one.result()
        assert other.result()


def test_a_helper_that_dies_is_told_to_all_who_wait_and_to_whoever_comes_later() -> None:
    with Helper() as helper:
        dying, waiting = helper.submit(end_badly), helper.submit(where)
        with pytest.raises(HelperDied, match="by signal 9"):
            dying.result(timeout=20)
        with pytest.raises(EnvmgrError, match="by signal 9"):
            waiting.result(timeout=20)
        with pytest.raises(HelperDied):
            helper.submit(where).result(timeout=20)


def test_leaving_does_not_wait_for_what_is_being_done() -> None:
    with Helper() as helper:
        pid = helper.submit(where).result()
        slow = helper.submit(time.sleep, 600)
    with pytest.raises(HelperDied):
        slow.result(timeout=1)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_helper_ends_with_whoever_was_killed() -> None:
    program = (
        "from envmgr.helper import Helper; import os, time; helper = Helper(2);"
        "print(helper.submit(os.getpid).result(), flush=True); helper.submit(time.sleep, 600);"
        "time.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    starter.kill()
    starter.wait()
    starter.stdout.close()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < deadline, "the helper outlives whoever started it"
        time.sleep(0.02)


def test_errors_keep_what_they_know_on_the_way() -> None:
    with Helper() as helper, pytest.raises(UsageError) as raised:
        helper.submit(_usage).result()
    assert (str(raised.value), raised.value.hint) == ("a sentence", "a hint")


def _usage() -> None:
    raise UsageError("a sentence", "a hint")
