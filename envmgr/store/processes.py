"""What processes of this machine have: entries of a store open, and processors to run on."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from envmgr.names import StoreKey

PROCESSES = Path("/proc")
_LINKS = ("cwd", "exe", "root")


def processors() -> int:
    """Return how many processors this process may use: a job's, where a scheduler binds it."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def keys_in_use(entries: str) -> frozenset[StoreKey]:
    """Return the entries below ``entries`` (a real path) that a process we may look into has open.

    None is known where there is no ``/proc``, as on macOS.
    Seen are mapped files (shared libraries), the working directory, the program
    and open files. Root looks into all processes, others into their own; processes
    of other containers are not seen.
    """
    beginning = f"{entries}/"
    found = set()
    try:
        numbers = [name for name in os.listdir(PROCESSES) if name.isdecimal()]
    except OSError:
        return frozenset()
    for number in numbers:
        for path in _open_paths(PROCESSES / number, beginning):
            found.add(StoreKey(path.removeprefix(beginning).partition("/")[0]))
    return frozenset(found)


def _open_paths(process: Path, beginning: str) -> Iterator[str]:
    with suppress(OSError):
        maps = (process / "maps").read_bytes()
        if os.fsencode(beginning) in maps:
            for line in os.fsdecode(maps).splitlines():
                _, found, rest = line.partition(beginning)
                if found:
                    yield beginning + rest
    with suppress(OSError):
        links = [*(process / name for name in _LINKS), *(process / "fd").iterdir()]
        for link in links:
            with suppress(OSError):
                target = os.fspath(link.readlink())
                if target.startswith(beginning):
                    yield target
