"""Lists in sentences."""

from collections.abc import Sequence

KEPT = 10
"""How many of the files that programs wrote are told of: a data set may be thousands."""


def few(names: Sequence[str], shown: int = 3) -> str:
    """Name the first, and say how many more there are."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")
