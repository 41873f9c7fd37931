"""Opening a wheel: nothing is taken from it before all of it makes sense.

``open_wheel`` refuses what is unsafe or contradicts itself; after it only the
content of members remains to be checked, against RECORD, as they are read.
Reads by position, so that several threads may use one archive.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from envmgr.errors import IntegrityError
from envmgr.names import normalized
from envmgr.wheel.central_directory import (
    TAIL_SIZE,
    Directory,
    InvalidArchive,
    Member,
    UnsafeMember,
    data_offset,
    find_directory,
    inflate_member,
    parse_directory,
)
from envmgr.wheel.entry_points import (
    SCRIPT_GROUPS,
    InvalidEntryPoints,
    parse_entry_points,
    script_problem,
)
from envmgr.wheel.filename import InvalidWheelFilename, WheelFilename, parse_wheel_filename
from envmgr.wheel.inflate import CorruptMember, inflate, inflate_pieces
from envmgr.wheel.links import LINKS, InvalidLinks, LinkRow, parse_links
from envmgr.wheel.manifest import EntryPoint
from envmgr.wheel.metadata import CoreMetadata, InvalidMetadata, parse_metadata
from envmgr.wheel.record import InvalidRecord, RecordRow, parse_record
from envmgr.wheel.wheel_info import InvalidWheelInfo, WheelInfo, parse_wheel_info

PIECE = 64 * 1024
"""Bytes of compressed data inflated at a time when streaming."""

_DIST_INFO = ".dist-info"
_DATA = ".data"
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")


class RefusedWheel(IntegrityError):
    """A wheel that is not taken; ``member`` is the part that is to blame, where one is."""

    verdict: ClassVar[str]

    def __init__(self, wheel: str, member: str | None, reason: str) -> None:
        super().__init__(wheel, member, reason)
        self.wheel = wheel
        self.member = member
        self.reason = reason

    def __str__(self) -> str:
        where = f" at {self.member}" if self.member else ""
        return f"{self.wheel} {self.verdict}{where}: {self.reason}"

    @property
    def hint(self) -> str | None:
        """A wheel is what its project published."""
        project = self.wheel.partition("-")[0]
        return f"choose another version of {project}, and tell its project about this file"


class BrokenWheel(RefusedWheel):
    """A wheel that is damaged, or contradicts its own RECORD, METADATA or file name."""

    verdict = "is broken"


class UnsafeWheel(RefusedWheel):
    """A wheel that could write outside its place."""

    verdict = "is unsafe"


class ArchiveFile(Struct, frozen=True, eq=False):
    """An open file that is read by position."""

    descriptor: int
    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset`` on, fewer only at the end of the file."""
        data = os.pread(self.descriptor, length, offset)
        while len(data) < length:
            more = os.pread(self.descriptor, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def read_span(self, member: Member) -> bytes:
        """Return a member's local header and all of its data. Raises InvalidArchive."""
        span = self.read_at(member.offset, member.span_limit - member.offset)
        length = data_offset(span, member) + member.compressed
        return span if length <= len(span) else self.read_at(member.offset, length)


class WheelArchive(Struct, frozen=True, eq=False):
    """An open wheel whose parts agree with each other. Leave the context to close it.

    ``record`` maps a member's name to its row; every file but RECORD and its
    signatures has one, with a hash.
    """

    filename: WheelFilename
    members: tuple[Member, ...]
    dist_info: str
    """Name of the ``.dist-info`` directory."""
    info: WheelInfo
    core_metadata: CoreMetadata
    record: Mapping[str, RecordRow]
    entry_points: tuple[EntryPoint, ...]
    link_rows: tuple[LinkRow, ...]
    """What LINKS says (PEP 778), as written: ``unpacked_links`` judges it."""
    _file: ArchiveFile

    @property
    def root_is_purelib(self) -> bool:
        """What WHEEL says."""
        return self.info.root_is_purelib

    @property
    def data_directory(self) -> str:
        """Name that the ``.data`` directory has if there is one."""
        return self.dist_info.removesuffix(_DIST_INFO) + _DATA

    def read(self, name: str) -> bytes:
        """Return the content of the member ``name``. Raises KeyError, BrokenWheel."""
        for member in self.members:
            if member.name == name:
                return self.extract_bytes(member)
        raise KeyError(name)

    def extract_bytes(self, member: Member) -> bytes:
        """Return a member's content, of its announced size. Raises BrokenWheel."""
        try:
            span = self._file.read_span(member)
            start = data_offset(span, member)
            data = memoryview(span)[start : start + member.compressed]
            return inflate(data, member.method, member.size)
        except (CorruptMember, InvalidArchive) as error:
            raise BrokenWheel(self.filename.text, member.name, error.reason) from None

    def stream(self, member: Member) -> Iterator[bytes]:
        """Yield a member's content in pieces that add up to its announced size.

        Raises BrokenWheel, perhaps only at the end.
        """
        header = self._file.read_at(member.offset, member.data_at_least - member.offset)
        try:
            start = member.offset + data_offset(header, member)
            pieces = self._pieces(start, member.compressed)
            yield from inflate_pieces(pieces, member.method, member.size)
        except (CorruptMember, InvalidArchive) as error:
            raise BrokenWheel(self.filename.text, member.name, error.reason) from None

    def _pieces(self, start: int, length: int) -> Iterator[bytes]:
        for at in range(0, length, PIECE):
            yield self._file.read_at(start + at, min(PIECE, length - at))

    def close(self) -> None:
        """Close the file; calling it once is enough, and twice is a bug."""
        os.close(self._file.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_wheel(path: Path | str, filename: str) -> WheelArchive:
    """Open the wheel at ``path``, known as ``filename``.

    Raises BrokenWheel, UnsafeWheel, and OSError where the file cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _check_wheel(ArchiveFile(descriptor, os.fstat(descriptor).st_size), filename)
    except BaseException as error:
        os.close(descriptor)
        if isinstance(error, InvalidArchive):
            kind = UnsafeWheel if isinstance(error, UnsafeMember) else BrokenWheel
            raise kind(filename, error.member, error.reason) from None
        raise


def _check_wheel(file: ArchiveFile, text: str) -> WheelArchive:
    try:
        filename = parse_wheel_filename(text)
    except InvalidWheelFilename as error:
        raise BrokenWheel(text, None, error.reason) from None
    members = _read_directory(file)
    dist_info = _find_dist_info(members, filename)
    by_name = {member.name: member for member in members}
    reader = _DistInfoReader(file, text, dist_info, by_name)
    archive = WheelArchive(
        filename,
        members,
        dist_info,
        reader.wheel_info(),
        reader.core_metadata(),
        reader.record(),
        reader.entry_points(),
        reader.link_rows(),
        file,
    )
    _check_identity(archive)
    _check_record(archive)
    return archive


def _read_directory(file: ArchiveFile) -> tuple[Member, ...]:
    offset = max(0, file.size - TAIL_SIZE)
    while True:
        tail = file.read_at(offset, file.size - offset)
        found = find_directory(tail, offset)
        if isinstance(found, Directory):
            break
        offset = found.offset
    if found.offset < offset:
        return parse_directory(file.read_at(found.offset, found.size), found)
    start = found.offset - offset
    return parse_directory(memoryview(tail)[start : start + found.size], found)


def _find_dist_info(members: Iterable[Member], filename: WheelFilename) -> str:
    top = {member.name.partition("/")[0] for member in members}
    found = sorted(name for name in top if name.endswith(_DIST_INFO))
    if len(found) != 1:
        listed = f": {', '.join(found)}" if found else ""
        raise BrokenWheel(
            filename.text, None, f"it has {len(found)} .dist-info directories, not one{listed}"
        )
    _check_stem(filename, found[0], _DIST_INFO)
    for name in sorted(top):
        if name.endswith(_DATA) and "-" in name and name != found[0][: -len(_DIST_INFO)] + _DATA:
            raise BrokenWheel(filename.text, name, f"it does not belong to {found[0]}")
    return found[0]


def _check_stem(filename: WheelFilename, directory: str, suffix: str) -> None:
    name, _, version = directory.removesuffix(suffix).rpartition("-")
    try:
        same = normalized(name) == filename.name and Version(version) == filename.version
    except (InvalidVersion, ValueError):
        same = False
    if not same:
        raise BrokenWheel(
            filename.text, directory, f"it is not that of {filename.name} {filename.version}"
        )


class _DistInfoReader(Struct, frozen=True):
    """Reads the files that say what a wheel is, turning what is wrong into a refusal."""

    file: ArchiveFile
    wheel: str
    dist_info: str
    by_name: Mapping[str, Member]

    def content(self, name: str) -> bytes | None:
        """Return a small member of dist-info, checked by its checksum; ``None`` if not there."""
        member = self.by_name.get(f"{self.dist_info}/{name}")
        if member is None:
            return None
        return inflate_member(self.file.read_span(member), member)

    def required(self, name: str) -> bytes:
        """Return a member of dist-info that every wheel has."""
        content = self.content(name)
        if content is None:
            raise self.broken(name, "it is missing")
        return content

    def text(self, name: str, content: bytes) -> str:
        """Decode a member."""
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise self.broken(name, "it is not UTF-8") from None

    def broken(self, name: str, reason: str) -> BrokenWheel:
        """Make the refusal."""
        return BrokenWheel(self.wheel, f"{self.dist_info}/{name}", reason)

    def core_metadata(self) -> CoreMetadata:
        """Read METADATA."""
        try:
            return parse_metadata(self.required("METADATA"))
        except InvalidMetadata as error:
            raise self.broken("METADATA", error.reason) from None

    def wheel_info(self) -> WheelInfo:
        """Read WHEEL."""
        try:
            linked = f"{self.dist_info}/{LINKS}" in self.by_name
            return parse_wheel_info(self.required("WHEEL"), linked=linked)
        except InvalidWheelInfo as error:
            raise self.broken("WHEEL", error.reason) from None

    def record(self) -> Mapping[str, RecordRow]:
        """Read RECORD."""
        text = self.text("RECORD", self.required("RECORD"))
        try:
            return {row.path: row for row in parse_record(text)}
        except InvalidRecord as error:
            raise self.broken("RECORD", f"line {error.line}: {error.reason}") from None

    def link_rows(self) -> tuple[LinkRow, ...]:
        """Read LINKS."""
        content = self.content(LINKS)
        if content is None:
            return ()
        try:
            return parse_links(self.text(LINKS, content))
        except InvalidLinks as error:
            raise refused_links(self.wheel, self.dist_info, error) from None

    def entry_points(self) -> tuple[EntryPoint, ...]:
        """Read entry_points.txt; scripts whose name or value is dangerous are refused."""
        content = self.content("entry_points.txt")
        if content is None:
            return ()
        try:
            entries = parse_entry_points(self.text("entry_points.txt", content))
        except InvalidEntryPoints as error:
            reason = f"line {error.line}: {error.reason}"
            raise self.broken("entry_points.txt", reason) from None
        for entry in entries:
            problem = script_problem(entry) if entry.group in SCRIPT_GROUPS else None
            if problem:
                raise UnsafeWheel(self.wheel, f"{self.dist_info}/entry_points.txt", problem)
        return entries


def refused_links(wheel: str, dist_info: str, error: InvalidLinks) -> RefusedWheel:
    """Make the refusal of a wheel for what its LINKS says."""
    kind = UnsafeWheel if error.unsafe else BrokenWheel
    return kind(wheel, f"{dist_info}/{LINKS}", f"line {error.line}: {error.reason}")


def _check_identity(archive: WheelArchive) -> None:
    said, expected = archive.core_metadata, archive.filename
    if said.name != expected.name or said.version != expected.version:
        raise BrokenWheel(
            expected.text,
            f"{archive.dist_info}/METADATA",
            f"it is that of {said.name} {said.version}",
        )


def _check_record(archive: WheelArchive) -> None:
    """Hold every member against its row.

    A row without a member is let pass: what is not there harms nobody, and wheels
    like that are on PyPI (easyocr 1.7.2 lists 83 files that it does not hold).
    """
    wheel = archive.filename.text
    unlisted = unhashed_names(archive.dist_info)
    for member in archive.members:
        if member.is_directory or member.name in unlisted:
            continue
        row = archive.record.get(member.name)
        if row is None or row.digest is None:
            problem = "RECORD does not list it" if row is None else "RECORD has no hash of it"
            raise BrokenWheel(wheel, member.name, problem)
        if row.size is not None and row.size != member.size:
            raise BrokenWheel(
                wheel, member.name, f"it has {member.size} bytes, RECORD says {row.size}"
            )


@lru_cache(maxsize=256)
def unhashed_names(dist_info: str) -> frozenset[str]:
    """Return the members that need no hash in RECORD: itself and its signatures (PEP 427)."""
    return frozenset(f"{dist_info}/{name}" for name in ("RECORD", *_SIGNATURES))
