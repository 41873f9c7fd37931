"""Time and chance as values, so that tests need neither to wait nor to be lucky."""

import time
from collections.abc import Callable

from msgspec import Struct


def _random() -> float:
    from random import random  # only what failed is tried again

    return random()  # noqa: S311 - nobody is to be kept from guessing it


class Clock(Struct, frozen=True):
    """What waiting needs of the world."""

    now: Callable[[], float] = time.time
    """Seconds of the epoch."""
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = _random
    """A number in [0, 1): spreads clients that failed together."""


SYSTEM_CLOCK = Clock()
