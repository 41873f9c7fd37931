"""What follows from the symbols of libraries, kept so that the next environment reads none.

Everything here is a pure function of the contents of files, and kept by these: what is
known for one environment holds for every other. A memory that forgets costs time alone.
"""

import hashlib
from collections.abc import Set
from typing import Protocol

import msgspec

from envmgr.names import PackageName
from envmgr.runtime.forwarding.types import ForwardingLibrary
from envmgr.runtime.forwarding.writer import render_forwarding_library
from envmgr.runtime.planning.forwarder import Forwarder, Wishes
from envmgr.runtime.planning.servers import Server
from envmgr.runtime.planning.survey import Copy, Survey
from envmgr.runtime.planning.types import Kept, Written


class Memory(Protocol):
    """Keeps bytes by a key of hexadecimal digits."""

    def find(self, key: str) -> bytes | None:
        """Return what was kept by ``key``; ``None`` may always be the answer."""

    def keep(self, key: str, data: bytes) -> None:
        """Keep ``data`` by ``key``, as long as there is room."""


class Forgetful:
    """A memory that keeps nothing."""

    def find(self, key: str) -> bytes | None:
        """Return ``None``."""
        return None

    def keep(self, key: str, data: bytes) -> None:
        """Do nothing."""


FORGETFUL = Forgetful()


class _Answer(msgspec.Struct, array_like=True, frozen=True):
    """One of the two."""

    written: Written | None = None
    kept: Kept | None = None


class RememberingForwarder:
    """A forwarder that is asked only what it was not asked before."""

    def __init__(self, forwarder: Forwarder, survey: Survey, memory: Memory) -> None:
        self._forwarder = forwarder
        self._survey = survey
        self._memory = memory

    def write(self, copy: Copy, server: Server, wishes: Wishes) -> Written | Kept:
        """Return the library to write, or the copy with the reason why none can be."""
        key = self._key(copy, server, wishes)
        known = _decoded(self._memory.find(key))
        if known is not None:
            return known
        answer = self._forwarder.write(copy, server, wishes)
        kept = _Answer(kept=answer) if isinstance(answer, Kept) else _Answer(written=answer)
        self._memory.keep(key, msgspec.msgpack.encode(kept))
        return answer

    def _key(self, copy: Copy, server: Server, wishes: Wishes) -> str:
        """Return a digest of everything that an answer depends on.

        Of all libraries of the packages that have a say: which of them are asked follows
        from the recipes, which are part of it too.
        """
        survey = self._survey
        libraries = [
            (str(file), survey.facts(file).soname, survey.sha256(file))
            for package in sorted(self._heard(server, wishes))
            for file in survey.libraries_of(package)
        ]
        asked = (repr(copy), repr(server), repr(wishes), libraries)
        return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()

    def _heard(self, server: Server, wishes: Wishes) -> Set[PackageName]:
        """Return the packages whose symbols may matter: whoever has or uses such a library."""
        copies = [each for each in self._survey.copies if each.library.spelling is not None]
        files = [server.file, *wishes.names.values(), *(each.file for each in copies)]
        files += [user for each in copies for user in self._survey.consumers(each)]
        return {file.package for file in files}


def _decoded(data: bytes | None) -> Written | Kept | None:
    if data is None:
        return None
    try:
        answer = msgspec.msgpack.decode(data, type=_Answer)
    except msgspec.DecodeError:
        return None
    return answer.written or answer.kept


def render_remembered(library: ForwardingLibrary, memory: Memory) -> bytes:
    """Return the bytes of a forwarding library. Raises what rendering it raises."""
    key = hashlib.sha256(msgspec.msgpack.encode(library)).hexdigest()
    known = memory.find(key)
    if known is None:
        known = render_forwarding_library(library)
        memory.keep(key, known)
    return known
