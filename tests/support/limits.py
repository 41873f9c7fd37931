"""Limits of the machine, as a test meets them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

TOO_LARGE = 1 << 46
"""Bytes of a stack that no system gives, so that a thread with it cannot be begun."""


@contextmanager
def without_threads() -> Iterator[None]:
    """Have no more threads to begin, as where ``ulimit -u`` is reached."""
    before = threading.stack_size(TOO_LARGE)
    try:
        yield
    finally:
        threading.stack_size(before)
