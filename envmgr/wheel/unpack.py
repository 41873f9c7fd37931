"""The walk over a wheel that a store makes: where each member goes, and what it is.

Whoever writes the files only writes; hashes, ELF facts and destinations are
settled here.
"""

import hashlib
import mmap
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress

from msgspec import Struct

from envmgr.wheel.archive import (
    BrokenWheel,
    UnsafeWheel,
    WheelArchive,
    refused_links,
    unhashed_names,
)
from envmgr.wheel.central_directory import Member, UnsafeMember, check_places
from envmgr.wheel.elf import ELF_MAGIC, parse_elf
from envmgr.wheel.inflate import crc32
from envmgr.wheel.links import LINKS, InvalidLinks, LinkRow, plan_links
from envmgr.wheel.manifest import ElfFacts, FileFacts, LinkFacts, Manifest, make_manifest

SITE_PACKAGES = "site-packages"
STREAMED_FROM = 8 * 1024 * 1024
"""Members of this size (bytes) and more are never held in memory as a whole by ``write_to``."""

_ROOTS = {
    "purelib": SITE_PACKAGES,
    "platlib": SITE_PACKAGES,
    "data": "data",
    "scripts": "scripts",
    "headers": "headers",
}


class UnknownScheme(ValueError):
    """A member of ``.data`` that belongs to no installation scheme (PEP 427)."""

    def __init__(self, member: str) -> None:
        super().__init__(member)
        self.member = member

    def __str__(self) -> str:
        return f"{self.member} is in none of {', '.join(_ROOTS)}"


class Unpacked(Struct, frozen=True):
    """What became of a member."""

    file: FileFacts
    elf: ElfFacts | None


class UnpackedMember:
    """One file of a store entry, on its way there.

    ``path`` is relative to the entry. Take the content either through ``write_to``
    or through ``data``; both check it against RECORD before they return.
    """

    __slots__ = ("_known", "_member", "_wheel", "executable", "is_script", "path", "size")

    def __init__(self, wheel: WheelArchive, member: Member, path: str) -> None:
        self._wheel = wheel
        self._member = member
        self.path = path
        self.is_script = path.startswith("scripts/")
        self.executable = member.executable or self.is_script
        self.size = member.size
        self._known: tuple[bytes, str] | None = None

    def write_to(self, descriptor: int) -> Unpacked:
        """Write the content to a new file open for reading and writing.

        Raises BrokenWheel; what was written before is then worth nothing.
        """
        if self.size < STREAMED_FROM:
            data, sha256 = self._checked
            _write(descriptor, data)
            elf = parse_elf(data, self.path) if data.startswith(ELF_MAGIC) else None
            return Unpacked(FileFacts(self.path, self.size, self.executable, sha256), elf)
        hashes = _Hashes(self._wheel, self._member)
        for piece in self._wheel.stream(self._member):
            hashes.update(piece)
            _write(descriptor, piece)
        sha256 = hashes.check()
        with mmap.mmap(descriptor, self.size, prot=mmap.PROT_READ) as content:
            elf = parse_elf(content, self.path) if content[:4] == ELF_MAGIC else None
        return Unpacked(FileFacts(self.path, self.size, self.executable, sha256), elf)

    @property
    def _checked(self) -> tuple[bytes, str]:
        """Content and hash, made once. Python 3.11's cached_property makes all threads wait."""
        known = self._known
        if known is None:
            data = self._wheel.extract_bytes(self._member)
            known = self._known = data, _check(data, self._wheel, self._member)
        return known

    @property
    def data(self) -> bytes:
        """The content. Raises BrokenWheel."""
        return self._checked[0]

    @property
    def sha256(self) -> str:
        """In hex. Raises BrokenWheel."""
        return self._checked[1]

    @property
    def facts(self) -> FileFacts:
        """What the manifest says of it. Raises BrokenWheel."""
        return FileFacts(self.path, self.size, self.executable, self.sha256)

    @property
    def elf(self) -> ElfFacts | None:
        """Its dynamic section, where it has one. Raises BrokenWheel."""
        return parse_elf(self.data, self.path) if self.data.startswith(ELF_MAGIC) else None


def _check(data: bytes, wheel: WheelArchive, member: Member) -> str:
    """Return the sha256 of a whole member. Raises BrokenWheel where RECORD has another hash."""
    row = wheel.record.get(member.name)
    if row is not None and row.algorithm == "sha256":
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 == row.digest:
            return sha256
    hashes = _Hashes(wheel, member)
    hashes.update(data)
    return hashes.check()


