"""A ZIP writer that can be made to lie.

The standard library's writer repairs or refuses what the tests want to see
refused (NUL in names, two members of one name, wrong sizes), so archives are
written by hand here, from APPNOTE.TXT. What it writes for honest members is
checked against ``zipfile`` in the tests of the archive reader.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

STORED = 0
DEFLATED = 8
FILE_MODE = 0o100644
EXECUTABLE_MODE = 0o100755
SYMLINK_MODE = 0o120777
DIRECTORY_MODE = 0o040755
_UTF8 = 0x800
_TIME, _DATE = 0, 0x21  # 1980-01-01
_TOO_BIG = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipMember:
    """One member. ``payload``, ``size``, ``crc`` default to what is true of ``data``."""

    name: str | bytes
    data: bytes = b""
    method: int = DEFLATED
    mode: int = FILE_MODE
    flags: int | None = None
    payload: bytes | None = None
    size: int | None = None
    crc: int | None = None
    local_name: str | bytes | None = None
    zip64: bool = False
    descriptor: bool = False
    extra: bytes = b""


def render_zip(
    members: Sequence[ZipMember], *, comment: bytes = b"", prefix: bytes = b"", zip64: bool = False
) -> bytes:
    """Write the archive; ``prefix`` stands before it, without the offsets knowing of it."""
    body = bytearray()
    directory = bytearray()
    for member in members:
        offset = len(body)
        body += _local(member)
        directory += _central(member, offset)
    return prefix + bytes(
        body + directory + _end(members, len(body), len(directory), comment, zip64)
    )


def deflated(data: bytes) -> bytes:
    """Compress without a zlib header, as members are."""
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
    return squeeze.compress(data) + squeeze.flush()


def _encoded(name: str | bytes) -> bytes:
    return name.encode() if isinstance(name, str) else name


def _flags(member: ZipMember) -> int:
    if member.flags is not None:
        return member.flags
    flags = 0x8 if member.descriptor else 0
    return flags if isinstance(member.name, bytes) or member.name.isascii() else flags | _UTF8


def _payload(member: ZipMember) -> bytes:
    if member.payload is not None:
        return member.payload
    return deflated(member.data) if member.method == DEFLATED else member.data


def _sizes(member: ZipMember) -> tuple[int, int, int]:
    crc = zlib.crc32(member.data) if member.crc is None else member.crc
    size = len(member.data) if member.size is None else member.size
    return crc, len(_payload(member)), size


def _local(member: ZipMember) -> bytes:
    name = _encoded(member.name if member.local_name is None else member.local_name)
    crc, packed, size = _sizes(member)
    extra = member.extra
    shown = (crc, packed, size)
    if member.zip64:
        extra += struct.pack("<HHQQ", 1, 16, size, packed)
        shown = (crc, _TOO_BIG, _TOO_BIG)
    if member.descriptor:
        shown = (0, 0, 0)
    header = struct.pack(
        "<4s5H3L2H", b"PK\3\4", 20, _flags(member), member.method, _TIME, _DATE,
        *shown, len(name), len(extra),
    )  # fmt: skip
    tail = struct.pack("<4s3L", b"PK\7\x08", crc, packed, size) if member.descriptor else b""
    return header + name + extra + _payload(member) + tail


def _central(member: ZipMember, offset: int) -> bytes:
    name = _encoded(member.name)
    crc, packed, size = _sizes(member)
    extra = member.extra
    if member.zip64:
        extra += struct.pack("<HHQQQ", 1, 24, size, packed, offset)
        packed = size = offset = _TOO_BIG
    header = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 0x0314, 20, _flags(member), member.method, _TIME, _DATE,
        crc, packed, size, len(name), len(extra), 0, 0, 0, member.mode << 16, offset,
    )  # fmt: skip
    return header + name + extra


def _end(
    members: Sequence[ZipMember], offset: int, size: int, comment: bytes, zip64: bool
) -> bytes:
    count = len(members)
    if not zip64:
        return (
            struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, size, offset, len(comment))
            + comment
        )
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, offset + size, 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, _TOO_BIG, _TOO_BIG, len(comment))
    return record + locator + end + comment
