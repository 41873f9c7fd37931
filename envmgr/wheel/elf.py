"""The dynamic section of an ELF file, read by hand (gABI chapters 4 and 5; GNU symbol versions).

Goes by the program headers, as the loader does: section headers may be gone.
A wheel may hold anything, so damage of any kind means ``None``, never an error.
"""

import mmap
import struct
from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

from envmgr.wheel.manifest import ElfFacts

ELF_MAGIC = b"\x7fELF"

Buffer: TypeAlias = bytes | bytearray | memoryview | mmap.mmap

_PT_LOAD, _PT_DYNAMIC = 1, 2
_PN_XNUM = 0xFFFF
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_STRSZ = 0, 1, 5, 10
_DT_SONAME, _DT_RPATH, _DT_RUNPATH = 14, 15, 29
_DT_VERDEF, _DT_VERDEFNUM = 0x6FFFFFFC, 0x6FFFFFFD
_DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF
_VER_FLG_BASE = 1
_MOST_ENTRIES = 100_000
_LONGEST_TEXT = 1 << 20
_MACHINES = {
    2: "sparc", 3: "i686", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm",
    43: "sparc64", 50: "ia64", 62: "x86_64", 183: "aarch64", 243: "riscv", 258: "loongarch",
}  # fmt: skip


class DamagedElf(ValueError):
    """Something points outside the file, or goes on without end."""


ELF_DAMAGE = (DamagedElf, struct.error, OverflowError)
"""What reading a damaged file raises inside this package; no caller outside sees it."""


class _Layout(Struct, frozen=True):
    """How one file writes its numbers."""

    order: str
    bits: int

    def unpack(self, form: str, data: Buffer, offset: int) -> tuple[int, ...]:
        return struct.unpack_from(self.order + form, data, offset)

    @property
    def word(self) -> str:
        return "Q" if self.bits == 64 else "L"


class _Segment(Struct, frozen=True):
    kind: int
    offset: int
    address: int
    size: int


def parse_elf(data: Buffer, path: str) -> ElfFacts | None:
    """Return the facts of the ELF file in ``data``; ``path`` is what they are filed under.

    ``None`` for what is no ELF file, is damaged, or has no dynamic section (objects,
    archives, static programs). Reads only the parts it needs.
    """
    if len(data) < 52 or data[:4] != ELF_MAGIC:
        return None
    try:
        return _parse(data, path)
    except ELF_DAMAGE:
        return None


def parse_dynamic_section(data: Buffer) -> "DynamicSection | None":
    """Return what follows the addresses of a file that begins as an ELF file does.

    ``None`` without a dynamic section; damage raises one of ELF_DAMAGE, now or at any
    later question.
    """
    layout = _parse_ident(data)
    segments = _parse_segments(data, layout)
    dynamic = next((s for s in segments if s.kind == _PT_DYNAMIC), None)
    if dynamic is None:
        return None
    return DynamicSection(data, layout, segments, *_parse_dynamic(data, layout, dynamic))


def _parse(data: Buffer, path: str) -> ElfFacts | None:
    reader = parse_dynamic_section(data)
    if reader is None:
        return None
    layout = reader.layout
    machine = layout.unpack("H", data, 18)[0]
    soname = reader.texts(_DT_SONAME)
    return ElfFacts(
        path,
        _machine_name(machine, layout),
        layout.bits,
        soname[0] if soname else None,
        reader.texts(_DT_NEEDED),
        _search_path(reader.texts(_DT_RPATH)),
        _search_path(reader.texts(_DT_RUNPATH)),
        reader.needed_versions(),
        reader.defined_versions(),
    )


def _parse_ident(data: Buffer) -> _Layout:
    bits = {1: 32, 2: 64}.get(data[4])
    order = {1: "<", 2: ">"}.get(data[5])
    if bits is None or order is None:
        raise DamagedElf
    return _Layout(order, bits)


def _machine_name(number: int, layout: _Layout) -> str:
    name = _MACHINES.get(number)
    if name is None:
        return hex(number)
    if name == "ppc64" and layout.order == "<":
        return "ppc64le"
    if name in {"riscv", "loongarch"}:
        return f"{name}{layout.bits}"
    return name


def _parse_segments(data: Buffer, layout: _Layout) -> list[_Segment]:
    if layout.bits == 64:
        table, sections = layout.unpack("QQ", data, 32)
        entry_size, count = layout.unpack("HH", data, 54)
        info_at = 44
    else:
        table, sections = layout.unpack("LL", data, 28)
        entry_size, count = layout.unpack("HH", data, 42)
        info_at = 28
    if count == _PN_XNUM:  # the real number stands in section header 0 (gABI, e_phnum)
        count = layout.unpack("L", data, sections + info_at)[0]
    if count > _MOST_ENTRIES:
        raise DamagedElf
    return [_parse_segment(data, layout, table + index * entry_size) for index in range(count)]


