"""A copy of a BLAS that gives way to a library with other spellings, or with fewer functions."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import Struct

from envmgr.runtime.forwarding.match import match_symbols
from envmgr.runtime.forwarding.spelling import Spelling
from envmgr.runtime.forwarding.types import Call, Machine
from envmgr.runtime.planning.servers import Server
from envmgr.runtime.planning.survey import Copy, FileOf, Survey
from envmgr.runtime.planning.types import Kept, Written
from envmgr.runtime.types import ForkCall
from envmgr.wheel.manifest import ElfFacts
from envmgr.wheel.symbols import Symbols

SymbolsOf: TypeAlias = Callable[[FileOf], Symbols]
"""Reads the dynamic symbols of a library in an entry."""

_MACHINES: Mapping[str, Machine] = {"x86_64": "x86_64", "aarch64": "aarch64"}
_SHOWN = 3


class Wishes(Struct, frozen=True, kw_only=True):
    """What an implementation needs, wherever it serves."""

    names: Mapping[str, FileOf]
    """Libraries of other families, by the canonical SONAMEs that it asks for."""
    parts: tuple[FileOf, ...]
    """Libraries of its own wheel that are loaded after the one that serves."""
    fork: tuple[ForkCall, ...]
    """Of which the first counts whose function is there."""


class Forwarder:
    """Says what has to be written so that a library can stand in for a copy."""

    def __init__(self, survey: Survey, symbols_of: SymbolsOf) -> None:
        self._survey = survey
        self._symbols_of = symbols_of
        self._exports: dict[FileOf, frozenset[str]] = {}

    def write(self, copy: Copy, server: Server, wishes: Wishes) -> Written | Kept:
        """Return the library to write, or the copy with the reason why none can be."""
        machine = machine_of(copy.facts)
        spelling = _spelling_for(copy, server)
        if machine is None:
            reason = (
                f"no library can be written for {copy.facts.machine} with {copy.facts.bits} bits"
            )
            return Kept(copy.file, reason)
        if spelling is None or copy.library.spelling is None:
            return Kept(copy.file, f"{server.file} has no integers of that width")
        matched = match_symbols(
            self._exported_by(copy.file),
            self._imported_from(copy),
            self._exported_by(server.file).union(*map(self._exported_by, wishes.parts)),
            copy.library.spelling,
            spelling,
        )
        if matched.missing:
            lacking = ", ".join(matched.missing[:_SHOWN])
            more = len(matched.missing) - _SHOWN
            rest = f" and {more} more" if more > 0 else ""
            return Kept(copy.file, f"{server.file} lacks {lacking}{rest}")
        calls = self._fork_calls(server, wishes)
        return Written(
            machine=machine,
            soname=copy.facts.soname or copy.file.filename,
            needed=server.file,
            needed_as=self._soname(server.file),
            names=tuple(wishes.names),
            parts=tuple(map(self._soname, wishes.parts)),
            forwards=matched.forwards,
            before_fork=calls["before"],
            in_child=calls["child"],
        )

    def _fork_calls(self, server: Server, wishes: Wishes) -> dict[str, tuple[Call, ...]]:
        loaded = (server.file, *wishes.parts, *wishes.names.values())
        there = frozenset[str]().union(*map(self._exported_by, loaded))
        usable = [each for each in wishes.fork if each.call in there][:1]
        return {
            place: tuple(Call(each.call, each.arguments) for each in usable if each.place == place)
            for place in ("before", "child")
        }

    def _soname(self, file: FileOf) -> str:
        return self._survey.facts(file).soname or file.filename

    def _exported_by(self, file: FileOf) -> frozenset[str]:
        if file not in self._exports:
            exports = self._symbols_of(file).exports
            self._exports[file] = frozenset(each.name for each in exports)
        return self._exports[file]

    def _imported_from(self, copy: Copy) -> frozenset[str]:
        """Return everything that those import who ask for a copy, of it or of others."""
        return frozenset(
            wanted.name
            for file in self._survey.consumers(copy)
            for wanted in self._symbols_of(file).imports
        )


def machine_of(facts: ElfFacts) -> Machine | None:
    """Return the machine of a library, if libraries can be written for it."""
    return _MACHINES.get(facts.machine) if facts.bits == 64 else None


def _spelling_for(copy: Copy, server: Server) -> Spelling | None:
    """Return how the server spells functions with integers as wide as the copy's."""
    if copy.library.spelling is None:
        return None
    width = copy.library.spelling.integers
    return next((each for each in server.spellings if each.integers == width), None)
