"""Who is about to use entries, and who is about to remove some.

::

    STORE/v1/leases/<machine>-<pid>-<random>       keys that a process wants to link
    STORE/v1/collecting/<machine>-<pid>-<random>   a collection that has not decided yet

A process writes its lease, then looks for collections and waits for them to
decide; a collection announces itself, then reads the leases. Whichever comes
first, at least one sees the other. No lock is involved.
"""

import errno
import json
import os
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from envmgr.events import Noted, Reporter, silent
from envmgr.files import remove_file, write_atomically
from envmgr.locks import decode_holder, encode_holder, this_process
from envmgr.names import StoreKey
from envmgr.store.staging import is_abandoned, machine_token

LEASES = "leases"
COLLECTING = "collecting"
DECIDED_AFTER = 60.0
"""Seconds after which nobody waits for a collection any more: it may be dead on another machine."""
_POLL = 0.01


@contextmanager
def hold_lease(
    place: Path, keys: Collection[StoreKey], report: Reporter = silent
) -> Iterator[None]:
    """Keep ``keys`` from being collected while the block runs; they need not be there yet.

    ``place`` is a store's ``v1``. Waits for a collection that is deciding, and tells
    of it. Where nothing can be written there the block runs without a lease: this
    user cannot collect there either.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            lease = stack.enter_context(
                _noted(place / LEASES, json.dumps({"keys": sorted(keys)}).encode())
            )
            _await_decisions(place / COLLECTING, lease.stat().st_mtime, report)
        yield


@contextmanager
def announce_collection(place: Path) -> Iterator[float]:
    """Make new leases wait while the block decides; gives the file system's own time.

    Who collects on a full disk is announced by an empty file. Raises OSError.
    """
    with _noted(place / COLLECTING, encode_holder(this_process()), empty=True) as path:
        yield path.stat().st_mtime


def read_leases(place: Path, *, remove: bool = True) -> frozenset[StoreKey]:
    """Return every key that a living process holds; leases of dead ones are removed.

    With ``remove=False`` nothing is. Raises OSError where a lease cannot be read.
    """
    keys: set[StoreKey] = set()
    for name in _names(place / LEASES):
        if is_abandoned(os.fspath(place / LEASES), name):
            with suppress(OSError):
                if remove:
                    remove_file(place / LEASES / name)
        elif not name.endswith(".tmp"):
            with suppress(FileNotFoundError, ValueError):
                keys.update(json.loads((place / LEASES / name).read_bytes())["keys"])
    return frozenset(keys)


@contextmanager
def _noted(directory: Path, data: bytes, *, empty: bool = False) -> Iterator[Path]:
    """Write a note for as long as the block runs; ``empty``: without content where none fits."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{machine_token()}-{os.getpid()}-{os.urandom(6).hex()}"
    try:
        write_atomically(path, data)
    except OSError as error:
        if not empty or error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        path.touch(exist_ok=False)
    try:
        yield path
    finally:
        with suppress(OSError):
            remove_file(path)


def _await_decisions(directory: Path, now: float, report: Reporter) -> None:
    """Wait until no collection is deciding; ``now`` is the file system's time.

    A collection that takes longer than DECIDED_AFTER reads the leases once more.
    """
    told = False
    began = time.monotonic()
    while True:
        oldest = now + time.monotonic() - began - DECIDED_AFTER
        deciding = [name for name in _names(directory) if _is_deciding(directory, name, oldest)]
        if not deciding:
            return
        if not told:
            report(Noted(f"waiting for {_holder(directory / deciding[0])}"))
            told = True
        time.sleep(_POLL)


def _is_deciding(directory: Path, name: str, oldest: float) -> bool:
    """Whether an announcement is of a living process; one of a dead process is removed."""
    if is_abandoned(os.fspath(directory), name):
        with suppress(OSError):
            remove_file(directory / name)
        return False
    try:
        return not name.endswith(".tmp") and (directory / name).stat().st_mtime > oldest
    except FileNotFoundError:
        return False


def _holder(path: Path) -> str:
    try:
        holder = decode_holder(path.read_bytes())
    except OSError:
        holder = None
    return f"{holder or 'another envmgr'}, which is collecting the store"


def _names(directory: Path) -> list[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []
