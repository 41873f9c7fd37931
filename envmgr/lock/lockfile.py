"""Locks on disk."""

import hashlib
from pathlib import Path

import msgspec

from envmgr import __version__
from envmgr.files import write_atomically
from envmgr.lock.errors import LockMissing, LockNotWritable, LockUnreadable
from envmgr.lock.foreign import ForeignLock
from envmgr.lock.pylock import parse_lock
from envmgr.lock.types import Lock

_REMEMBERED = "locks-2"
"""Of the cache: one file a lock, with the hash of the text it was read from."""


def read_lock(path: Path, cache: Path | None = None) -> Lock | ForeignLock:
    """Read a lock; one that another tool made has to be adopted for a target.

    With a ``cache`` directory a lock that was read before is decoded from there,
    if its bytes are the same: reading TOML takes longer than making a view.
    Raises LockMissing, LockUnreadable.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise LockMissing(path) from None
    except OSError as error:
        raise LockUnreadable(path, "", (error.strerror or "it cannot be read").lower()) from error
    remembered = None if cache is None else _remembered_at(cache, path)
    stamp = f"{__version__} {hashlib.sha256(data).hexdigest()}"
    known = None if remembered is None else _recall(remembered, stamp)
    if known is not None:
        return known
    lock = parse_lock(data, path)
    if isinstance(lock, Lock) and remembered is not None:
        _remember(remembered, stamp, lock)
    return lock


def write_lock(path: Path, text: str) -> bool:
    """Put a rendered lock at ``path``; ``False`` where it stood there already.

    Raises LockNotWritable.
    """
    data = text.encode()
    try:
        if path.read_bytes() == data:
            return False
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _not_writable(path, error) from error
    try:
        write_atomically(path, data)
    except OSError as error:
        raise _not_writable(path, error) from error
    return True


def _not_writable(path: Path, error: OSError) -> LockNotWritable:
    return LockNotWritable(path, (error.strerror or str(error)).lower())


def _remembered_at(cache: Path, path: Path) -> Path:
    name = hashlib.sha256(str(path.absolute()).encode("utf-8", "surrogatepass")).hexdigest()
    return cache / _REMEMBERED / f"{name[:32]}.msgpack"


def _recall(remembered: Path, stamp: str) -> Lock | None:
    """Return what was read from the same bytes by the same envmgr; any doubt means no."""
    try:
        written, lock = msgspec.msgpack.decode(remembered.read_bytes(), type=tuple[str, Lock])
    except (OSError, msgspec.DecodeError):
        return None
    return lock if written == stamp else None


def _remember(remembered: Path, stamp: str, lock: Lock) -> None:
    try:
        remembered.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(remembered, msgspec.msgpack.encode((stamp, lock)))
    except OSError:  # a cache that cannot be written is a slow one, no more
        return
