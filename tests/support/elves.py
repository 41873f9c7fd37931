"""ELF files written byte by byte: whatever class and byte order, with or without what one needs."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_BASE = 0x10000
_TAGS = {"NEEDED": 1, "SONAME": 14, "RPATH": 15, "RUNPATH": 29}


@dataclass(frozen=True, kw_only=True)
class Elf:
    """A shared object that holds nothing but its dynamic section.

    ``bytes(...)`` writes it. ``versions`` maps a needed library to symbol versions,
    ``defined`` lists the file's own; the first of a real file is its name.
    """

    bits: int = 64
    little: bool = True
    machine: int = 62
    soname: str | None = None
    needed: Sequence[str] = ()
    rpath: str | None = None
    runpath: str | None = None
    versions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    defined: Sequence[str] = ()
    dynamic: bool = True
    loads: bool = True
    extended_count: bool = False
    extra_entries: Sequence[tuple[int, int]] = ()

    @property
    def _order(self) -> str:
        return "<" if self.little else ">"

    @property
    def _word(self) -> str:
        return "Q" if self.bits == 64 else "L"

    def __bytes__(self) -> bytes:
        strings = _Strings()
        named = [("NEEDED", name) for name in self.needed]
        named += [("SONAME", self.soname)] if self.soname is not None else []
        named += [("RPATH", self.rpath)] if self.rpath is not None else []
        named += [("RUNPATH", self.runpath)] if self.runpath is not None else []
        entries = [(_TAGS[tag], strings.index(text)) for tag, text in named]
        wanted, defined = self._verneed(strings), self._verdef(strings)
        start = 512
        parts = {"strings": strings.table, "wanted": wanted, "defined": defined}
        places = {}
        body = b""
        for name, part in parts.items():
            places[name] = start + len(body)
            body += part + bytes(-len(part) % 8)
        at = start + len(body)
        entries += [(5, _BASE + places["strings"]), (10, len(strings.table))]
        if wanted:
            entries += [(0x6FFFFFFE, _BASE + places["wanted"]), (0x6FFFFFFF, len(self.versions))]
        if defined:
            entries += [(0x6FFFFFFC, _BASE + places["defined"]), (0x6FFFFFFD, len(self.defined))]
        entries += [*self.extra_entries, (0, 0)]
        table = b"".join(struct.pack(self._order + 2 * self._word, *entry) for entry in entries)
        segments = [(1, 0, _BASE, at + len(table))] if self.loads else []
        segments += [(2, at, _BASE + at, len(table))] if self.dynamic else []
        return self._header(segments).ljust(start, b"\0") + body + table

    def _header(self, segments: Sequence[tuple[int, int, int, int]]) -> bytes:
        wide = self.bits == 64
        ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if self.little else 2, 1]) + bytes(9)
        size = 64 if wide else 52
        program_size, section_size = (56, 64) if wide else (32, 40)
        count = len(segments)
        sections = size + count * program_size if self.extended_count else 0
        rest = struct.pack(
            self._order + "HHL" + 3 * self._word + "L6H",
            3, self.machine, 1, 0, size, sections, 0, size, program_size,
            0xFFFF if self.extended_count else count, section_size, bool(sections), 0,
        )  # fmt: skip
        body = b"".join(self._segment(*segment) for segment in segments)
        if self.extended_count:
            form = "LLQQQQLLQQ" if wide else "10L"
            body += struct.pack(self._order + form, 0, 0, 0, 0, 0, 0, 0, count, 0, 0)
        return ident + rest + body

    def _segment(self, kind: int, offset: int, address: int, size: int) -> bytes:
        if self.bits == 64:
            return struct.pack(
                self._order + "LL6Q", kind, 4, offset, address, address, size, size, 8
            )
        return struct.pack(self._order + "8L", kind, offset, address, address, size, size, 4, 4)

    def _verneed(self, strings: "_Strings") -> bytes:
        table = b""
        for index, (library, versions) in enumerate(self.versions.items()):
            last = index == len(self.versions) - 1
            size = 16 + 16 * len(versions)
            table += struct.pack(
                self._order + "HHLLL",
                1,
                len(versions),
                strings.index(library),
                16,
                0 if last else size,
            )
            for position, version in enumerate(versions):
                following = 0 if position == len(versions) - 1 else 16
                table += struct.pack(
                    self._order + "LHHLL", 0, 0, 2, strings.index(version), following
                )
        return table

    def _verdef(self, strings: "_Strings") -> bytes:
        table = b""
        for index, version in enumerate(self.defined):
            following = 0 if index == len(self.defined) - 1 else 28
            table += struct.pack(
                self._order + "HHHHLLL", 1, int(index == 0), index + 1, 1, 0, 20, following
            )
            table += struct.pack(self._order + "LL", strings.index(version), 0)
        return table


class _Strings:
    def __init__(self) -> None:
        self.table = b"\0"

    def index(self, text: str) -> int:
        self.table += text.encode() + b"\0"
        return len(self.table) - len(text.encode()) - 1
