"""Helpers: processes of our own that answer calls, and end when nobody is there to make them."""

import io
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from traceback import format_exception

import pytest

from envmgr.errors import EnvmgrError, UsageError
from envmgr.helper import FailedInHelper, Helper, HelperDied
from envmgr.store.errors import StoreFull
from tests.support.limits import TOO_LARGE, without_threads


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
        with pytest.raises(FailedInHelper) as bug:
            helper.submit(stumble).result()
        assert str(bug.value) == "ValueError: a bug"
        assert "in stumble" in "".join(format_exception(bug.value))
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


def test_interrupts_are_for_whoever_started_it() -> None:
    with Helper() as helper:
        pid = helper.submit(where).result()
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(pid, number)
        assert helper.submit(where).result(timeout=20) == pid


def test_a_helper_that_is_given_no_more_threads_works_with_those_it_has(tmp_path: Path) -> None:
    with Helper(threads=3) as helper:
        helper.submit(threading.stack_size, TOO_LARGE).result(timeout=20)
        first, second = (helper.submit(meet, tmp_path, name, "go") for name in "ab")
        (tmp_path / "go").touch()
        assert first.result(timeout=20)
        assert second.result(timeout=20)
        assert helper.submit(where).result(timeout=20) > 0


def test_a_helper_without_any_thread_works_all_the_same() -> None:
    program = (
        f"import threading; threading.stack_size({TOO_LARGE});"
        "from envmgr.helper import serve; serve(2)"
    )
    calls = b"".join(pickle.dumps((number, os.getpid, (), {})) for number in (1, 2))
    done = subprocess.run(
        [sys.executable, "-c", program], input=calls, capture_output=True, check=True, timeout=20
    )
    answers = io.BytesIO(done.stdout)
    numbers = [pickle.load(answers)[0] for _ in range(2)]  # noqa: S301 - our own process
    assert numbers == [1, 2]


def test_none_is_begun_that_nobody_could_listen_to() -> None:
    with without_threads(), pytest.raises(BlockingIOError):
        Helper()


def test_half_a_call_is_the_end_of_whoever_made_it() -> None:
    half = pickle.dumps((2, time.sleep, (600,), {}))[:-5]
    calls = pickle.dumps((1, time.sleep, (600,), {})) + half
    subprocess.run(
        [sys.executable, "-c", "from envmgr.helper import serve; serve(2)"],
        input=calls,
        check=True,
        timeout=20,
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_an_answer_that_does_not_pickle_is_a_bug_and_nobody_waits_for_it(threads: int) -> None:
    with Helper(threads) as helper:
        with pytest.raises(FailedInHelper, match="pickle"):
            helper.submit(threading.Lock).result(timeout=20)
        assert helper.submit(where).result(timeout=20) > 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_that_cannot_be_rebuilt_leaves_nobody_waiting() -> None:
    with Helper(threads=2) as helper:
        slow = helper.submit(time.sleep, 600)
        with pytest.raises(HelperDied):
            helper.submit(fail_oddly).result(timeout=20)
        with pytest.raises(HelperDied):
            slow.result(timeout=20)


class Odd(EnvmgrError):
    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


def fail_oddly() -> None:
    raise Odd("a", "b")
