"""The ZIP container, as far as wheels may use it (APPNOTE.TXT 6.3.10, sections 4.3 to 4.5).

Pure: takes bytes, says which bytes it needs. The archive is read from its end,
so the same functions serve a file on disk and range requests to an index.
Anything two readers could read differently is refused.
"""

import stat
import struct
import unicodedata
from collections.abc import Sequence

from msgspec import Struct

from envmgr.wheel.inflate import DEFLATED, STORED, CorruptMember, crc32, inflate

TAIL_SIZE = 65_536
"""How much of an archive's end to ask for first; holds the directory of most wheels."""

_END = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\5\6"
_LONGEST_COMMENT = 0xFFFF
_LOCATOR = struct.Struct("<4sLQL")
_LOCATOR_MAGIC = b"PK\6\7"
_END64 = struct.Struct("<4sQ2H2L4Q")
_END64_MAGIC = b"PK\6\6"
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_CENTRAL_MAGIC = b"PK\1\2"
_LENGTHS = struct.Struct("<3H")
_LENGTHS_AT = 28
"""In a central header: the lengths of name, extra field and comment, which follow it."""
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MAGIC = b"PK\3\4"
_FULL16 = 0xFFFF
_FULL32 = 0xFFFFFFFF
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_PATCHED = 0x0020
_USUAL_EXTRA = 256
_LONGEST_METADATA = 64 * 1024 * 1024
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in "123456789¹²³"]
)


class InvalidArchive(ValueError):
    """Bytes that are no archive a wheel may be; ``reason`` is one clause."""

    def __init__(self, reason: str, member: str | None = None) -> None:
        super().__init__(reason, member)
        self.reason = reason
        self.member = member

    def __str__(self) -> str:
        where = f"{self.member}: " if self.member else ""
        return f"{where}{self.reason}"


class UnsafeMember(InvalidArchive):
    """A member that could write outside its place, or that cannot be told from another."""


class Member(Struct, frozen=True):
    """One member: ``offset`` is where its local header starts in the file; sizes in bytes."""

    name: str
    size: int
    compressed: int
    offset: int
    method: int
    executable: bool
    crc: int

    @property
    def is_directory(self) -> bool:
        """Whether it only makes a directory."""
        return self.name.endswith("/")

    @property
    def data_at_least(self) -> int:
        """Where its data starts if its local header has no extra field."""
        return self.offset + _LOCAL.size + len(self.name.encode())

    @property
    def span_limit(self) -> int:
        """Where its data has ended at the latest, unless its extra field is beyond reason."""
        return self.data_at_least + _USUAL_EXTRA + self.compressed


class Directory(Struct, frozen=True):
    """Where the central directory stands in the file; ``shift`` bytes stand before the archive."""

    offset: int
    size: int
    count: int
    shift: int


class NeedBytesFrom(Struct, frozen=True):
    """The answer needs the file from ``offset`` to its end."""

    offset: int


def find_directory(tail: bytes, tail_offset: int) -> Directory | NeedBytesFrom:
    """Find the central directory, given the end of the file from ``tail_offset`` on.

    Raises InvalidArchive.
    """
    at = _find_end(tail)
    if at is None:
        start = max(0, tail_offset + len(tail) - _END.size - _LONGEST_COMMENT)
        if tail_offset > start:
            return NeedBytesFrom(start)
        raise InvalidArchive("it does not end as a ZIP archive does; it may be cut short")
    _, disk, first_disk, here, count, size, offset, _ = _END.unpack_from(tail, at)
    stands_before = at
    locator = at - _LOCATOR.size
    saturated = _FULL16 in (here, count) or _FULL32 in (size, offset)
    if locator < 0 and tail_offset > 0:
        return NeedBytesFrom(max(0, tail_offset - _LOCATOR.size - _END64.size))
    if locator >= 0 and tail.startswith(_LOCATOR_MAGIC, locator):
        stands_before = locator - _END64.size
        if stands_before < 0 and tail_offset > 0:
            return NeedBytesFrom(max(0, tail_offset - _END64.size))
        short = (here, count, size, offset)
        here, count, size, offset = _read_end64(tail, stands_before, short)
    elif saturated and _FULL32 in (size, offset):
        raise InvalidArchive("it needs a ZIP64 record and has none")
    if disk or first_disk or here != count:
        raise InvalidArchive("it is one part of several")
    begins = tail_offset + stands_before - size
    if begins < offset:
        raise InvalidArchive("its directory is not where its end says; it may be cut short")
    return Directory(begins, size, count, begins - offset)


def _find_end(tail: bytes) -> int | None:
    at = len(tail) - _END.size
    if at >= 0 and tail.startswith(_END_MAGIC, at) and tail.endswith(b"\0\0"):
        return at
    found = []
    at = tail.rfind(_END_MAGIC)
    while at >= 0:
        if at + _END.size <= len(tail):
            length = _END.unpack_from(tail, at)[7]
            if at + _END.size + length == len(tail):
                found.append(at)
        at = tail.rfind(_END_MAGIC, 0, at)
    if len(found) > 1:
        raise InvalidArchive("it has more than one end, so readers may disagree about it")
    return found[0] if found else None


