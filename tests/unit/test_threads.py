import threading

from envmgr.threads import begin_thread
from tests.support.limits import without_threads


def test_a_thread_is_begun_and_does_not_keep_the_program() -> None:
    done = threading.Event()
    thread = begin_thread("test", done.set)
    assert thread is not None
    assert (thread.name, thread.daemon) == ("test", True)
    assert done.wait(10.0)


def test_where_there_are_no_more_threads_none_is_begun() -> None:
    done: list[int] = []
    with without_threads():
        assert begin_thread("test", lambda: done.append(1)) is None
    assert not done
