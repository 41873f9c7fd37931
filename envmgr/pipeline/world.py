"""What every stage of one command is given."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from msgspec import Struct, field

from envmgr.events import Event, Reporter, Stage, StageFinished, StageStarted
from envmgr.spec.settings import Settings

if TYPE_CHECKING:
    from envmgr.helper import Helper


class World(Struct, frozen=True):
    """Settings, environment variables, and who is told; with a stopwatch for the whole command."""

    settings: Settings
    environ: Mapping[str, str]
    reporter: Reporter
    began: float = field(default_factory=perf_counter)
    seconds: dict[str, float] = field(default_factory=dict)
    asking: "Helper | None" = None
    """The process that asks indexes for pages, if one was begun."""

    def report(self, event: Event) -> None:
        """Pass an event on; what a finished stage took is noted. From any thread."""
        if isinstance(event, StageFinished):
            self.seconds[event.stage] = self.seconds.get(event.stage, 0.0) + event.seconds
        self.reporter(event)

    @contextmanager
    def stage(self, stage: Stage, items: int) -> Iterator[None]:
        """Tell of the beginning and the end of a stage of a known number of items."""
        self.report(StageStarted(stage, items))
        began = perf_counter()
        yield
        self.report(StageFinished(stage, items, perf_counter() - began))

    def timings(self) -> Mapping[str, float]:
        """Return seconds by stage, and of everything so far under ``total``."""
        return {**self.seconds, "total": perf_counter() - self.began}
