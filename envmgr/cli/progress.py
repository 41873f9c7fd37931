"""Reporters: how a stage's events reach a person, or a program. All are thread-safe.

``auto`` is a live display on a terminal and plain lines elsewhere. Everything goes
to stderr; stdout belongs to results.
"""

import json
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event as Signal
from threading import Lock as Mutex
from threading import Thread, current_thread, main_thread
from time import monotonic
from typing import Literal, Protocol, TypeAlias

from msgspec.structs import asdict

from envmgr.cli import tally
from envmgr.cli.output import CYAN, YELLOW, is_coloured, is_terminal, paint, write_err
from envmgr.cli.session import Session
from envmgr.events import Event, Noted, Reporter, StageFinished, StageStarted, Warned
from envmgr.threads import begin_thread

Mode: TypeAlias = Literal["live", "plain", "json", "none"]
Write: TypeAlias = Callable[[str], object]

LINE_EVERY = 10.0
"""Seconds between two plain lines of a stage that takes long."""


class Progress(Protocol):
    """A reporter that has to be closed."""

    def __call__(self, event: Event) -> None:
        """Take one event, from any thread."""

    def close(self) -> None:
        """Leave the terminal as it was found; nothing is written afterwards."""


def choose_mode(session: Session, *, terminal: bool) -> Mode:
    """Weigh ``--progress``, ``-q`` and the terminal."""
    match session.progress:
        case "plain" | "json" | "none":
            return session.progress
    if session.quiet:
        return "none"
    return "live" if terminal and session.environ.get("TERM") != "dumb" else "plain"


@contextmanager
def open_reporter(session: Session) -> Iterator[Reporter]:
    """Give one command its reporter; the terminal is restored however the block ends.

    Within the block SIGTERM, a scheduler's "your time is up", is an interruption too.
    """
    progress = _make(choose_mode(session, terminal=is_terminal(sys.stderr)), session)
    try:
        with _terminable():
            yield progress
    finally:
        progress.close()


@contextmanager
def _terminable() -> Iterator[None]:
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _make(mode: Mode, session: Session) -> Progress:
    remarks = Remarks(session.quiet, coloured=is_coloured(sys.stderr, session.environ))
    match mode:
        case "json":
            return JsonLines(write_err)
        case "plain":
            return PlainLines(write_err, remarks)
        case "live":
            from envmgr.cli.live import LiveDisplay

            return LiveDisplay(sys.stderr, remarks, session.environ)
        case "none":
            return Silence(write_err, remarks)


class Remarks:
    """Notes and warnings as lines, each text once."""

    def __init__(self, quiet: int = 0, *, coloured: bool = False) -> None:
        self._quiet = quiet
        self._coloured = coloured
        self._said: set[str] = set()

    def render(self, event: Event) -> str | None:
        """Return the line of an event, where it has one that should be shown."""
        match event:
            case Warned(text=text) if self._quiet < 2:
                label = paint("warning:", YELLOW, coloured=self._coloured)
            case Noted(text=text) if self._quiet < 1:
                label = paint("note:", CYAN, coloured=self._coloured)
            case _:
                return None
        if text in self._said:
            return None
        self._said.add(text)
        return f"{label} {text}"


class Silence:
    """Only what somebody should look at."""

    def __init__(self, write: Write, remarks: Remarks) -> None:
        self._write = write
        self._remarks = remarks
        self._mutex = Mutex()

    def __call__(self, event: Event) -> None:
        """Take one event, from any thread."""
        with self._mutex:
            line = self._remarks.render(event)
            if line is not None:
                self._write(f"{line}\n")

    def close(self) -> None:
        """Nothing to restore."""


class JsonLines:
    """One JSON object a line for every event: ``{"event": "stage-started", "stage": ...}``."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._mutex = Mutex()

    def __call__(self, event: Event) -> None:
        """Take one event, from any thread."""
        line = json.dumps(event_document(event)) + "\n"
        with self._mutex:
            self._write(line)

    def close(self) -> None:
        """Nothing to restore."""


def event_document(event: Event) -> Mapping[str, object]:
    """Return an event as JSON: its name in kebab case, and its fields."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(event).__name__).lower()
    return {"event": name, **asdict(event)}


class PlainLines:
    """A line for every stage that ended, and one now and then while it takes long."""

    def __init__(
        self,
        write: Write,
        remarks: Remarks,
        *,
        every: float = LINE_EVERY,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._write = write
        self._remarks = remarks
        self._every = every
        self._clock = clock
        self._tally = tally.EMPTY
        self._mutex = Mutex()
        self._closed = Signal()
        self._ticker: Thread | None = None

    def __call__(self, event: Event) -> None:
        """Take one event, from any thread."""
        with self._mutex:
            self._tally = tally.add(self._tally, event, self._clock())
            line = self._line(event)
            if line is not None:
                self._write(f"{line}\n")
        if isinstance(event, StageStarted):
            self._tick()

    def _line(self, event: Event) -> str | None:
        if isinstance(event, StageFinished):
            return tally.render_done(self._tally[event.stage])
        return self._remarks.render(event)

    def _tick(self) -> None:
        with self._mutex:
            if self._ticker is None:
                self._ticker = begin_thread("ticker", self._lines_now_and_then)

    def _lines_now_and_then(self) -> None:
        while not self._closed.wait(self._every):
            with self._mutex:
                now = self._clock()
                for progress in tally.running(self._tally):
                    self._write(f"{tally.render_doing(progress, now)}\n")

    def close(self) -> None:
        """Stop the lines."""
        self._closed.set()
        if self._ticker is not None:
            self._ticker.join()
