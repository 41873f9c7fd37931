"""The bytes of a file that a person wrote: bounded, and never waited for."""

import os
import re
import stat
from pathlib import Path

from envmgr.spec.problems import FileUnreadable

LIMIT = 4 << 20
"""Bytes; every text that is not too long fits, whatever its characters."""

_HANDED_OVER = re.compile(r"/dev/stdin|/dev/fd/[0-9]+|/proc/self/fd/[0-9]+", re.ASCII)
"""How a shell and a person name a pipe that this process was started with."""


def is_handed_over(path: Path) -> bool:
    """Whether a path names what this process was started with, and so has no place of its own."""
    return _HANDED_OVER.fullmatch(str(path)) is not None


def read_source(path: Path) -> bytes:
    """Read a regular file, or a pipe that was handed to this process.

    A named pipe is refused unread: nobody may ever write to it. Raises OSError,
    and FileUnreadable for what is no file and for one of more than LIMIT bytes.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        mode = os.fstat(file.fileno()).st_mode
        if not (stat.S_ISREG(mode) or (stat.S_ISFIFO(mode) and is_handed_over(path))):
            raise FileUnreadable(path, "it is not a regular file")
        os.set_blocking(file.fileno(), True)
        data = file.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise FileUnreadable(path, f"it is longer than {LIMIT:,} bytes")
    return data


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
