"""Whole processes, timed from outside by the kernel's own accounting."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


class CommandFailed(Exception):
    """A contestant ended with an error: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process: seconds of wall, user and system time; peak memory in MiB.

    User and system time include children that were waited for; the peak is that of the
    largest single process among them.
    """

    wall: float
    user: float
    system: float
    peak: float

    @property
    def cpu(self) -> float:
        """User and system time together, in seconds."""
        return self.user + self.system


def run(command: Sequence[str], environ: Mapping[str, str], cwd: Path | None = None) -> Run:
    """Run a command to its end. Raises CommandFailed with the end of its output."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, env=environ, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = output.decode("utf-8", "replace")[-2000:]
        raise CommandFailed(f"{' '.join(command)} ended with {process.returncode}:\n{tail}")
    return Run(wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss / 1024)


@dataclass(frozen=True, slots=True)
class Series:
    """Several runs of one contestant."""

    runs: tuple[Run, ...]

    @property
    def wall(self) -> float:
        """Median seconds of wall time."""
        return median(run.wall for run in self.runs)

    @property
    def cpu(self) -> float:
        """Median seconds of user and system time."""
        return median(run.cpu for run in self.runs)

    @property
    def peak(self) -> float:
        """The largest peak, MiB."""
        return max(run.peak for run in self.runs)


def added(*parts: Run) -> Run:
    """Commands that follow each other, as one."""
    return Run(
        sum(part.wall for part in parts),
        sum(part.user for part in parts),
        sum(part.system for part in parts),
        max(part.peak for part in parts),
    )


def ratios(ours: Series, theirs: Series) -> tuple[float, float, float]:
    """``theirs / ours`` of wall time pair by pair: median, least, greatest."""
    pairs = [b.wall / a.wall for a, b in zip(ours.runs, theirs.runs, strict=False)]
    return median(pairs), min(pairs), max(pairs)
