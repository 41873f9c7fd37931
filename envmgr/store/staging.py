"""Where entries are made before they are there: directories with their maker's name on them.

They stand among the entries, since a read-only directory can be renamed within
its own parent only. Whoever is killed leaves one behind; the next writer sweeps it.
"""

import hashlib
import os
import platform
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from envmgr.files import remove_tree

PREFIX = ".staging-"
ABANDONED_AFTER = 24 * 3600
"""Seconds after which a staging directory of an unknown machine counts as left behind."""


@cache
def machine_token() -> str:
    """Name this machine since its last start, as far as process numbers mean the same."""
    facts = [platform.node()]
    with suppress(OSError):
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii"))
        facts.append(os.fspath(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:8]


def make_staging(entries: str) -> str:
    """Make a staging directory among the entries and return its path. Raises OSError."""
    path = f"{entries}/{staging_name()}"
    Path(path).mkdir(0o700)
    return path


def staging_name() -> str:
    """Return a name among the entries that is ours, and that sweepers know as ours."""
    return f"{PREFIX}{machine_token()}-{os.getpid()}-{os.urandom(6).hex()}"


def sweep_staging(entries: str) -> int:
    """Remove what killed processes left: of this machine at once, of others after a day.

    Returns how many went; what this user may not remove stays. Raises OSError.
    """
    swept = 0
    for name in left_behind(entries):
        with suppress(OSError):
            remove_tree(f"{entries}/{name}")
            swept += 1
    return swept


def left_behind(entries: str) -> tuple[str, ...]:
    """Name the staging directories of killed processes: unfinished entries, half-removed ones.

    Raises OSError.
    """
    names = (name for name in os.listdir(entries) if name.startswith(PREFIX))
    return tuple(name for name in names if is_abandoned(entries, name))


def is_abandoned(directory: str, name: str) -> bool:
    """Tell whether who made ``directory/name`` is dead: its name says machine and process."""
    token, _, rest = name.removeprefix(PREFIX).partition("-")
    pid, _, _ = rest.partition("-")
    if token == machine_token() and pid.isdecimal():
        return not _is_alive(int(pid))
    try:
        return time.time() - os.lstat(f"{directory}/{name}").st_mtime > ABANDONED_AFTER
    except OSError:
        return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
