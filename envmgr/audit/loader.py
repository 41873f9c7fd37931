"""Which file the dynamic loader takes for a name (ld.so(8), glibc's rules).

Pure: what a path leads to is asked of a function. Paths are taken as the loader writes
them, ``..`` and all, since the kernel follows links before it goes up.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from envmgr.audit.types import Found, Request
from envmgr.wheel.manifest import ElfFacts

Lookup: TypeAlias = Callable[[str], Found | None]
"""What a path leads to, or ``None``; relative segments are the file system's to resolve."""
RealDirectory: TypeAlias = Callable[[str], str | None]
"""A directory with every link followed; ``None`` where there is none."""

WAYS = 16
"""Chains of ``DT_RPATH`` with which one library is looked at, at most: none in reality has more."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is the same for every library of a process."""

    system: tuple[str, ...]
    """Directories of the system, in the order of the loader."""
    before: tuple[str, ...] = ()
    """``LD_LIBRARY_PATH``."""
    main: tuple[str, ...] = ()
    """``DT_RPATH`` of the interpreter, as directories."""
    opened: Mapping[str, str] = field(default_factory=dict)
    """What is loaded before anything asks for it, by name: its path."""
    brought: Mapping[str, str] = field(default_factory=dict)
    """What programs may open by path, by SONAME: whoever else finds none of that name gets it."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    path: str
    facts: ElfFacts
    inherited: tuple[str, ...]
    """Directories by ``DT_RPATH`` of whoever had it loaded, nearest first."""


def places(elements: Iterable[str], path: str) -> tuple[str, ...]:
    """Return the directories that a search path of the library at ``path`` names.

    Relative ones mean the working directory, and other tokens a machine: both are left out.
    """
    origin = path.rpartition("/")[0]
    found = []
    for element in elements:
        base, rest = _split_origin(element, origin)
        if (base or rest.startswith("/")) and "$" not in rest:
            found.append((base + rest).rstrip("/") or "/")
    return tuple(found)


def _split_origin(element: str, origin: str) -> tuple[str, str]:
    if element.startswith("${ORIGIN}"):
        return origin, element.removeprefix("${ORIGIN}")
    if element == "$ORIGIN" or element.startswith("$ORIGIN/"):
        return origin, element.removeprefix("$ORIGIN")
    return "", element


class Loader:
    """Follows what libraries need: each one once for each place it is in and way to it."""

    def __init__(self, lookup: Lookup, real_directory: RealDirectory, rules: Rules) -> None:
        """Begin with nothing loaded."""
        self._lookup = lookup
        self._real_directory = real_directory
        self._rules = rules
        self._spellings: dict[str, str] = {}
        self._system: dict[tuple[str, int, str], str | None] = {}
        self._ways: dict[str, set[tuple[str, ...]]] = {}
        self._requests: dict[tuple[str, str], Request] = {}

    @property
    def requests(self) -> Mapping[tuple[str, str], Request]:
        """By who asks and the name; where several ways to a library differ, the first that led on.

        Paths to one place are spelt as the first of them was.
        """
        return self._requests

    def follow(self, roots: Iterable[str]) -> None:
        """Add what the libraries at these paths need, and what that needs."""
        waiting = []
        for root in roots:
            found = self._lookup(root)
            if found is not None and found.facts is not None:
                waiting.append(_Loaded(self._spelt(root), found.facts, ()))
        while waiting:
            loaded = waiting.pop()
            ways = self._ways.setdefault(loaded.path, set())
            if loaded.inherited not in ways and len(ways) < WAYS:
                ways.add(loaded.inherited)
                waiting += self._needs_of(loaded)

    def _spelt(self, path: str) -> str:
        """Return the first spelling of a path to this place; ``..`` may lead around in circles."""
        directory, _, name = path.rpartition("/")
        place = f"{self._real_directory(directory) or directory}/{name}"
        return self._spellings.setdefault(place, path)

    def _needs_of(self, loaded: _Loaded) -> list[_Loaded]:
        facts = loaded.facts
        own = () if facts.runpath else self._existing(places(facts.rpath, loaded.path))
        inherited = tuple(dict.fromkeys((*own, *loaded.inherited)))
        if facts.runpath:
            runpath = places(facts.runpath, loaded.path)
            searched = (*self._rules.before, *self._existing(runpath))
        else:
            searched = (*inherited, *self._rules.main, *self._rules.before)
        following = []
        for name in facts.needed:
            path = self._find(name, searched, facts)
            known = self._requests.get((loaded.path, name))
            if known is None or known.path is None:
                self._requests[loaded.path, name] = Request(loaded.path, name, path)
            found = self._lookup(path) if path is not None else None
            if path is not None and found is not None and found.facts is not None:
                following.append(_Loaded(path, found.facts, inherited))
        return following

    def _existing(self, directories: Iterable[str]) -> tuple[str, ...]:
        """Leave out what is not there, and spell each directory as the first path to it."""
        found = []
        for directory in directories:
            real = self._real_directory(directory)
            if real is not None:
                found.append(self._spellings.setdefault(f"{real}/", directory))
        return tuple(dict.fromkeys(found))

    def _find(self, name: str, searched: Iterable[str], asking: ElfFacts) -> str | None:
        if "/" in name:
            return self._spelt(name) if name[0] == "/" and self._fits(name, asking) else None
        if name in self._rules.opened:
            return self._spelt(self._rules.opened[name])
        for directory in searched:
            path = f"{directory}/{name}"
            if self._fits(path, asking):
                return self._spelt(path)
        found = self._of_the_system(name, asking)
        brought = self._rules.brought.get(name)
        return self._spelt(brought) if found is None and brought is not None else found

    def _of_the_system(self, name: str, asking: ElfFacts) -> str | None:
        key = (asking.machine, asking.bits, name)
        if key not in self._system:
            paths = (f"{directory}/{name}" for directory in self._rules.system)
            self._system[key] = next((path for path in paths if self._fits(path, asking)), None)
        return self._system[key]

    def _fits(self, path: str, asking: ElfFacts) -> bool:
        """Whether it is a library of the same kind; the loader passes over all others."""
        found = self._lookup(path)
        facts = found.facts if found else None
        return facts is not None and (facts.machine, facts.bits) == (asking.machine, asking.bits)


def reached(
    requests: Iterable[Request], roots: Iterable[str], wanted: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """Map each root to what of ``wanted`` (path -> what it is) loading it brings along."""
    below: dict[str, list[str]] = {}
    for request in requests:
        if request.path is not None:
            below.setdefault(request.by, []).append(request.path)
    result = {}
    for root in roots:
        seen = {root}
        waiting = [root]
        while waiting:
            for path in below.get(waiting.pop(), ()):
                if path not in seen:
                    seen.add(path)
                    waiting.append(path)
        result[root] = frozenset(wanted[path] for path in seen if path in wanted)
    return result
