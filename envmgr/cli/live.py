"""The live display: a line for each stage. rich is imported when it first shows."""

from collections.abc import Mapping
from threading import Event as Signal
from threading import Lock as Mutex
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, TextIO

from envmgr.cli import tally
from envmgr.cli.progress import Remarks
from envmgr.events import Event, StageStarted
from envmgr.threads import begin_thread

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

DELAY = 0.4
"""Seconds of work before anything shows: a warm ``create`` is over by then."""
PER_SECOND = 10
BAR = 24
"""Columns of a bar."""


class LiveDisplay:
    """Shows stages while they run and is gone afterwards; remarks stay above it."""

    def __init__(
        self,
        stream: TextIO,
        remarks: Remarks,
        environ: Mapping[str, str],
        *,
        delay: float = DELAY,
    ) -> None:
        self._stream = stream
        self._remarks = remarks
        self._environ = environ
        self._delay = delay
        self._tally = tally.EMPTY
        self._mutex = Mutex()
        self._wanted = Signal()
        self._closed = False
        self._starter: Thread | None = None
        self._live: Live | None = None

    def __call__(self, event: Event) -> None:
        """Take one event, from any thread."""
        with self._mutex:
            self._tally = tally.add(self._tally, event, monotonic())
            line = self._remarks.render(event)
        if line is not None:
            self._say(line)
        if isinstance(event, StageStarted):
            if event.stage == "fetch" and event.total != 0:
                self._wanted.set()
            self._begin()

    def _begin(self) -> None:
        with self._mutex:
            if self._starter is None:
                self._starter = begin_thread("live", self._show_when_wanted)

    def _show_when_wanted(self) -> None:
        self._wanted.wait(self._delay)
        if self._closed:
            return
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._stream, force_terminal=True, _environ=self._environ)
        live = Live(
            console=console,
            get_renderable=lambda: self._renderable(console),
            refresh_per_second=PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        with self._mutex:
            if not self._closed:
                live.start()
                self._live = live

    def _say(self, line: str) -> None:
        with self._mutex:
            live = self._live
            if live is None:
                self._stream.write(f"{line}\n")
                self._stream.flush()
                return
        from rich.text import Text

        live.console.print(Text.from_ansi(line), soft_wrap=True)

    def _renderable(self, console: "Console") -> "RenderableType":
        from rich.table import Table

        now = monotonic()
        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(width=BAR, min_width=BAR)
        table.add_column(no_wrap=True, overflow="ellipsis")
        plain = not console.encoding.startswith("utf")
        for progress in self._tally.values():
            row = _row(progress, now, plain=plain)
            if row is not None:
                table.add_row(*row)
        return table

    def close(self) -> None:
        """Erase the display and give the cursor back."""
        with self._mutex:
            self._closed = True
        self._wanted.set()
        if self._starter is not None:
            self._starter.join()
        if self._live is not None:
            self._live.stop()
            self._live = None


def _row(
    progress: tally.Progress, now: float, *, plain: bool
) -> "tuple[RenderableType, RenderableType, RenderableType] | None":
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    if progress.finished is not None:
        done = tally.render_done(progress)
        tick = Text("+" if plain else "✓", "green")
        return None if done is None else (tick, ProgressBar(1, 1, BAR), Text(done))
    spin = "|/-\\"[int(now * 8) % 4] if plain else "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"[int(now * 10) % 10]
    total = progress.total or None  # without one the bar pulses
    bar = ProgressBar(total, min(progress.done, total or 0), BAR, animation_time=now)
    return Text(spin, "cyan"), bar, Text(tally.render_doing(progress, now))
