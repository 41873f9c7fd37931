"""The door to the machine: who wants to know something of it asks a ``Host``.

``RealHost`` answers for this machine; tests put a fake in its place. Nothing
is imported for starting programs until one is started.
"""

import os
import stat
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Protocol

from msgspec import Struct

from envmgr.hardware.cpu import parse_cpu_features, wheel_architecture, x86_64_level
from envmgr.hardware.profile import HardwareProfile

_CPUINFO = "/proc/cpuinfo"
_CPUINFO_LIMIT = 16 * 1024
"""Bytes: the first processor's paragraph is under 3 KiB; reading all of it costs the kernel
tens of microseconds for every processor."""


class FileStamp(Struct, frozen=True):
    """What tells whether a regular file is still the one it was."""

    size: int
    """Bytes."""
    mtime_ns: int
    executable: bool
    """Whether this user may run it."""


class Kernel(Struct, frozen=True):
    """``uname``: ``Linux``, ``6.1.0-18-amd64``, ``#1 SMP ...``, ``x86_64``."""

    system: str
    release: str
    version: str
    machine: str


class Ran(Struct, frozen=True):
    """A program that ran to its end. ``status`` is negative where a signal ended it."""

    status: int
    output: str
    errors: str


class CommandFailed(Exception):
    """A program that did not start, or did not end in time; ``reason`` is one clause."""

    def __init__(self, command: Sequence[str], reason: str) -> None:
        super().__init__(tuple(command), reason)
        self.command = tuple(command)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.command[0]}: {self.reason}"


class Host(Protocol):
    """A machine as far as envmgr looks at it. Paths are absolute text."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables envmgr was started with."""

    @property
    def home(self) -> str:
        """The user's home directory."""

    @property
    def kernel(self) -> Kernel:
        """Which kernel runs."""

    @property
    def own_interpreter(self) -> str:
        """The interpreter that runs envmgr; the base one of a virtual environment."""

    def real_path(self, path: str) -> str:
        """Resolve every link in a path; of what does not exist as far as it goes."""

    def stamp(self, path: str) -> FileStamp | None:
        """Look at the regular file a path leads to; ``None`` where there is none."""

    def list_directory(self, path: str) -> tuple[str, ...]:
        """Give the names in a directory, in any order; none where it cannot be listed."""

    def read_bytes(self, path: str, limit: int) -> bytes | None:
        """Read the first ``limit`` bytes of a file; ``None`` where it cannot be read."""

    def run(self, command: Sequence[str], timeout: float, changes: Mapping[str, str]) -> Ran:
        """Run a program with nothing on its input and ``changes`` to the environment variables.

        ``timeout`` in seconds. Raises CommandFailed.
        """


class RealHost:
    """This machine, with the environment variables it is given."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    @cached_property
    def home(self) -> str:
        """``HOME``, else what the password database says."""
        return self.environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111

    @cached_property
    def kernel(self) -> Kernel:
        """What ``uname`` says."""
        system = os.uname()
        return Kernel(system.sysname, system.release, system.version, system.machine)

    @property
    def own_interpreter(self) -> str:
        """``sys._base_executable``: outside the virtual environment envmgr may run in."""
        return getattr(sys, "_base_executable", None) or sys.executable

    def real_path(self, path: str) -> str:
        """Resolve every link."""
        return os.path.realpath(path)

    def stamp(self, path: str) -> FileStamp | None:
        """Look at the file behind a path."""
        try:
            status = os.stat(path)  # noqa: PTH116
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return FileStamp(status.st_size, status.st_mtime_ns, os.access(path, os.X_OK))

    def list_directory(self, path: str) -> tuple[str, ...]:
        """List a directory."""
        try:
            return tuple(os.listdir(path))
        except (OSError, ValueError):
            return ()

    def read_bytes(self, path: str, limit: int) -> bytes | None:
        """Read the beginning of a file, unbuffered: a kernel file gives no more than is asked."""
        try:
            with open(path, "rb", buffering=0) as file:
                return file.read(limit)
        except (OSError, ValueError):
            return None

    def run(self, command: Sequence[str], timeout: float, changes: Mapping[str, str]) -> Ran:
        """Start a program and wait for it; output that is no UTF-8 is shown with escapes."""
        import subprocess

        try:
            done = subprocess.run(  # noqa: S603 - the caller chose the program
                list(command),
                check=False,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout,
                env={**self.environ, **changes},
                encoding="utf-8",
                errors="backslashreplace",
            )
        except subprocess.TimeoutExpired:
            raise CommandFailed(command, f"it did not end within {timeout:g} seconds") from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise CommandFailed(command, f"it cannot be run: {reason or error}") from None
        return Ran(done.returncode, done.stdout, done.stderr)


def detect_hardware(host: Host) -> HardwareProfile:
    """Tell what the hardware can do, in well under a millisecond.

    The CPU's level is told for x86-64 under Linux; elsewhere it, and CUDA and
    GPUs everywhere, are left as "not known".
    """
    architecture = wheel_architecture(host.kernel.machine)
    features = parse_cpu_features(host.read_bytes(_CPUINFO, _CPUINFO_LIMIT) or b"")
    level = x86_64_level(features) if architecture == "x86_64" and features else None
    return HardwareProfile(architecture=architecture, cpu=level, cpu_features=features)
