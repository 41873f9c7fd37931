"""The process that asks indexes for pages, begun before it is known what they are asked (ADR 10).

It takes a tenth of a second until it can ask, and so do reading an environment file and
probing an interpreter.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from envmgr.index.cache import last_kept
from envmgr.index.clock import SYSTEM_CLOCK
from envmgr.index.freshness import UNSAID
from envmgr.index.workers import ASKING_AT_ONCE
from envmgr.spec.settings import Settings

if TYPE_CHECKING:
    from envmgr.helper import Helper

WORTH_IT = 8
"""Requirements from which on it saves more than it costs (*measured*)."""
_ITEM = re.compile(rb"^ *- ", re.MULTILINE)
_THERE = ("envmgr.index.client", "envmgr.index.afar")


@contextmanager
def asking_ahead(settings: Settings, wanted: int, *, refresh: bool) -> "Iterator[Helper | None]":
    """Begin one where that many ``wanted`` pages, and more, will come over the network.

    It ends with the context. ``None`` where it is not worth it, or no process is to be had.
    """
    if wanted < WORTH_IT or not _will_ask(settings, refresh=refresh):
        yield None
        return
    from envmgr.helper import Helper

    try:
        helper = Helper(ASKING_AT_ONCE)
    except OSError:
        yield None
        return
    with helper:
        for module in _THERE:
            helper.submit(import_module, module)
        yield helper


def listed(file: Path) -> int:
    """Return how many items an environment file lists, at a glance; 0 for what is not a file."""
    try:
        return len(_ITEM.findall(file.read_bytes())) if file.is_file() else 0
    except OSError:  # whoever reads it tells
        return 0


def _will_ask(settings: Settings, *, refresh: bool) -> bool:
    """Whether pages are needed; what came lately is fresh, and not asked for."""
    if settings.offline:
        return False
    return refresh or last_kept(settings.cache) + UNSAID < SYSTEM_CLOCK.now()
