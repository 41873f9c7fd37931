"""Files written whole or not at all, and trees removed whatever their modes.

On strings and ``os`` throughout, since trees of ten thousands of files pass here.
"""
# ruff: noqa: PTH101, PTH105, PTH106, PTH108

import os
import stat
from contextlib import suppress
from pathlib import Path


def write_atomically(path: str | Path, data: bytes, mode: int = 0o644) -> None:
    """Put ``data`` at ``path`` by one rename: a reader sees the old file or the new one.

    ``mode`` is exact, whatever the umask. Raises OSError; nothing is left behind then.
    """
    temporary = f"{os.fspath(path)}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    try:
        write_new(temporary, data, mode)
        os.replace(temporary, path)
    except BaseException:
        remove_file(temporary)
        raise


def write_new(path: str | Path, data: bytes | memoryview, mode: int = 0o644) -> None:
    """Write a file that must not exist yet, with exactly ``mode``. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        write_all(descriptor, data)
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of ``data``, however many calls the kernel wants for it. Raises OSError."""
    written = os.write(descriptor, data)
    if written == len(data):
        return
    rest = memoryview(data)[written:]
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def replace_link(path: str | Path, target: str) -> None:
    """Make ``path`` a symbolic link to ``target`` by one rename, whatever link was there."""
    temporary = f"{os.fspath(path)}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    os.symlink(target, temporary)
    try:
        os.replace(temporary, path)
    except BaseException:
        remove_file(temporary)
        raise


def remove_file(path: str | Path) -> None:
    """Remove one file or link; an absent one is fine. Raises OSError otherwise."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def remove_tree(path: str | Path) -> None:
    """Remove a file, a link or a whole tree; an absent one is fine.

    Directories without write permission are made writable first; links are
    removed, never followed. Somebody else removing the same tree at the same
    time is no error. Raises OSError for what cannot be removed.
    """
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        _remove_directory(os.fspath(path), mode)
    else:
        remove_file(path)


def _remove_directory(path: str, mode: int) -> None:
    if mode & 0o700 != 0o700:
        with suppress(FileNotFoundError):
            os.chmod(path, 0o700)
    try:
        with os.scandir(path) as listing:
            entries = list(listing)
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            with suppress(FileNotFoundError):
                _remove_directory(entry.path, entry.stat(follow_symlinks=False).st_mode)
        else:
            remove_file(entry.path)
    with suppress(FileNotFoundError):
        os.rmdir(path)
