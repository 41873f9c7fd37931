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


@dataclass(frozen=True, slots=True)
class Rules:
    """What is the same for every library of a process."""

    system: tuple[str, ...]
    """Directories of the system, in the order of the loader."""
    before: tuple[str, ...] = ()
    """``LD_LIBRARY_PATH``."""
    main: tuple[str, ...] = ()
    """``DT_RPATH`` of the interpreter, as directories."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    path: str
    facts: ElfFacts
    inherited: tuple[str, ...]
    """Directories by ``DT_RPATH`` of whoever had it loaded, nearest first."""

    @property
    def own(self) -> tuple[str, ...]:
        """Directories by its own ``DT_RPATH``, which counts only without ``DT_RUNPATH``."""
        return () if self.facts.runpath else places(self.facts.rpath, self.path)

    def search(self, rules: Rules) -> tuple[str, ...]:
        if self.facts.runpath:
            return (*rules.before, *places(self.facts.runpath, self.path), *rules.system)
        return (*self.own, *self.inherited, *rules.main, *rules.before, *rules.system)


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


@dataclass(slots=True)
class Loader:
    """Follows what libraries need, each path once for each way to it."""

    lookup: Lookup
    rules: Rules
    requests: dict[tuple[str, str], Request] = field(default_factory=dict)
    """By who asks and the name; where several ways to a library differ, the first one found."""
    _system: dict[tuple[str, int, str], str | None] = field(default_factory=dict)

    def follow(self, roots: Iterable[str]) -> None:
        """Add what the libraries at these paths need, and what that needs."""
        waiting = []
        for root in roots:
            found = self.lookup(root)
            if found is not None and found.facts is not None:
                waiting.append(_Loaded(root, found.facts, ()))
        seen: set[tuple[str, tuple[str, ...]]] = set()
        while waiting:
            loaded = waiting.pop()
            if (loaded.path, loaded.inherited) in seen:
                continue
            seen.add((loaded.path, loaded.inherited))
            waiting += self._needs_of(loaded)

    def _needs_of(self, loaded: _Loaded) -> list[_Loaded]:
        following = []
        for name in loaded.facts.needed:
            path, facts = self._find(name, loaded)
            known = self.requests.get((loaded.path, name))
            if known is None or known.path is None:
                self.requests[loaded.path, name] = Request(loaded.path, name, path)
            if path is not None and facts is not None:
                following.append(_Loaded(path, facts, (*loaded.own, *loaded.inherited)))
        return following

    def _find(self, name: str, loaded: _Loaded) -> tuple[str | None, ElfFacts | None]:
        if "/" in name:
            facts = self._fits(name, loaded.facts) if name.startswith("/") else None
            return (name, facts) if facts else (None, None)
        searched = loaded.search(self.rules)
        for directory in searched[: len(searched) - len(self.rules.system)]:
            path = f"{directory}/{name}"
            facts = self._fits(path, loaded.facts)
            if facts:
                return path, facts
        path_or_none = self._of_the_system(name, loaded.facts)
        return path_or_none, self._fits(path_or_none, loaded.facts) if path_or_none else None

    def _of_the_system(self, name: str, asking: ElfFacts) -> str | None:
        key = (asking.machine, asking.bits, name)
        if key not in self._system:
            paths = (f"{directory}/{name}" for directory in self.rules.system)
            self._system[key] = next((path for path in paths if self._fits(path, asking)), None)
        return self._system[key]

    def _fits(self, path: str, asking: ElfFacts) -> ElfFacts | None:
        """Return the facts of a library of the same kind; the loader passes over all others."""
        found = self.lookup(path)
        facts = found.facts if found else None
        if facts is None or (facts.machine, facts.bits) != (asking.machine, asking.bits):
            return None
        return facts


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
