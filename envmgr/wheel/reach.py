"""Which directories of an entry hold libraries that look for others outside it.

The loader takes ``$ORIGIN`` from the path a library was found by, but the
kernel resolves ``..`` physically; so in a view these directories, and those
above them, must be real directories and their libraries links in them.
"""

from collections.abc import Iterable
from typing import TypeAlias

from envmgr.wheel.manifest import ElfFacts

Segments: TypeAlias = tuple[str, ...]

OUTSIDE: Segments = ()
"""A place that is in no entry."""

PLATFORM_LIBRARIES = frozenset(
    """
    libc libm libdl librt libpthread libutil libnsl libresolv libanl libcrypt libgcc_s libstdc++
    libX11 libXext libXrender libICE libSM libGL libgobject-2.0 libgthread-2.0 libglib-2.0 libz
    libexpat libatomic libmvec linux-vdso
    """.split()
)
"""What every Linux has for wheels (PEP 513, 571, 599 and 600, and musl's one library)."""

_PLAIN, _BRACED = "$ORIGIN", "${ORIGIN}"


def reaching_directories(elf: Iterable[ElfFacts], paths: Iterable[str]) -> tuple[str, ...]:
    """Return the directories, sorted, of libraries whose search path leaves their entry.

    ``paths`` are the entry's files. A search path leaves where it climbs out of the part
    it is in (``site-packages``, ``data``, ...), where it names a directory that this
    entry has not (another entry may provide it), where it cannot be told, and where it
    leads to a directory of this entry that lacks what is needed: several entries may
    fill one directory (``cmeel.prefix/lib``).
    """
    files = frozenset(paths)
    directories = _directories_of(files)
    reaching = set()
    for facts in elf:
        home = tuple(facts.path.split("/")[:-1])
        places = search_places(facts)
        if any(place not in directories for place in places) or (
            any(place != home for place in places) and _lacks(facts.needed, places, files)
        ):
            reaching.add("/".join(home))
    return tuple(sorted(reaching))


def search_places(facts: ElfFacts) -> tuple[Segments, ...]:
    """Return the directories of an entry where a library looks for others, in order (ld.so(8)).

    ``OUTSIDE`` for a place out of the entry's part.
    """
    home = tuple(facts.path.split("/")[:-1])
    search_path = facts.runpath or facts.rpath  # RPATH counts only where there is no RUNPATH
    return tuple(place for each in search_path for place in _places(home, each))


def _lacks(needed: Iterable[str], places: Iterable[Segments], files: frozenset[str]) -> bool:
    """Whether a library needs what neither the platform has nor these directories of its entry."""
    there = ["/".join(place) for place in places]
    return any(
        not is_of_the_platform(name) and not any(f"{place}/{name}" in files for place in there)
        for name in needed
    )


def is_of_the_platform(name: str) -> bool:
    """Tell whether every Linux has a library of this SONAME, so that wheels need not bring it."""
    return name.partition(".so")[0] in PLATFORM_LIBRARIES or name.startswith(("ld-", "libpython"))


def _directories_of(paths: Iterable[str]) -> frozenset[Segments]:
    found: set[Segments] = set()
    for path in paths:
        above = tuple(path.split("/")[:-1])
        while above and above not in found:
            found.add(above)
            above = above[:-1]
    return frozenset(found)


def _places(home: Segments, element: str) -> tuple[Segments, ...]:
    """Return where an element of a search path leads; ``OUTSIDE`` for out of the entry's part."""
    rest = relative_to_origin(element)
    if rest is None:
        return ()
    return (_resolve(home, rest) or OUTSIDE,)


def relative_to_origin(element: str) -> str | None:
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