class _Hashes:
    """The sha256 that the manifest wants, and whatever RECORD has."""

    def __init__(self, wheel: WheelArchive, member: Member) -> None:
        self._wheel = wheel.filename.text
        self._member = member
        unhashed = member.name in unhashed_names(wheel.dist_info)
        self._row = None if unhashed else wheel.record[member.name]
        self._checksum = 0
        self._sha256 = hashlib.sha256()
        algorithm = self._row.algorithm if self._row else None
        stronger = algorithm not in {None, "sha256"}
        self._other = hashlib.new(str(algorithm)) if stronger else None

    def update(self, data: bytes) -> None:
        """Take the next piece."""
        self._sha256.update(data)
        if self._other is not None:
            self._other.update(data)
        elif self._row is None:
            self._checksum = crc32(data, self._checksum)

    def check(self) -> str:
        """Return the sha256 in hex. Raises BrokenWheel where RECORD has another hash."""
        sha256 = self._sha256.hexdigest()
        if self._row is None:
            same = self._checksum == self._member.crc
        else:
            same = self._row.digest == (self._other.hexdigest() if self._other else sha256)
        if not same:
            raise BrokenWheel(self._wheel, self._member.name, "its content is not what RECORD says")
        return sha256


def destination(member_name: str, data_directory: str) -> str:
    """Return where a member goes, relative to the entry (binary distribution format, "Spread").

    ``site-packages/...``, ``data/...``, ``scripts/...`` or ``headers/...``.
    Raises UnknownScheme.
    """
    if not member_name.startswith(f"{data_directory}/"):
        return f"{SITE_PACKAGES}/{member_name}"
    scheme, _, rest = member_name[len(data_directory) + 1 :].partition("/")
    root = _ROOTS.get(scheme)
    if root is None or not rest:
        raise UnknownScheme(member_name)
    return f"{root}/{rest}"


def unpacked_members(wheel: WheelArchive) -> Iterator[UnpackedMember]:
    """Return the files of the entry that ``wheel`` becomes, in the archive's order.

    Destinations are settled before the first file: two members that land on one
    path, or a second ``.dist-info``, are refused at once. Raises UnsafeWheel, BrokenWheel.
    """
    placed = _placed(wheel)
    try:
        check_places([path for _, path in placed])
    except UnsafeMember as error:
        raise UnsafeWheel(wheel.filename.text, error.member, error.reason) from None
    return (UnpackedMember(wheel, member, path) for member, path in placed)


def _placed(wheel: WheelArchive) -> list[tuple[Member, str]]:
    placed = []
    data_directory = wheel.data_directory
    for member in wheel.members:
        if member.is_directory:
            continue
        try:
            path = destination(member.name, data_directory)
        except UnknownScheme as error:
            raise BrokenWheel(wheel.filename.text, member.name, str(error)) from None
        root, top, *_ = path.split("/", 2)
        if root == SITE_PACKAGES and top.endswith(".dist-info") and top != wheel.dist_info:
            raise BrokenWheel(wheel.filename.text, member.name, "it belongs to another project")
        placed.append((member, path))
    return placed


def unpacked_links(wheel: WheelArchive) -> tuple[LinkFacts, ...]:
    """Return the links of the entry that ``wheel`` becomes, to be made in this order.

    Ask before the first file is written. Raises UnsafeWheel, BrokenWheel.
    """
    if not wheel.link_rows:
        return ()
    files = [path for _, path in _placed(wheel)]
    try:
        links = entry_links(wheel.link_rows, files, wheel.dist_info)
    except InvalidLinks as error:
        raise refused_links(wheel.filename.text, wheel.dist_info, error) from None
    _check_link_rows(wheel, links)
    return links


def entry_links(
    rows: Iterable[LinkRow], files: Iterable[str], dist_info: str
) -> tuple[LinkFacts, ...]:
    """Plan the links of an entry that has ``files``; ``rows`` have paths of the wheel.

    Raises InvalidLinks.
    """
    data_directory = f"{dist_info.removesuffix('.dist-info')}.data"
    return plan_links([_spread(row, data_directory) for row in rows], files, dist_info)


def _spread(row: LinkRow, data_directory: str) -> LinkRow:
    """Turn a line's paths in the wheel into those in the entry."""
    try:
        first, second = (destination(path, data_directory) for path in (row.first, row.second))
    except UnknownScheme as error:
        raise InvalidLinks(row.line, str(error), unsafe=True) from None
    return LinkRow(row.line, first, second)


def _check_link_rows(wheel: WheelArchive, links: Iterable[LinkFacts]) -> None:
    """Refuse a RECORD that has a link for a file: its row, if any, tells the path alone."""
    paths = {link.path for link in links}
    for row in wheel.record.values():
        if row.digest is None and row.size is None:
            continue
        with suppress(UnknownScheme):
            if destination(row.path, wheel.data_directory) in paths:
                reason = f"RECORD has {row.path} for a file, and {LINKS} for a link"
                raise BrokenWheel(wheel.filename.text, row.path, reason)


def manifest_of(
    wheel: WheelArchive,
    files: Iterable[FileFacts],
    elf: Iterable[ElfFacts],
    links: Iterable[LinkFacts] = (),
) -> Manifest:
    """Return the manifest of the entry that ``wheel`` became, given the facts of its files."""
    return make_manifest(
        name=wheel.filename.name,
        version=str(wheel.filename.version),
        wheel=wheel.filename.text,
        root_is_purelib=wheel.root_is_purelib,
        dist_info=wheel.dist_info,
        entry_points=wheel.entry_points,
        files=files,
        elf=elf,
        links=links,
    )


def _write(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data) if data else 0
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])
