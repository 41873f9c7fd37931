"""The time that files made here are given."""

from collections.abc import Mapping

from envmgr.errors import UsageError
from envmgr.wheel.writing import EARLIEST

VARIABLE = "SOURCE_DATE_EPOCH"


def source_date(environ: Mapping[str, str]) -> int:
    """Return ``SOURCE_DATE_EPOCH`` in seconds, and 1980 where it is not set. Raises UsageError."""
    text = environ.get(VARIABLE, "")
    if not text:
        return EARLIEST
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise UsageError(f"{VARIABLE} is no number of seconds: {text!r}", f"unset {VARIABLE}")
    return int(text)
