"""Giving an ELF library another SONAME, and those who need it the same (gABI chapter 5).

Nothing moves in the file: a new name is taken from the string table where it stands
already (as the end of another string, perhaps), or is written over the old one where
that is long enough and nobody else's. Otherwise it is refused (ADR 0013).
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from envmgr.wheel.elf import ELF_MAGIC

Kind: TypeAlias = Literal["library", "base", "other"]
"""Names of libraries, the file's own among its versions (``VER_FLG_BASE``), all other names."""

_PT_LOAD, _PT_DYNAMIC = 1, 2
_NULL, _NEEDED, _HASH, _STRTAB, _SYMTAB, _STRSZ, _SYMENT = 0, 1, 4, 5, 6, 10, 11
_SONAME, _RPATH, _RUNPATH = 14, 15, 29
_GNU_HASH, _AUXILIARY, _FILTER = 0x6FFFFEF5, 0x7FFFFFFD, 0x7FFFFFFF
_VERDEF, _VERDEFNUM, _VERNEED, _VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
_TEXTS: dict[int, Kind] = {
    _NEEDED: "library", _SONAME: "library", _RPATH: "other", _RUNPATH: "other",
    _AUXILIARY: "other", _FILTER: "other",
}  # fmt: skip
_BASE_FLAG = 1


class NameDoesNotFit(ValueError):
    """A name that cannot be given to a library without moving things about in it."""

    def __init__(self, old: str, new: str, reason: str) -> None:
        super().__init__(old, new, reason)
        self.old = old
        self.new = new
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.old} cannot become {self.new}: {self.reason}"


class DamagedElf(ValueError):
    """A file that says it is ELF, and is not all there."""


@dataclass(frozen=True, slots=True)
class _Reference:
    """A place in the file that names a string: ``at`` bytes from its start, ``form`` its kind."""

    at: int
    form: str
    index: int
    kind: Kind
    hash_at: int = 0
    """Where the hash of the name stands (``vd_hash``), of a file's own name."""


def rename_libraries(data: bytes, names: Mapping[str, str]) -> bytes:
    """Return an ELF file in which every library of ``names`` is called by its new name.

    That is in ``DT_SONAME``, ``DT_NEEDED``, ``DT_VERNEED`` and ``DT_VERDEF``. The size
    stays as it is. Raises NameDoesNotFit, DamagedElf.
    """
    changed = data
    for old, new in names.items():
        if old != new:
            try:
                changed = _rename(bytearray(changed), old, new)
            except (struct.error, IndexError, OverflowError) as error:
                raise DamagedElf(str(error)) from None
    return changed


def _rename(data: bytearray, old: str, new: str) -> bytes:
    elf = _Elf.of(data)
    references = list(elf.references())
    mine = [each for each in references if each.kind != "other" and elf.text(each.index) == old]
    if mine:
        index = elf.find(new)
        if index is None:
            index = _make_room(elf, references, mine, old, new)
        for each in mine:
            struct.pack_into(each.form, data, each.at, index)
            if each.hash_at:
                struct.pack_into(f"{elf.order}L", data, each.hash_at, _hash(new))
    return bytes(data)


def _make_room(
    elf: "_Elf", references: list[_Reference], mine: list[_Reference], old: str, new: str
) -> int:
    """Write a name over the old one, and return its index in the string table."""
    room, wanted = len(old.encode()), len(new.encode())
    if wanted > room:
        reason = f"it is longer by {wanted - room} bytes, and the file has no room for it"
        raise NameDoesNotFit(old, new, reason)
    for index in sorted({each.index for each in mine}):
        shared = index > 0 and elf.data[elf.strings + index - 1] != 0
        if not shared and not any(
            each not in mine and index <= each.index <= index + room for each in references
        ):
            start = elf.strings + index
            elf.data[start : start + room] = new.encode().ljust(room, b"\0")
            return index
    raise NameDoesNotFit(old, new, "other names of the file share the bytes of the old one")


