from envmgr.index.ahead import FEWEST, MOST, threads_for


def test_there_are_as_many_threads_as_waiting_for_answers_leaves_idle() -> None:
    assert threads_for(0.0) == FEWEST
    assert FEWEST < threads_for(0.01) < threads_for(0.02) <= MOST
    assert threads_for(60.0) == MOST
