"""Inflating members, by isal where it is installed."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

_deflate: Any
try:
    from isal import isal_zlib as _deflate
except ImportError:  # no build of isal for this processor
    _deflate = zlib

STORED = 0
DEFLATED = 8

_RAW = -15
_ERRORS: tuple[type[Exception], ...] = (zlib.error, _deflate.error)


class CorruptMember(ValueError):
    """Compressed data that is not what it is said to be; ``reason`` is one clause."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def inflate(data: bytes | memoryview, method: int, size: int) -> bytes:
    """Return the ``size`` bytes that ``data`` holds, never making more than ``size + 1``.

    Raises CorruptMember.
    """
    if method == STORED:
        if len(data) != size:
            raise CorruptMember(f"it holds {len(data)} bytes and announces {size}")
        return bytes(data)
    inflater = _deflate.decompressobj(_RAW)
    try:
        inflated: bytes = inflater.decompress(data, size + 1)
    except _ERRORS as error:
        raise CorruptMember(f"it cannot be inflated: {error}") from None
    if len(inflated) > size:
        raise CorruptMember(f"it inflates to more than the {size} bytes it announces")
    if len(inflated) < size or not inflater.eof:
        raise CorruptMember(f"it is cut short at {len(inflated)} of {size} bytes")
    return inflated


def inflate_pieces(pieces: Iterable[bytes], method: int, size: int) -> Iterator[bytes]:
    """Inflate a member piece by piece; what was handed out adds up to ``size`` bytes at the end.

    A piece of 64 KiB makes at most 64 MiB. Raises CorruptMember.
    """
    inflater = None if method == STORED else _deflate.decompressobj(_RAW)
    total = 0
    for piece in pieces:
        try:
            inflated: bytes = piece if inflater is None else inflater.decompress(piece)
        except _ERRORS as error:
            raise CorruptMember(f"it cannot be inflated: {error}") from None
        total += len(inflated)
        if total > size:
            raise CorruptMember(f"it inflates to more than the {size} bytes it announces")
        if inflated:
            yield inflated
    if total < size or (inflater is not None and not inflater.eof):
        raise CorruptMember(f"it is cut short at {total} of {size} bytes")


def crc32(data: bytes, before: int = 0) -> int:
    """Return the checksum ZIP uses, going on from that of what stood ``before``."""
    return int(_deflate.crc32(data, before))