def _parse_segment(data: Buffer, layout: _Layout, at: int) -> _Segment:
    if layout.bits == 64:
        kind, _, offset, address, _, size = layout.unpack("LLQQQQ", data, at)
    else:
        kind, offset, address, _, size = layout.unpack("LLLLL", data, at)
    return _Segment(kind, offset, address, size)


def _parse_dynamic(
    data: Buffer, layout: _Layout, segment: _Segment
) -> tuple[dict[int, int], tuple[tuple[int, int], ...]]:
    entry = struct.Struct(layout.order + 2 * layout.word)
    single: dict[int, int] = {}
    texts: list[tuple[int, int]] = []
    count = segment.size // entry.size
    if count > _MOST_ENTRIES:
        raise DamagedElf
    for index in range(count):
        tag, value = entry.unpack_from(data, segment.offset + index * entry.size)
        if tag == _DT_NULL:
            break
        if tag in {_DT_NEEDED, _DT_SONAME, _DT_RPATH, _DT_RUNPATH}:
            texts.append((tag, value))
        else:
            single[tag] = value
    return single, tuple(texts)


class DynamicSection(Struct, frozen=True):
    """Follows the addresses of one file's dynamic section."""

    data: Buffer
    layout: _Layout
    segments: list[_Segment]
    single: dict[int, int]
    named: tuple[tuple[int, int], ...]

    def texts(self, tag: int) -> tuple[str, ...]:
        """Return the strings that entries of one tag name."""
        return tuple(self.text(value) for found, value in self.named if found == tag)

    def text(self, index: int) -> str:
        """Return a string of the string table."""
        if _DT_STRTAB not in self.single or index >= self.single.get(_DT_STRSZ, 0):
            raise DamagedElf
        start = self.offset(self.single[_DT_STRTAB]) + index
        limit = min(start + self.single[_DT_STRSZ] - index, start + _LONGEST_TEXT, len(self.data))
        raw = b""
        while start < limit:
            piece = bytes(self.data[start : min(start + 128, limit)])
            raw += piece
            if b"\0" in piece:
                return raw[: raw.index(b"\0")].decode("utf-8", "backslashreplace")
            start += len(piece)
        raise DamagedElf

    def offset(self, address: int) -> int:
        """Return where in the file the byte loaded at ``address`` stands."""
        for segment in self.segments:
            if segment.kind == _PT_LOAD and 0 <= address - segment.address < segment.size:
                return segment.offset + address - segment.address
        raise DamagedElf

    def needed_versions(self) -> dict[str, tuple[str, ...]]:
        """Return library to wanted symbol versions (``Elf*_Verneed``), in the file's order."""
        found: dict[str, tuple[str, ...]] = {}
        for at in self.chain(_DT_VERNEED, _DT_VERNEEDNUM, next_at=12):
            library, versions = self.wanted_of(at)
            found[library] = found.get(library, ()) + tuple(name for name, _ in versions)
        return found

    def wanted_of(self, at: int) -> tuple[str, list[tuple[str, int]]]:
        """Return one ``Elf*_Verneed``: the library, and each version with its index."""
        _, count, file, first, _ = self.layout.unpack("HHLLL", self.data, at)
        found = []
        for aux in self.links(at + first, count, next_at=12):
            _, _, index, name, _ = self.layout.unpack("LHHLL", self.data, aux)
            found.append((self.text(name), index))
        return self.text(file), found

    def wanted_versions(self) -> Iterator[tuple[str, str, int]]:
        """Yield each wanted version: its library, its name, its index in ``DT_VERSYM``."""
        for at in self.chain(_DT_VERNEED, _DT_VERNEEDNUM, next_at=12):
            library, versions = self.wanted_of(at)
            yield from ((library, name, index) for name, index in versions)

    def defined_versions(self) -> tuple[str, ...]:
        """Return the versions this file defines (``Elf*_Verdef``), its own name not counted."""
        return tuple(name for name, _ in self.own_versions())

    def own_versions(self) -> Iterator[tuple[str, int]]:
        """Yield each defined version but the file's own name, and its index in ``DT_VERSYM``."""
        for at in self.chain(_DT_VERDEF, _DT_VERDEFNUM, next_at=16):
            _, flags, index, count, _, first, _ = self.layout.unpack("HHHHLLL", self.data, at)
            if count and not flags & _VER_FLG_BASE:
                yield self.text(self.layout.unpack("LL", self.data, at + first)[0]), index

    def chain(self, table: int, count: int, next_at: int) -> list[int]:
        """Return the offsets of a table's entries."""
        if table not in self.single:
            return []
        start = self.offset(self.single[table])
        return self.links(start, self.single.get(count, 0), next_at)

    def links(self, start: int, count: int, next_at: int) -> list[int]:
        """Follow entries that tell how far the next one is; the last tells 0."""
        if count > _MOST_ENTRIES:
            raise DamagedElf
        found = []
        for _ in range(count):
            found.append(start)
            step = self.layout.unpack("L", self.data, start + next_at)[0]
            if step == 0:
                break
            start += step
        return found


def _search_path(written: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for text in written for part in text.split(":") if part)
