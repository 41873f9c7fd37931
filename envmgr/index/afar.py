"""Pages asked for by another process, so that both cores work on a cold resolve (ADR 10).

To fetch, judge and keep pages is half of what a resolve with empty caches
computes, and an interpreter's lock lets one thread compute at a time. The
other half, metadata and the resolver, stays here.
"""

from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from envmgr.events import silent
from envmgr.helper import Helper, HelperDied
from envmgr.index.access import Access
from envmgr.index.cache import IndexCache
from envmgr.index.choosing import Chooser
from envmgr.index.clock import SYSTEM_CLOCK
from envmgr.index.network import Network
from envmgr.index.remote import NobodyElse, RemoteIndex, Rules, cache_address
from envmgr.index.workers import Backlog
from envmgr.names import IndexName, PackageName
from envmgr.spec.types import IndexSpec
from envmgr.target.types import Target


class Asked(Struct, frozen=True, kw_only=True):
    """What the other process has to know. Fields as in open_catalog."""

    indexes: tuple[IndexSpec, ...]
    """Those over HTTP."""
    access: Access
    target: Target
    target_key: str
    exclude_newer: datetime | None
    cache: Path
    refresh: bool


class PagesAfar:
    """Asks indexes in another process, which keeps the answers. Thread-safe.

    Whoever uses it tells people what is wrong with netrc: the other process reads it too, silently.
    """

    def __init__(self, helper: Helper, asked: Asked) -> None:
        self._helper = helper
        self._closed = False
        self._opening: Future[None] = helper.submit(_open, asked)

    def ask(self, index: IndexName, name: PackageName) -> bytes | None:
        """Do what RemoteIndex.packed does, and raise as it does.

        Raises NobodyElse besides where the process has ended, and HelperDied if that was after
        ``close``, when nobody wants the page any more.
        """
        try:
            self._opening.result()
            return self._helper.submit(_ask, index, name).result()
        except HelperDied:
            if self._closed:
                raise
            raise NobodyElse from None

    def close(self) -> None:
        """Finish writing the cache, if anything was asked. Does not wait for the network."""
        self._closed = True
        if self._opening.done() and self._opening.exception() is None:
            with suppress(HelperDied):  # what it kept is whole, and the rest is not needed
                self._helper.submit(_close).result()


class _There(Struct, frozen=True):
    """What the other process works with."""

    answering: Mapping[IndexName, RemoteIndex]
    backlog: Backlog


_opened: _There | None = None
"""Set in the other process alone."""


def _open(asked: Asked) -> None:
    global _opened
    network = Network(asked.access, offline=False, clock=SYSTEM_CLOCK, report=silent)
    backlog = Backlog("index-cache")
    rules = Rules(
        refresh=asked.refresh, clock=SYSTEM_CLOCK, target_key=asked.target_key, later=backlog.submit
    )
    chooser = Chooser(asked.target, asked.exclude_newer)
    answering = {
        spec.name: RemoteIndex(
            spec, IndexCache(asked.cache, cache_address(spec)), network, chooser, rules
        )
        for spec in asked.indexes
    }
    _opened = _There(answering, backlog)


def _there() -> _There:
    assert _opened is not None  # noqa: S101 - PagesAfar calls _open before anything else
    return _opened


def _ask(index: IndexName, name: PackageName) -> bytes | None:
    return _there().answering[index].packed(name)


def _close() -> None:
    _there().backlog.close()
