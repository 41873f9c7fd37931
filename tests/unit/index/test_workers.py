import threading
from collections.abc import Callable
from functools import partial

import pytest

from envmgr.errors import UsageError
from envmgr.index.workers import Backlog, Gate, Once, Workers
from envmgr.threads import begin_thread
from tests.support.limits import without_threads

SOON = 10.0


def test_a_value_is_computed_once_however_many_ask() -> None:
    computed = []
    barrier = threading.Barrier(8)

    def compute() -> int:
        computed.append(1)
        return len(computed)

    once = Once(compute)

    def ask() -> None:
        barrier.wait(SOON)
        assert once.get() == 1

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert computed == [1]


def test_a_failure_is_remembered() -> None:
    tries = []

    def fail() -> int:
        tries.append(1)
        raise UsageError("no")

    once = Once(fail)
    for _ in range(2):
        with pytest.raises(UsageError):
            once.get()
    assert (len(tries), once.begun, once.running) == (1, True, False)


def test_whoever_looks_sees_that_a_value_is_being_computed() -> None:
    go, began = threading.Event(), threading.Event()

    def compute() -> int:
        began.set()
        assert go.wait(SOON)
        return 7

    once = Once(compute)
    assert (once.begun, once.running) == (False, False)
    thread = threading.Thread(target=once.get)
    thread.start()
    assert began.wait(SOON)
    assert (once.begun, once.running) == (True, True)
    go.set()
    thread.join(SOON)
    assert (once.get(), once.running) == (7, False)


def test_a_gate_lets_nobody_in_once_it_is_shut_and_waits_for_who_is_inside() -> None:
    gate, go, inside, shut = Gate(), threading.Event(), threading.Event(), threading.Event()

    def stay() -> None:
        with gate.passing() as admitted:
            assert admitted
            inside.set()
            assert go.wait(SOON)

    def close() -> None:
        gate.shut()
        shut.set()

    threads = [threading.Thread(target=stay), threading.Thread(target=close)]
    threads[0].start()
    assert inside.wait(SOON)
    threads[1].start()
    assert not shut.wait(0.05)
    go.set()
    assert shut.wait(SOON)
    with gate.passing() as admitted:
        assert not admitted
    assert gate.is_shut
    for thread in threads:
        thread.join(SOON)


def test_closing_workers_drops_what_has_not_begun_and_does_not_wait() -> None:
    go, began, ended = threading.Event(), threading.Event(), threading.Event()
    dropped: list[int] = []
    workers = Workers("test", 1, ended.set)

    def long() -> None:
        began.set()
        assert go.wait(SOON)

    workers.submit(long)
    workers.submit(lambda: dropped.append(1))
    assert began.wait(SOON)
    workers.close()
    workers.submit(lambda: dropped.append(2))
    assert not ended.is_set()
    go.set()
    assert ended.wait(SOON)
    assert dropped == []


def test_workers_that_never_worked_end_at_once() -> None:
    ended: list[int] = []
    workers = Workers("test", 4, lambda: ended.append(1))
    workers.close()
    workers.close()
    assert ended == [1]


def test_a_failed_task_does_not_end_its_worker() -> None:
    done, ended = threading.Event(), threading.Event()
    workers = Workers("test", 1, ended.set)

    def fail() -> None:
        raise UsageError("no")

    workers.submit(fail)
    workers.submit(done.set)
    assert done.wait(SOON)
    workers.close()
    assert ended.wait(SOON)


def test_tasks_of_as_many_workers_as_there_are_run_together() -> None:
    barrier = threading.Barrier(4)
    ended = threading.Event()
    workers = Workers("test", 3, ended.set)
    for _ in range(3):
        workers.submit(lambda: barrier.wait(SOON))
    barrier.wait(SOON)
    workers.close()
    assert ended.wait(SOON)


def test_closing_a_backlog_finishes_it() -> None:
    done: list[int] = []
    backlog = Backlog("test")
    for number in range(100):
        backlog.submit(lambda number=number: done.append(number))  # type: ignore[misc]
    backlog.close()
    backlog.submit(lambda: done.append(-1))
    assert sorted(done) == list(range(100))


def test_who_closes_a_backlog_lends_it_a_hand() -> None:
    both = threading.Barrier(2)
    backlog = Backlog("test")
    for _ in range(2):
        backlog.submit(lambda: both.wait(SOON))
    backlog.close()
    assert not both.broken


def test_workers_do_without_threads_that_are_not_to_be_had() -> None:
    done, ended = threading.Event(), threading.Event()
    workers = Workers("test", 3, ended.set)
    go = threading.Event()
    workers.submit(go.wait)
    with without_threads():
        workers.submit(done.set)
    go.set()
    assert done.wait(SOON)
    workers.close()
    assert ended.wait(SOON)


def test_workers_without_any_thread_do_nothing_and_end() -> None:
    done: list[str] = []
    workers = Workers("test", 3, lambda: done.append("ended"))
    with without_threads():
        workers.submit(lambda: done.append("worked"))
    workers.close()
    assert done == ["ended"]


def test_a_backlog_without_a_thread_is_finished_by_whoever_closes_it() -> None:
    done: list[int] = []
    backlog = Backlog("test")
    with without_threads():
        backlog.submit(lambda: done.append(1))
        backlog.submit(lambda: done.append(2))
    assert not done
    backlog.close()
    assert done == [1, 2]


def test_an_interrupt_while_a_thread_begins_leaves_workers_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done, ended = threading.Event(), threading.Event()
    workers = Workers("test", 2, ended.set)

    def begin_and_interrupt(name: str, work: Callable[[], object]) -> None:
        begin_thread(name, work)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("envmgr.index.workers.begin_thread", begin_and_interrupt)
        with pytest.raises(KeyboardInterrupt):
            workers.submit(done.set)
    workers.submit(done.set)
    assert done.wait(SOON)
    workers.close()
    assert ended.wait(SOON)


def test_tasks_of_a_lower_turn_go_first_and_others_as_they_came() -> None:
    began, go, ended = threading.Event(), threading.Event(), threading.Event()
    done: list[str] = []
    workers = Workers("test", 1, lambda: None)

    def hold() -> None:
        began.set()
        assert go.wait(SOON)

    workers.submit(hold)
    assert began.wait(SOON)
    for turn, name in ((8, "far"), (1, "near"), (0, "named"), (1, "near too")):
        workers.submit(partial(done.append, name), turn)
    workers.submit(ended.set, 9)
    go.set()
    assert ended.wait(SOON)
    workers.close()
    assert done == ["named", "near", "near too", "far"]