def _read_end64(
    tail: bytes, at: int, short: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    if at < 0 or not tail.startswith(_END64_MAGIC, at):
        raise InvalidArchive("its ZIP64 record is not where it should be")
    _, length, _, _, disk, first_disk, here, count, size, offset = _END64.unpack_from(tail, at)
    locator_disk, declared, _ = _LOCATOR.unpack_from(tail, at + _END64.size)[1:]
    if length != _END64.size - 12 or disk or first_disk or locator_disk:
        raise InvalidArchive("its ZIP64 record is of a kind wheels do not use")
    if declared != offset + size:
        raise InvalidArchive("its ZIP64 record is not where it should be")
    long = (here, count, size, offset)
    for shown, full, real in zip(short, (_FULL16, _FULL16, _FULL32, _FULL32), long, strict=True):
        if shown not in (full, real):
            raise InvalidArchive("its ZIP64 record disagrees with its end")
    return long


def parse_directory(data: bytes | memoryview, directory: Directory) -> tuple[Member, ...]:
    """Read the central directory's bytes; every name is one that is safe below a directory.

    Raises InvalidArchive, UnsafeMember.
    """
    members = []
    at = 0
    view = memoryview(data)
    for _ in range(directory.count):
        if at + _CENTRAL.size > len(view):
            raise InvalidArchive("its directory ends too early")
        member, at = _parse_member(view, at, directory.shift)
        members.append(member)
    if at != len(view):
        raise InvalidArchive("its directory holds more than it counts")
    check_places([member.name for member in members])
    _check_extents(members, directory.offset)
    return tuple(members)


def _check_extents(members: Sequence[Member], end: int) -> None:
    """Refuse members that share bytes, as those of archives that unpack to absurd sizes do."""
    for member in sorted(members, key=lambda member: member.offset, reverse=True):
        if member.data_at_least + member.compressed > end:
            raise InvalidArchive("its data runs into what follows it", member.name)
        end = member.offset


def _parse_member(view: memoryview, at: int, shift: int) -> tuple[Member, int]:
    (
        magic, _, _, flags, method, _, _, crc, compressed, size, name_length, extra_length,
        comment_length, disk, _, attributes, offset,
    ) = _CENTRAL.unpack_from(view, at)  # fmt: skip
    name_at = at + _CENTRAL.size
    extra_at = name_at + name_length
    end = extra_at + extra_length + comment_length
    if magic != _CENTRAL_MAGIC or end > len(view):
        raise InvalidArchive("its directory is damaged")
    name = _parse_name(bytes(view[name_at:extra_at]))
    if _FULL32 in (size, compressed, offset):
        extra = view[extra_at : extra_at + extra_length]
        size, compressed, offset = _parse_zip64(name, extra, (size, compressed, offset))
    if flags & _ENCRYPTED:
        raise InvalidArchive("it is encrypted", name)
    if method not in {STORED, DEFLATED} or flags & _PATCHED or disk:
        raise InvalidArchive(f"it is compressed by method {method}, which wheels do not use", name)
    mode = attributes >> 16
    _check_kind(name, mode, size)
    return Member(name, size, compressed, offset + shift, method, bool(mode & 0o111), crc), end


def _parse_name(raw: bytes) -> str:
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        shown = raw.decode("utf-8", "backslashreplace")
        raise UnsafeMember("its name is not UTF-8", shown) from None
    problem = path_problem(name.removesuffix("/"))
    if problem:
        raise UnsafeMember(problem, name.encode("unicode_escape").decode())
    return name


def path_problem(path: str) -> str | None:
    """Say why a path is not one that stays below the directory it is put in, or ``None``.

    Device names are those of Windows, with or without an extension.
    """
    if not path:
        return "its name is empty"
    if "\\" in path:
        return "its name has a backslash"
    if not path.isprintable() and any(unicodedata.category(c) == "Cc" for c in path):
        return "its name has a control character"
    if path[0] == "/" or path[1:2] == ":":
        return "its name is absolute"
    for segment in path.split("/"):
        if segment in {"", ".", ".."}:
            return f"its name has {segment!r} as a part"
        if segment.partition(".")[0].rstrip(" ").lower() in _DEVICES:
            return f"{segment!r} is the name of a device"
    return None


def _parse_zip64(name: str, extra: memoryview, short: tuple[int, ...]) -> tuple[int, ...]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            wanted = sum(value == _FULL32 for value in short)
            if length < 8 * wanted or at + 4 + length > len(extra):
                break
            values = iter(struct.unpack_from(f"<{wanted}Q", extra, at + 4))
            return tuple(next(values) if value == _FULL32 else value for value in short)
        at += 4 + length
    raise InvalidArchive("its ZIP64 sizes are missing", name)


def _check_kind(name: str, mode: int, size: int) -> None:
    kind = stat.S_IFMT(mode)
    directory = name.endswith("/")
    if kind == stat.S_IFLNK:
        raise UnsafeMember("it is a symbolic link", name)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise UnsafeMember("it is neither a file nor a directory", name)
    if kind == stat.S_IFDIR and not directory:
        raise UnsafeMember("its name and its mode disagree whether it is a directory", name)
    if directory and size:
        raise UnsafeMember("it is a directory with content", name)


def check_places(paths: Sequence[str]) -> None:
    """Refuse two paths that are one (PEP 427; Unicode-normalised), or a file that is a directory.

    A path that ends in ``/`` is a directory. Raises UnsafeMember.
    """
    seen: set[str] = set()
    parents: set[str] = set()
    for path in paths:
        plain = path if path.isascii() else unicodedata.normalize("NFC", path)
        if plain in seen:
            raise UnsafeMember("it is there twice", path)
        seen.add(plain)
        parent = plain.rstrip("/").rpartition("/")[0]
        while parent and parent not in parents:
            parents.add(parent)
            parent = parent.rpartition("/")[0]
    for path in sorted(seen & parents):
        raise UnsafeMember("it is a file and a directory", path)


def data_offset(header: bytes | memoryview, member: Member) -> int:
    """Return where a member's data starts, counted from its local header.

    ``header`` begins with the local header and holds at least its name. Raises InvalidArchive.
    """
    if len(header) < _LOCAL.size:
        raise InvalidArchive("it is cut short", member.name)
    magic, _, _, method, _, _, _, _, _, name_length, extra_length = _LOCAL.unpack_from(header)
    name = bytes(header[_LOCAL.size : _LOCAL.size + name_length])
    if magic != _LOCAL_MAGIC:
        raise InvalidArchive("it is not where the directory says", member.name)
    if name != member.name.encode() or method != member.method:
        raise InvalidArchive("its own header and the directory disagree about it", member.name)
    return _LOCAL.size + int(name_length) + int(extra_length)


def find_member_in_tail(
    tail: bytes, tail_offset: int, suffix: str = ".dist-info/METADATA"
) -> Member | NeedBytesFrom:
    """Find the one member ``<top-level directory><suffix>``, given the end of an archive.

    Its bytes, from ``offset`` to ``span_limit``, are what ``inflate_member`` takes.
    The other members are passed over unread: whoever opens the whole archive
    looks at them. Raises InvalidArchive.
    """
    directory = find_directory(tail, tail_offset)
    if isinstance(directory, NeedBytesFrom):
        return directory
    start = directory.offset - tail_offset
    if start < 0:
        return NeedBytesFrom(directory.offset)
    data = tail[start : start + directory.size]
    places = _places_of(data, directory.count, suffix.encode())
    if len(places) != 1:
        raise InvalidArchive(f"it has {len(places)} members *{suffix} at its top, not one")
    member, _ = _parse_member(memoryview(data), places[0], directory.shift)
    _check_extents([member], directory.offset)
    return member


def _places_of(data: bytes, count: int, suffix: bytes) -> list[int]:
    """Return where in a central directory the members ``<directory><suffix>`` are described."""
    places = []
    at = 0
    lengths_of = _LENGTHS.unpack_from
    for _ in range(count):
        if not data.startswith(_CENTRAL_MAGIC, at) or at + _CENTRAL.size > len(data):
            raise InvalidArchive("its directory is damaged")
        name_length, extra_length, comment_length = lengths_of(data, at + _LENGTHS_AT)
        name_at = at + _CENTRAL.size
        end = name_at + name_length
        if data.endswith(suffix, name_at, end) and data.count(b"/", name_at, end) == 1:
            places.append(at)
        at = end + extra_length + comment_length
    if at != len(data):
        raise InvalidArchive("its directory holds more than it counts")
    return places


def inflate_member(
    local_header_and_data: bytes, member: Member, limit: int = _LONGEST_METADATA
) -> bytes:
    """Return a member's content, checked against its size and checksum.

    ``limit`` bounds it in bytes. Raises InvalidArchive.
    """
    if member.size > limit:
        raise InvalidArchive(f"it announces {member.size} bytes", member.name)
    start = data_offset(local_header_and_data, member)
    data = memoryview(local_header_and_data)[start : start + member.compressed]
    if len(data) < member.compressed:
        raise InvalidArchive("it is cut short", member.name)
    try:
        content = inflate(data, member.method, member.size)
    except CorruptMember as error:
        raise InvalidArchive(error.reason, member.name) from None
    if crc32(content) != member.crc:
        raise InvalidArchive("its checksum is wrong", member.name)
    return content
