"""METADATA out of a wheel of which only some bytes are read: the end, and what it points at."""

from collections.abc import Callable
from typing import TypeAlias

from packaging.version import Version

from envmgr.index.types import UnusableMetadata
from envmgr.names import PackageName
from envmgr.wheel.central_directory import (
    TAIL_SIZE,
    InvalidArchive,
    NeedBytesFrom,
    find_member_in_tail,
    inflate_member,
)
from envmgr.wheel.metadata import CoreMetadata, InvalidMetadata, parse_metadata

ReadBytes: TypeAlias = Callable[[int, int], bytes]
"""Returns the file's bytes from the first offset up to the second, which is not included."""

MARGIN = 32 * 1024
"""Bytes read before a central directory that was not in the tail: METADATA often stands there."""
LARGEST_DIRECTORY = 64 * 1024 * 1024


def read_member(read: ReadBytes, size: int, tail: bytes) -> bytes:
    """Return METADATA of a wheel of ``size`` bytes whose end is ``tail``.

    Raises InvalidArchive, and whatever ``read`` raises.
    """
    start = size - len(tail)
    found = find_member_in_tail(tail, start)
    while isinstance(found, NeedBytesFrom):
        if found.offset >= start or start - found.offset > LARGEST_DIRECTORY:
            raise InvalidArchive("its directory is not where it should be")
        wanted = max(found.offset - MARGIN, 0)
        tail = read(wanted, start) + tail
        start = wanted
        found = find_member_in_tail(tail, start)
    end = min(found.span_limit, size)
    if found.offset >= start:
        data = tail[found.offset - start : end - start]
    else:
        data = read(found.offset, end)
    return inflate_member(data, found)


def read_file_member(read: ReadBytes, size: int) -> bytes:
    """Return METADATA of a wheel that is near: its end is read here. Raises InvalidArchive."""
    return read_member(read, size, read(max(size - TAIL_SIZE, 0), size))


def checked_metadata(
    data: bytes, name: PackageName, version: Version
) -> CoreMetadata | UnusableMetadata:
    """Read METADATA that must be of this name and version."""
    try:
        metadata = parse_metadata(data)
    except InvalidMetadata as error:
        return UnusableMetadata(error.reason)
    if metadata.name != name or metadata.version != version:
        return UnusableMetadata(f"its METADATA is of {metadata.name} {metadata.version}")
    return metadata
