import io
import json
import time
from threading import Barrier, Thread

import pytest

from envmgr.cli.live import LiveDisplay
from envmgr.cli.progress import (
    JsonLines,
    Mode,
    PlainLines,
    Progress,
    Remarks,
    Silence,
    choose_mode,
    event_document,
)
from envmgr.cli.session import Session
from envmgr.events import Event, Noted, StageAdvanced, StageFinished, StageStarted, Warned

STORY: tuple[Event, ...] = (
    StageStarted("resolve"),
    Warned("the index says nothing about freshness"),
    StageFinished("resolve", 147, 0.8),
    StageStarted("fetch", 342_000_000),
    StageAdvanced("fetch", 342_000_000, "numpy-2.4.6.whl"),
    StageFinished("fetch", 12, 10.0),
    Noted("3 wheels were there already"),
    StageStarted("link", 1),
    StageFinished("link", 147, 0.05),
)

WARNING = "warning: the index says nothing about freshness"


def tell(progress: Progress, story: tuple[Event, ...] = STORY) -> None:
    for event in story:
        progress(event)
    progress.close()


def session(progress: str | None = None, quiet: int = 0, term: str = "xterm") -> Session:
    return Session("create", {"TERM": term}, "/home/somebody", progress=progress, quiet=quiet)


@pytest.mark.parametrize(
    ("given", "terminal", "mode"),
    [
        (session(), True, "live"),
        (session(), False, "plain"),
        (session(term="dumb"), True, "plain"),
        (session("auto"), True, "live"),
        (session("plain"), True, "plain"),
        (session("json"), True, "json"),
        (session("none"), True, "none"),
        (session(quiet=1), True, "none"),
        (session("auto", quiet=1), True, "none"),
        (session("json", quiet=1), False, "json"),
    ],
)
def test_the_mode_follows_what_was_said_then_the_terminal(
    given: Session, terminal: bool, mode: Mode
) -> None:
    assert choose_mode(given, terminal=terminal) == mode


def test_plain_lines_tell_what_ended_and_what_to_look_at() -> None:
    out = io.StringIO()

    tell(PlainLines(out.write, Remarks()))

    assert out.getvalue().splitlines() == [
        WARNING,
        "resolved 147 packages in 0.80 s",
        "fetched 12 wheels, 342.0 MB in 10.0 s (34.2 MB/s)",
        "note: 3 wheels were there already",
        "linked 147 packages in 50 ms",
    ]


def test_plain_lines_go_on_while_a_stage_takes_long() -> None:
    out = io.StringIO()
    progress = PlainLines(out.write, Remarks(), every=0.01)

    progress(StageStarted("fetch", 342_000_000))
    progress(StageAdvanced("fetch", 12_000_000, "torch.whl"))
    deadline = time.monotonic() + 10
    while out.getvalue().count("\n") < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    progress.close()
    lines = out.getvalue().splitlines()

    assert len(lines) >= 2
    assert all(line.startswith("fetching 12.0 MB of 342.0 MB") for line in lines)
    assert all(line.endswith("(torch.whl)") for line in lines)


def test_nothing_is_written_after_closing() -> None:
    out = io.StringIO()
    progress = PlainLines(out.write, Remarks(), every=0.01)

    progress(StageStarted("resolve"))
    progress.close()
    written = out.getvalue()
    time.sleep(0.05)

    assert out.getvalue() == written


def test_json_lines_have_an_object_for_every_event() -> None:
    out = io.StringIO()

    tell(JsonLines(out.write))
    documents = [json.loads(line) for line in out.getvalue().splitlines()]

    assert len(documents) == len(STORY)
    assert documents[0] == {"event": "stage-started", "stage": "resolve", "total": None}
    assert documents[4] == {
        "event": "stage-advanced",
        "stage": "fetch",
        "done": 342_000_000,
        "item": "numpy-2.4.6.whl",
    }
    assert documents[-1] == {
        "event": "stage-finished",
        "stage": "link",
        "items": 147,
        "seconds": 0.05,
    }


def test_remarks_are_events_like_any_other_in_json() -> None:
    assert event_document(Warned("careful")) == {"event": "warned", "text": "careful"}
    assert event_document(Noted("fine")) == {"event": "noted", "text": "fine"}


@pytest.mark.parametrize(
    ("quiet", "lines"),
    [
        (
            0,
            [
                "warning: the index says nothing about freshness",
                "note: 3 wheels were there already",
            ],
        ),
        (1, ["warning: the index says nothing about freshness"]),
        (2, []),
    ],
)
def test_silence_keeps_warnings_until_it_is_doubled(quiet: int, lines: list[str]) -> None:
    out = io.StringIO()

    tell(Silence(out.write, Remarks(quiet)))

    assert out.getvalue().splitlines() == lines


def test_a_remark_is_made_once() -> None:
    out = io.StringIO()

    tell(Silence(out.write, Remarks()), (Warned("careful"), Warned("careful"), Warned("other")))

    assert out.getvalue().splitlines() == ["warning: careful", "warning: other"]


@pytest.mark.parametrize("kind", ["plain", "json"])
def test_events_of_many_threads_stay_whole_and_none_is_lost(kind: str) -> None:
    pieces: list[str] = []
    plain = PlainLines(pieces.append, Remarks())
    progress: Progress = plain if kind == "plain" else JsonLines(pieces.append)
    together = Barrier(8)

    def work(number: int) -> None:
        together.wait()
        for step in range(200):
            progress(StageAdvanced("fetch", 5, f"{number}-{step}"))

    progress(StageStarted("fetch", 8_000))
    threads = [Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    progress(StageFinished("fetch", 8, 1.0))
    progress.close()

    if kind == "plain":
        assert pieces == ["fetched 8 wheels, 8.0 kB in 1.0 s (8.0 kB/s)\n"]
    else:
        documents = [json.loads(piece) for piece in pieces]
        assert sum(document.get("done", 0) for document in documents) == 8_000


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def live(out: io.StringIO, delay: float) -> LiveDisplay:
    return LiveDisplay(out, Remarks(), {"TERM": "xterm", "COLUMNS": "100"}, delay=delay)


def test_a_quick_command_shows_no_display_at_all() -> None:
    out = Terminal()

    tell(live(out, delay=60.0), (StageStarted("link", 1), StageFinished("link", 1, 0.01)))

    assert out.getvalue() == ""


def test_a_display_shows_what_runs_and_is_gone_at_the_end() -> None:
    out = Terminal()
    display = live(out, delay=60.0)

    display(StageStarted("fetch", 342_000_000))
    display(StageAdvanced("fetch", 42_000_000, "torch.whl"))
    deadline = time.monotonic() + 10
    while "42.0 MB of 342.0 MB" not in out.getvalue() and time.monotonic() < deadline:
        time.sleep(0.01)
    display(Warned("a slow index"))
    display.close()

    assert "fetching 42.0 MB of 342.0 MB" in out.getvalue()
    assert "warning: a slow index" in out.getvalue()
    assert "\x1b[?25l" in out.getvalue()
    assert out.getvalue().rindex("\x1b[?25h") > out.getvalue().rindex("\x1b[?25l")
