"""Locks between processes. Politeness alone: nothing that must be true rests on one.

::

    PATH           locked (flock) while somebody holds it
    PATH.holder    who that is: host, pid, command, since; for messages, and for nothing else

Where the file system has no locks that is said once, and the work goes on without.
"""

import errno
import fcntl
import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from envmgr.events import Noted, Reporter, silent
from envmgr.files import remove_file, write_atomically

_BUSY = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK}
_POLL = 0.05
_LONGEST = 200
"""Characters of a command that are shown."""
_OPEN = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW

_told: set[int] = set()
"""File systems (device numbers) of which was said that they have no locks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lock, by its own word."""

    host: str
    pid: int
    command: str = ""
    since: str = ""
    """UTC, ISO 8601."""

    def __str__(self) -> str:
        since = self.since.replace("T", " ").removesuffix("+00:00")
        more = [f"`{self.command}`" if self.command else "", f"since {since} UTC" if since else ""]
        told = ", ".join(filter(None, more))
        return f"process {self.pid} on {self.host}{f' ({told})' if told else ''}"

    def is_same_process(self, other: "Holder") -> bool:
        """Whether both are one process, whatever they were doing."""
        return (self.host, self.pid) == (other.host, other.pid)


def this_process() -> Holder:
    """Describe the process that runs this, from now on."""
    program, *words = sys.argv or ["python"]
    name = program.rpartition("/")[2]
    command = shlex.join(["envmgr" if name == "__main__.py" else name or "python", *words])
    return Holder(
        host=platform.node(),
        pid=os.getpid(),
        command=command if len(command) <= _LONGEST else f"{command[:_LONGEST]}...",
        since=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def holder_path(path: str | Path) -> Path:
    """Return where the holder of the lock at ``path`` says who it is."""
    return Path(f"{os.fspath(path)}.holder")


def decode_holder(data: bytes) -> Holder | None:
    """Read what ``encode_holder`` wrote; ``None`` for anything else."""
    try:
        facts = json.loads(data)
        return Holder(
            host=str(facts["host"]),
            pid=int(facts["pid"]),
            command=str(facts.get("command", "")),
            since=str(facts.get("since", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def encode_holder(holder: Holder) -> bytes:
    """Return a holder as JSON."""
    return json.dumps(asdict(holder)).encode()


def read_holder(path: str | Path) -> Holder | None:
    """Tell who says to hold the lock at ``path``; ``None`` where nobody does."""
    try:
        return decode_holder(holder_path(path).read_bytes())
    except OSError:
        return None


def may_be_running(holder: Holder) -> bool:
    """Whether a holder may be alive; of another host nobody can tell."""
    if holder.host != platform.node():
        return True
    try:
        os.kill(holder.pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def lock_trouble(path: Path) -> str | None:
    """Tell in a clause why there are no locks where ``path``, a lock's file, lies.

    ``None`` where there are. A lock is taken for a moment, and only where it is free.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return None if error.errno in _BUSY else (error.strerror or str(error)).lower()
    finally:
        os.close(descriptor)
    return None


class PoliteLock:
    """One lock, taken by one thread at a time."""

    def __init__(
        self, path: Path, holder: Holder | None = None, *, among_threads: bool = False
    ) -> None:
        """``holder`` is what others are told; this process, if it is not given.

        With ``among_threads`` nobody is told of another thread, or helper, of this process.
        """
        self.path = path
        self._among_threads = among_threads
        self._holder = holder or this_process()
        self._descriptor = -1

    def acquire(
        self, doing: str, report: Reporter = silent, prepare: Callable[[], object] | None = None
    ) -> None:
        """Wait for the lock, and tell for whom; ``doing`` goes on ": which is ...".

        ``prepare`` makes the directory, before every attempt: who held the lock may have
        removed it. Raises OSError where the file cannot be opened.
        """
        attempt, told = 0, False
        while True:
            if prepare is not None:
                prepare()
            try:
                if self._try(report):
                    break
            except FileNotFoundError:
                if prepare is None:
                    raise
                continue
            attempt += 1
            if attempt > 1 and not told:
                told = self._tell(doing, report)
            time.sleep(_POLL)
        with suppress(OSError):
            write_atomically(holder_path(self.path), encode_holder(self._holder))

    def release(self) -> None:
        """Let others have it."""
        with suppress(OSError):
            if self.stands():
                remove_file(holder_path(self.path))
        os.close(self._descriptor)

    def stands(self) -> bool:
        """Whether the file that is held is the one at the path, and was not removed or moved."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), self.path.stat())
        except FileNotFoundError:
            return False

    def _tell(self, doing: str, report: Reporter) -> bool:
        """Tell who is waited for."""
        holder = read_holder(self.path)
        if self._among_threads and holder is not None and holder.is_same_process(self._holder):
            return False
        report(Noted(f"waiting for {holder or 'another envmgr'}, which is {doing}"))
        return True

    def _try(self, report: Reporter) -> bool:
        """Try once; True also where there are no locks."""
        while True:
            self._descriptor = _open(self.path)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno in _BUSY:
                    os.close(self._descriptor)
                    return False
                _tell_of_no_locks(self.path, self._descriptor, error, report)
                return True
            except BaseException:
                os.close(self._descriptor)
                raise
            if self.stands():
                return True
            os.close(self._descriptor)


def _open(path: Path) -> int:
    """Open a lock's file, made if it is absent; one of another user's for reading alone."""
    try:
        return os.open(path, _OPEN, 0o666)
    except PermissionError:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)


def _tell_of_no_locks(path: Path, descriptor: int, error: OSError, report: Reporter) -> None:
    device = os.fstat(descriptor).st_dev
    if device in _told:
        return
    _told.add(device)
    reason = (error.strerror or str(error)).lower()
    report(
        Noted(
            f"the file system of {path.parent} has no locks ({reason}): nothing keeps another "
            f"envmgr from doing the same at the same time"
        )
    )


@contextmanager
def held_lock(
    path: Path, doing: str, report: Reporter = silent, holder: Holder | None = None
) -> Iterator[None]:
    """Hold a lock that threads share while the block runs, as PoliteLock does. Raises OSError."""
    lock = PoliteLock(path, holder, among_threads=True)
    lock.acquire(doing, report)
    try:
        yield
    finally:
        lock.release()
