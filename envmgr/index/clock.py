"""Time and chance as values, so that tests need neither to wait nor to be lucky."""

import random
import time
from collections.abc import Callable

from msgspec import Struct


class Clock(Struct, frozen=True):
    """What waiting needs of the world."""

    now: Callable[[], float] = time.time
    """Seconds of the epoch."""
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    """A number in [0, 1): spreads clients that failed together."""


SYSTEM_CLOCK = Clock()
