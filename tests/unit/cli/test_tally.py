from envmgr.cli import tally
from envmgr.events import Event, StageAdvanced, StageFinished, StageStarted, Warned


def after(*moments: tuple[float, Event]) -> tally.Tally:
    state = tally.EMPTY
    for now, event in moments:
        state = tally.add(state, event, now)
    return state


def test_a_fetch_shows_bytes_rate_and_what_is_left() -> None:
    state = after(
        (0.0, StageStarted("fetch", 100_000_000)),
        (1.0, StageAdvanced("fetch", 10_000_000, "numpy-2.4.6-cp312-cp312-linux_x86_64.whl")),
        (2.0, StageAdvanced("fetch", 10_000_000, "scipy-1.17.1-cp312-cp312-any.whl")),
    )

    line = tally.render_doing(state["fetch"], 2.0)

    assert line == "fetching 20.0 MB of 100.0 MB, 10.0 MB/s, 8 s left (scipy-1.17.1)"


def test_the_rate_forgets_what_was_long_ago() -> None:
    state = after(
        (0.0, StageStarted("fetch", None)),
        *((float(second), StageAdvanced("fetch", 9_000_000)) for second in range(1, 11)),
        *((float(second), StageAdvanced("fetch", 1_000_000)) for second in range(11, 21)),
    )

    rate = state["fetch"].rate(20.0)

    assert rate is not None
    assert 0.9e6 < rate < 1.3e6


def test_a_fetch_that_stalls_slows_down() -> None:
    state = after(
        (0.0, StageStarted("fetch", None)),
        (1.0, StageAdvanced("fetch", 1_000_000)),
    )

    early, late = state["fetch"].rate(1.0), state["fetch"].rate(10.0)

    assert early is not None
    assert late is not None
    assert late < early / 5


def test_without_a_total_nothing_is_promised() -> None:
    state = after(
        (0.0, StageStarted("fetch")),
        (1.0, StageAdvanced("fetch", 5_000_000)),
    )

    assert tally.render_doing(state["fetch"], 1.0) == "fetching 5.0 MB, 5.0 MB/s"


def test_a_stage_of_items_counts_them() -> None:
    state = after(
        (0.0, StageStarted("unpack", 12)),
        (0.1, StageAdvanced("unpack", 3, "torch-2.13.0-py3-none-any.whl")),
    )

    assert tally.render_doing(state["unpack"], 1.0) == "unpacking 3 of 12 wheels (torch-2.13.0)"


def test_a_stage_that_has_not_counted_anything_is_named() -> None:
    state = after((0.0, StageStarted("resolve")))

    assert tally.render_doing(state["resolve"], 1.0) == "resolving"


def test_a_stage_that_ended_is_summed_up() -> None:
    state = after(
        (0.0, StageStarted("fetch", 90_000_000)),
        (9.0, StageAdvanced("fetch", 90_000_000)),
        (9.0, StageFinished("fetch", 12, 9.0)),
        (9.0, StageFinished("link", 147, 0.05)),
        (9.0, StageFinished("unpack", 0, 0.0)),
    )

    assert tally.render_done(state["fetch"]) == "fetched 12 wheels, 90.0 MB in 9.0 s (10.0 MB/s)"
    assert tally.render_done(state["link"]) == "linked 147 packages in 50 ms"
    assert tally.render_done(state["unpack"]) is None
    assert tally.running(state) == ()


def test_a_stage_that_begins_again_counts_from_nothing() -> None:
    state = after(
        (0.0, StageStarted("resolve")),
        (1.0, StageFinished("resolve", 3, 1.0)),
        (2.0, StageStarted("resolve", 5)),
    )

    assert [progress.stage for progress in tally.running(state)] == ["resolve"]
    assert state["resolve"].began == 2.0


def test_an_advance_without_a_start_is_not_lost() -> None:
    state = after((3.0, StageAdvanced("compile", 2)))

    assert state["compile"].done == 2


def test_remarks_change_no_stage() -> None:
    assert tally.add(tally.EMPTY, Warned("careful"), 0.0) is tally.EMPTY