@dataclass(frozen=True, slots=True)
class _Elf:
    """One file, and where its dynamic section and its strings stand."""

    data: bytearray
    order: str
    wide: bool
    loads: tuple[tuple[int, int, int], ...]
    """Address, offset and size of what is loaded."""
    dynamic: tuple[tuple[int, int, int], ...]
    """Tag, value, and where the value stands."""
    strings: int
    """Where the string table begins."""

    @classmethod
    def of(cls, data: bytearray) -> "_Elf":
        wide, order = data[4] == 2, {1: "<", 2: ">"}.get(data[5])
        if data[:4] != ELF_MAGIC or order is None or data[4] not in (1, 2):
            raise DamagedElf("it does not begin as an ELF file does")
        table = struct.unpack_from(f"{order}{'Q' if wide else 'L'}", data, 32 if wide else 28)[0]
        size, count = struct.unpack_from(f"{order}HH", data, 54 if wide else 42)
        loads: list[tuple[int, int, int]] = []
        dynamic: tuple[tuple[int, int, int], ...] = ()
        for number in range(count):
            kind, offset, address, length = _segment(data, order, wide, table + number * size)
            if kind == _PT_LOAD:
                loads.append((address, offset, length))
            elif kind == _PT_DYNAMIC:
                dynamic = tuple(_entries(data, order, wide, offset, length))
        found = cls(data, order, wide, tuple(loads), dynamic, 0)
        return cls(data, order, wide, found.loads, dynamic, found.place(found.value(_STRTAB)))

    def value(self, tag: int) -> int:
        for found, value, _ in self.dynamic:
            if found == tag:
                return value
        raise DamagedElf(f"its dynamic section has no entry {tag:#x}")

    def has(self, tag: int) -> bool:
        return any(found == tag for found, _, _ in self.dynamic)

    def place(self, address: int) -> int:
        """Return where in the file the byte loaded at ``address`` stands."""
        for begin, offset, length in self.loads:
            if begin <= address < begin + length:
                return offset + address - begin
        raise DamagedElf("an address of it is loaded from nowhere")

    def text(self, index: int) -> str:
        start = self.strings + index
        end = self.data.find(b"\0", start, self.strings + self.value(_STRSZ))
        if end < 0:
            raise DamagedElf("a name of it has no end")
        return self.data[start:end].decode("utf-8", "backslashreplace")

    def find(self, text: str) -> int | None:
        """Return where in the string table a name stands already, at the end of one perhaps."""
        end = self.strings + self.value(_STRSZ)
        at = self.data.find(text.encode() + b"\0", self.strings, end)
        return None if at < 0 else at - self.strings

    def unpack(self, form: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self.order + form, self.data, at)

    def references(self) -> Iterator[_Reference]:
        """Yield everything that names a string of the table."""
        word = f"{self.order}{'Q' if self.wide else 'L'}"
        for tag, value, at in self.dynamic:
            if tag in _TEXTS:
                yield _Reference(at, word, value, _TEXTS[tag])
        yield from self._wanted_versions()
        yield from self._defined_versions()
        yield from self._symbols()

    def _wanted_versions(self) -> Iterator[_Reference]:
        form = f"{self.order}L"
        for at in self._chain(_VERNEED, _VERNEEDNUM, 12):
            _, count, file, first, _ = self.unpack("HHLLL", at)
            yield _Reference(at + 4, form, file, "library")
            for aux in self._links(at + first, count, 12):
                yield _Reference(aux + 8, form, self.unpack("L", aux + 8)[0], "other")

    def _defined_versions(self) -> Iterator[_Reference]:
        form = f"{self.order}L"
        for at in self._chain(_VERDEF, _VERDEFNUM, 16):
            _, flags, _, count, _, first, _ = self.unpack("HHHHLLL", at)
            for number, aux in enumerate(self._links(at + first, count, 4)):
                own = bool(flags & _BASE_FLAG) and number == 0
                index = self.unpack("L", aux)[0]
                yield _Reference(aux, form, index, "base" if own else "other", own * (at + 8))

    def _symbols(self) -> Iterator[_Reference]:
        if not self.has(_SYMTAB):
            return
        table, size = self.place(self.value(_SYMTAB)), self.value(_SYMENT)
        form = f"{self.order}L"
        for number in range(self._symbol_count()):
            at = table + number * size
            yield _Reference(at, form, self.unpack("L", at)[0], "other")

    def _symbol_count(self) -> int:
        if self.has(_HASH):
            return self.unpack("LL", self.place(self.value(_HASH)))[1]
        if not self.has(_GNU_HASH):
            raise DamagedElf("it does not say how many symbols it has")
        at = self.place(self.value(_GNU_HASH))
        buckets, first, bloom, _ = self.unpack("LLLL", at)
        start = at + 16 + bloom * (8 if self.wide else 4)
        last = max((*self.unpack(f"{buckets}L", start), 0))
        if last < first:
            return first
        chains = start + 4 * buckets
        while not self.unpack("L", chains + 4 * (last - first))[0] & 1:
            last += 1
        return last + 1

    def _chain(self, table: int, count: int, next_at: int) -> Iterator[int]:
        if self.has(table):
            yield from self._links(self.place(self.value(table)), self.value(count), next_at)

    def _links(self, start: int, count: int, next_at: int) -> Iterator[int]:
        for _ in range(count):
            yield start
            step = self.unpack("L", start + next_at)[0]
            if step == 0:
                return
            start += step


def _segment(data: bytearray, order: str, wide: bool, at: int) -> tuple[int, int, int, int]:
    if wide:
        kind, _, offset, address, _, size = struct.unpack_from(f"{order}LLQQQQ", data, at)
    else:
        kind, offset, address, _, size = struct.unpack_from(f"{order}LLLLL", data, at)
    return kind, offset, address, size


def _entries(
    data: bytearray, order: str, wide: bool, offset: int, length: int
) -> Iterator[tuple[int, int, int]]:
    word = struct.Struct(f"{order}{'QQ' if wide else 'LL'}")
    for at in range(offset, offset + length - word.size + 1, word.size):
        tag, value = word.unpack_from(data, at)
        if tag == _NULL:
            return
        yield tag, value, at + word.size // 2


def _hash(name: str) -> int:
    """Return the hash that version definitions have of their names (gABI chapter 5)."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high & 0xFFFFFFFF
    return value
