"""Events added up: how far each stage is. Pure; the clock's time is given."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from envmgr.cli.quantities import render_bytes, render_count, render_seconds
from envmgr.events import Event, Stage, StageAdvanced, StageFinished, StageStarted

WINDOW = 5.0
"""Seconds that the rate of a transfer looks back."""
SPACING = 0.25
"""Seconds between two samples at least."""

DOING: Mapping[Stage, str] = {
    "resolve": "resolving",
    "copy": "copying",
    "fetch": "fetching",
    "unpack": "unpacking",
    "compile": "compiling",
    "link": "linking",
    "collect": "collecting",
    "verify": "verifying",
    "measure": "measuring",
    "survey": "surveying anew",
    "pack": "packing",
    "audit": "auditing",
}
_DONE: Mapping[Stage, str] = {
    "resolve": "resolved",
    "copy": "copied",
    "fetch": "fetched",
    "unpack": "unpacked",
    "compile": "compiled",
    "link": "linked",
    "collect": "collected",
    "verify": "verified",
    "measure": "measured",
    "survey": "surveyed anew",
    "pack": "packed",
    "audit": "audited",
}
_COUNTED: Mapping[Stage, tuple[str, str]] = {
    "resolve": ("package", "packages"),
    "copy": ("entry of the site", "entries of the site"),
    "fetch": ("wheel", "wheels"),
    "unpack": ("wheel", "wheels"),
    "compile": ("module", "modules"),
    "link": ("package", "packages"),
    "collect": ("entry", "entries"),
    "verify": ("file", "files"),
    "measure": ("entry", "entries"),
    "survey": ("entry", "entries"),
    "pack": ("file", "files"),
    "audit": ("package", "packages"),
}


class Progress(Struct, frozen=True, kw_only=True):
    """How far one stage is. ``done`` and ``total`` count bytes for ``fetch``, else items."""

    stage: Stage
    began: float
    done: int = 0
    total: int | None = None
    item: str = ""
    samples: tuple[tuple[float, int], ...] = ()
    """Moments and what was done by then, oldest first."""
    finished: StageFinished | None = None

    def rate(self, now: float) -> float | None:
        """Return what was done per second lately; ``None`` while there is too little to tell."""
        since, before = self.samples[0] if self.samples else (self.began, 0)
        elapsed = now - since
        return (self.done - before) / elapsed if elapsed >= SPACING else None

    def remaining(self, now: float) -> float | None:
        """Seconds that are left at this rate."""
        rate = self.rate(now)
        if self.total is None or not rate:
            return None
        return max(self.total - self.done, 0) / rate


Tally = Mapping[Stage, Progress]
"""The stages that were heard of, in that order."""

EMPTY: Tally = MappingProxyType({})


def add(tally: Tally, event: Event, now: float) -> Tally:
    """Return the tally after one more event at the monotonic time ``now``, in seconds."""
    if not isinstance(event, StageStarted | StageAdvanced | StageFinished):
        return tally
    before = tally.get(event.stage)
    if isinstance(event, StageStarted) or before is None:
        before = Progress(stage=event.stage, began=now)
    return MappingProxyType({**tally, event.stage: _moved(before, event, now)})


def _moved(
    before: Progress, event: StageStarted | StageAdvanced | StageFinished, now: float
) -> Progress:
    match event:
        case StageStarted(total=total):
            return replace(before, total=total)
        case StageAdvanced(done=done, item=item):
            return replace(
                before,
                done=before.done + done,
                item=item or before.item,
                samples=_sampled(before, now),
            )
        case StageFinished():
            return replace(before, finished=event)


def _sampled(progress: Progress, now: float) -> tuple[tuple[float, int], ...]:
    samples = progress.samples or ((progress.began, 0),)
    if now - samples[-1][0] >= SPACING:
        samples = (*samples, (now, progress.done))
    while len(samples) > 1 and now - samples[1][0] > WINDOW:
        samples = samples[1:]
    return samples


def render_doing(progress: Progress, now: float) -> str:
    """One line of a stage that runs: ``fetching 12.0 MB of 342.1 MB, 9.1 MB/s, 36 s left``."""
    parts = [_amount(progress)]
    if progress.stage == "fetch":
        rate = progress.rate(now)
        remaining = progress.remaining(now)
        parts += [f"{render_bytes(rate)}/s"] if rate is not None else []
        parts += [f"{_rounded(remaining)} left"] if remaining is not None else []
    item = f" ({_short(progress.item)})" if progress.item else ""
    return f"{DOING[progress.stage]} {', '.join(part for part in parts if part)}".rstrip() + item


def _short(item: str) -> str:
    """Cut a wheel's file name down to name and version."""
    return "-".join(item.split("-")[:2]) if item.endswith(".whl") else item


def _rounded(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 59.5 else render_seconds(seconds)


def _amount(progress: Progress) -> str:
    if progress.stage == "fetch":
        total = "" if progress.total is None else f" of {render_bytes(progress.total)}"
        return f"{render_bytes(progress.done)}{total}"
    if progress.total is not None:
        return f"{progress.done:,} of {render_count(progress.total, *_COUNTED[progress.stage])}"
    return render_count(progress.done, *_COUNTED[progress.stage]) if progress.done else ""


def render_done(progress: Progress) -> str | None:
    """One line of a stage that ended; ``None`` for one that had nothing to do."""
    finished = progress.finished
    if finished is None or finished.items == 0:
        return None
    amount = render_count(finished.items, *_COUNTED[progress.stage])
    seconds = render_seconds(finished.seconds)
    if progress.stage != "fetch":
        return f"{_DONE[progress.stage]} {amount} in {seconds}"
    rate = (
        f" ({render_bytes(progress.done / finished.seconds)}/s)" if finished.seconds > 0.1 else ""
    )
    return f"fetched {amount}, {render_bytes(progress.done)} in {seconds}{rate}"


def running(tally: Tally) -> tuple[Progress, ...]:
    """Return the stages under way."""
    return tuple(progress for progress in tally.values() if progress.finished is None)
