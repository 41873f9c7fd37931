"""Start the probe in an environment, and start it again without what ended it."""

import json
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from envmgr.audit.probe import PROBE, FailedImport, Observed, PackageImports, parse_observed
from envmgr.errors import MachineError

ATTEMPTS = 10
"""Processes at most: each that ends early leaves one package out of the next."""


class ProbeFailed(MachineError):
    """The environment's interpreter could not be asked; ``reason`` is one clause."""

    def __init__(self, python: Path, reason: str) -> None:
        super().__init__(python, reason)
        self.python = python
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.python} could not import the packages: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to import, with which interpreter."""

    python: Path
    packages: tuple[PackageImports, ...]
    isolated: bool
    """Whether to start the interpreter with ``-I``."""
    timeout: float
    """Seconds for each process."""


def observe(task: Task, environ: Mapping[str, str]) -> Observed:
    """Import everything in one process, and say what it mapped.

    A package that ends the process, or does not come back in time, is reported as failed,
    and a new process imports the others. Raises ProbeFailed.
    """
    left = list(task.packages)
    ended: list[FailedImport] = []
    for _ in range(ATTEMPTS):
        observed, how = _attempt(replace(task, packages=tuple(left)), environ)
        if observed.at is None:
            return replace(observed, failed=(*ended, *observed.failed))
        if not observed.at:
            raise ProbeFailed(task.python, how)
        ended.append(FailedImport(package=observed.at, module="", reason=how))
        left = [each for each in left if each.package != observed.at]
    raise ProbeFailed(task.python, f"{ATTEMPTS} packages ended the process")


def _attempt(task: Task, environ: Mapping[str, str]) -> tuple[Observed, str]:
    """Run the probe once; returns what it told, and how it ended in a clause."""
    with TemporaryDirectory(prefix="envmgr-audit-") as directory, TemporaryFile() as channel:
        number = channel.fileno()
        options = ["-I"] if task.isolated else []
        try:
            process = subprocess.Popen(  # noqa: S603 - the environment's own interpreter
                [task.python, *options, "-c", PROBE, str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(number,),
                cwd=directory,
                env=dict(environ),
                start_new_session=True,
            )
        except OSError as error:
            raise ProbeFailed(task.python, (error.strerror or str(error)).lower()) from None
        try:
            process.communicate(_render(task.packages), task.timeout)
            how = _ending(process.returncode)
        except subprocess.TimeoutExpired:
            how = f"it was not done within {task.timeout:g} seconds"
        finally:
            _end_all(process)
        size = os.fstat(number).st_size
        return parse_observed(os.pread(number, size, 0)), how


def _render(packages: Iterable[PackageImports]) -> bytes:
    return json.dumps([[each.package, each.modules, each.further] for each in packages]).encode()


def _ending(status: int) -> str:
    if status >= 0:
        return f"the process ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"the process was ended by {name}"


def _end_all(process: "subprocess.Popen[bytes]") -> None:
    """End the probe and what its imports started, which is in a session of its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()
