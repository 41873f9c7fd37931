"""ELF files with a dynamic symbol table, written byte by byte for any class and byte order."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

HASHES = ("sysv", "gnu", "gnu empty", "none")
"""What tells how long the symbol table is; without a (full) hash table the relocations do."""

_BASE = 0x10000


@dataclass(frozen=True)
class Symbol:
    """One entry; ``binding``, ``kind`` and ``visibility`` are the numbers of the gABI."""

    name: str
    binding: int = 1
    kind: int = 0
    visibility: int = 0
    defined: bool = True
    absolute: bool = False
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class _Options:
    bits: int = 64
    little: bool = True
    hashed: str = "sysv"
    wanted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    defined: Sequence[str] = ()


class SymbolTable:
    """A shared object of nothing but dynamic symbols.

    Version indices count on from 2: what is ``wanted`` (library to versions), then what
    is ``defined``.
    """

    def __init__(self, symbols: Sequence[Symbol], **options: object) -> None:
        self.symbols = symbols
        self.options = _Options(**options)  # type: ignore[arg-type]
        self.strings = b"\0"

    def __bytes__(self) -> bytes:
        versions = [0, *(symbol.version for symbol in self.symbols)]
        parts = {
            6: self._entries(),
            0x6FFFFFF0: self._pack("H" * len(versions), *versions),
            0x6FFFFFFE: self._verneed(),
            0x6FFFFFFC: self._verdef(),
            **self._hash(),
            7: self._relocation(),
        }  # fmt: skip
        parts[5] = self.strings
        entries = [(10, len(self.strings)), (8, len(parts[7]))]
        entries += [(0x6FFFFFFF, len(self.options.wanted)), (0x6FFFFFFD, len(self.options.defined))]
        body, start = b"", 256
        for tag, part in parts.items():
            if part:
                entries.append((tag, _BASE + start + len(body)))
                body += part + bytes(-len(part) % 8)
        dynamic = b"".join(self._pack("WW", *entry) for entry in (*entries, (0, 0)))
        end = start + len(body)
        segments = self._segment(1, 0, end + len(dynamic)) + self._segment(2, end, len(dynamic))
        return (self._header() + segments).ljust(start, b"\0") + body + dynamic

    def _pack(self, form: str, *values: int) -> bytes:
        word = "Q" if self.options.bits == 64 else "L"
        order = "<" if self.options.little else ">"
        return struct.pack(order + form.replace("W", word), *values)

    def _text(self, text: str) -> int:
        at = len(self.strings)
        self.strings += text.encode() + b"\0"
        return at

    def _entries(self) -> bytes:
        table = bytes(24 if self.options.bits == 64 else 16)
        for symbol in self.symbols:
            section = 0xFFF1 if symbol.absolute else int(symbol.defined)
            name, info = self._text(symbol.name), symbol.binding << 4 | symbol.kind
            if self.options.bits == 64:
                table += self._pack("LBBHQQ", name, info, symbol.visibility, section, 0, 0)
            else:
                table += self._pack("LLLBBH", name, 0, 0, info, symbol.visibility, section)
        return table

    def _hash(self) -> dict[int, bytes]:
        count = len(self.symbols) + 1
        first = next((i for i, s in enumerate(self.symbols, 1) if s.defined), 0)
        match self.options.hashed:
            case "sysv":
                return {4: self._pack("LLL", 1, count, 0) + bytes(4 * count)}
            case "gnu" if first:
                chain = [2] * (count - first - 1) + [3]
                head = self._pack("LLLLWL", 1, first, 1, 0, 0, first)
                return {0x6FFFFEF5: head + self._pack("L" * len(chain), *chain)}
            case "gnu" | "gnu empty":
                return {0x6FFFFEF5: self._pack("LLLLWL", 1, 1, 1, 0, 0, 0)}
        return {}

    def _relocation(self) -> bytes:
        last = len(self.symbols) << (32 if self.options.bits == 64 else 8)
        return self._pack("WWW", 0, last | 6, 0)

    def _verneed(self) -> bytes:
        table, index = b"", 2
        for place, (library, versions) in enumerate(self.options.wanted.items(), 1):
            following = 0 if place == len(self.options.wanted) else 16 + 16 * len(versions)
            table += self._pack("HHLLL", 1, len(versions), self._text(library), 16, following)
            for number, version in enumerate(versions, 1):
                step = 0 if number == len(versions) else 16
                table += self._pack("LHHLL", 0, 0, index, self._text(version), step)
                index += 1
        return table

    def _verdef(self) -> bytes:
        table = b""
        start = 2 + sum(map(len, self.options.wanted.values()))
        for index, version in enumerate(self.options.defined, start):
            step = 0 if index == start + len(self.options.defined) - 1 else 28
            table += self._pack("HHHHLLL", 1, 0, index, 1, 0, 20, step)
            table += self._pack("LL", self._text(version), 0)
        return table

    def _header(self) -> bytes:
        wide = self.options.bits == 64
        ident = (
            b"\x7fELF" + bytes([2 if wide else 1, 1 if self.options.little else 2, 1]) + bytes(9)
        )
        size, program = (64, 56) if wide else (52, 32)
        return ident + self._pack("HHLWWWL6H", 3, 62, 1, 0, size, 0, 0, size, program, 2, 0, 0, 0)

    def _segment(self, kind: int, offset: int, size: int) -> bytes:
        address = _BASE + offset
        if self.options.bits == 64:
            return self._pack("LLQQQQQQ", kind, 4, offset, address, address, size, size, 8)
        return self._pack("8L", kind, offset, address, address, size, size, 4, 4)
