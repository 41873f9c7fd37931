"""Spans of time as a person writes them: ``30d``, ``12h``, ``0``."""

import re

from envmgr.errors import UsageError

_AGE = re.compile(r"(\d{1,6})\s*([smhdw]?)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def parse_age(text: str) -> float:
    """Return seconds. Raises UsageError, for a number without a unit too, but for 0."""
    found = _AGE.fullmatch(text.strip())
    if found is None or not (found[2] or int(found[1]) == 0):
        raise UsageError(f"{text!r} is no span of time", "write 30d, 12h, 90m or 0")
    return float(int(found[1]) * _SECONDS.get(found[2], 1))
