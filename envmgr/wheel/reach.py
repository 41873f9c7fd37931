"""Which directories of an entry hold libraries that look for others outside it.

The loader takes ``$ORIGIN`` from the path a library was found by, but the
kernel resolves ``..`` physically; so in a view these directories, and those
above them, must be real directories and their libraries links in them.
"""

from collections.abc import Iterable
from typing import TypeAlias

from envmgr.wheel.manifest import ElfFacts

Segments: TypeAlias = tuple[str, ...]

_PLAIN, _BRACED = "$ORIGIN", "${ORIGIN}"


def reaching_directories(elf: Iterable[ElfFacts], paths: Iterable[str]) -> tuple[str, ...]:
    """Return the directories, sorted, of libraries whose search path leaves their entry.

    ``paths`` are the entry's files. A search path leaves where it climbs out of the part
    it is in (``site-packages``, ``data``, ...), where it names a directory that this
    entry has not (another entry may provide it), and where it cannot be told.
    """
    directories = _directories_of(paths)
    reaching = set()
    for facts in elf:
        home = tuple(facts.path.split("/")[:-1])
        search_path = facts.runpath or facts.rpath  # ld.so(8): RPATH only where no RUNPATH
        if any(_leaves(home, element, directories) for element in search_path):
            reaching.add("/".join(home))
    return tuple(sorted(reaching))


def _directories_of(paths: Iterable[str]) -> frozenset[Segments]:
    found: set[Segments] = set()
    for path in paths:
        above = tuple(path.split("/")[:-1])
        while above and above not in found:
            found.add(above)
            above = above[:-1]
    return frozenset(found)


def _leaves(home: Segments, element: str, directories: frozenset[Segments]) -> bool:
    rest = _relative_to_origin(element)
    if rest is None:
        return False
    place = _resolve(home, rest)
    return place is None or place not in directories


def _relative_to_origin(element: str) -> str | None:
    """Return what follows ``$ORIGIN``; ``None`` for what does not begin with it.

    Absolute paths mean the host, and relative ones the working directory.
    """
    for token in (_PLAIN, _BRACED):
        if element == token:
            return ""
        if element.startswith(f"{token}/"):
            return element[len(token) + 1 :]
    return element.removeprefix(_BRACED) if element.startswith(_BRACED) else None


def _resolve(home: Segments, rest: str) -> Segments | None:
    """Follow ``rest`` from ``home`` lexically; ``None`` once it is above the part of ``home``."""
    place = list(home)
    for segment in rest.split("/"):
        if segment == "..":
            place.pop()
            if not place:
                return None
        elif segment not in {"", "."}:
            place.append(segment)
    return tuple(place)
