"""The two streams. What a person asked for goes to stdout, everything else to stderr."""

import os
import sys
from collections.abc import Mapping
from typing import TextIO

from envmgr.errors import UsageError

RED = "31"
YELLOW = "33"
GREEN = "32"
CYAN = "36"
DIM = "2"
BOLD_RED = "1;31"
BOLD = "1"


def write_out(text: str) -> None:
    """Write a result to stdout and flush it.

    Where the reader has closed its end, the rest goes nowhere and nobody
    complains: what was done stands. Raises UsageError where the stream cannot
    take it for another reason (a full disk).
    """
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        _redirect_to_nothing(sys.stdout)
    except OSError as error:
        _redirect_to_nothing(sys.stdout)
        raise UsageError(f"the output cannot be written: {error.strerror}") from error


def write_err(text: str) -> None:
    """Write to stderr; losing it is no reason to fail."""
    try:
        _write(sys.stderr, text)
    except OSError:
        _redirect_to_nothing(sys.stderr)


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return
    try:
        stream.write(text)
    except UnicodeEncodeError:
        stream.flush()
        stream.buffer.write(text.encode("utf-8", "surrogateescape"))
    stream.flush()


def _redirect_to_nothing(stream: TextIO) -> None:
    """Let the interpreter flush at its end without a second complaint."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, descriptor)
    os.close(nothing)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at the stream."""
    return stream is not None and not stream.closed and stream.isatty()


def is_coloured(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether to use colours: ``NO_COLOR`` and ``FORCE_COLOR`` win over what the stream is."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return environ.get("TERM") != "dumb" and is_terminal(stream)


def paint(text: str, colour: str, *, coloured: bool) -> str:
    """``text`` in an ANSI colour, or as it is."""
    return f"\x1b[{colour}m{text}\x1b[0m" if coloured else text
