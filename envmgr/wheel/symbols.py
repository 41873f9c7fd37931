"""The dynamic symbols of an ELF file: what it offers to others and what it wants of them.

Goes by the dynamic section alone (gABI chapter 5, "Symbol Table" and "Hash Table"; GNU
hash and GNU symbol versions): section headers may be gone. The table's length stands
nowhere; it follows from whichever hash table there is. Damage means ``None``.
"""

import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from envmgr.wheel.elf import (
    ELF_DAMAGE,
    ELF_MAGIC,
    DamagedElf,
    DynamicSection,
    parse_dynamic_section,
)

SymbolKind: TypeAlias = Literal["untyped", "object", "function", "indirect", "common", "thread"]

_KINDS: dict[int, SymbolKind] = {
    0: "untyped", 1: "object", 2: "function", 5: "common", 6: "thread", 10: "indirect",
}  # fmt: skip
_GLOBAL, _WEAK, _UNIQUE = 1, 2, 10
_DEFAULT, _PROTECTED = 0, 3
_UNDEFINED, _ABSOLUTE = 0, 0xFFF1
_DT_HASH, _DT_SYMTAB, _DT_GNU_HASH, _DT_VERSYM = 4, 6, 0x6FFFFEF5, 0x6FFFFFF0
_DT_STRTAB, _DT_STRSZ = 5, 10
_DT_RELA, _DT_RELASZ, _DT_REL, _DT_RELSZ = 7, 8, 17, 18
_DT_PLTRELSZ, _DT_PLTREL, _DT_JMPREL = 2, 20, 23
_HIDDEN_VERSION, _VERSION_INDEX = 0x8000, 0x7FFF
_FIRST_NAMED_VERSION = 2
_MOST_SYMBOLS = 1 << 24


class Export(NamedTuple):
    """A symbol others may bind to. ``default`` is false for an old version of it."""

    name: str
    kind: SymbolKind
    version: str | None
    default: bool


class Import(NamedTuple):
    """A symbol wanted of others; ``library`` is what its version is expected of."""

    name: str
    version: str | None
    library: str | None
    weak: bool


class Symbols(NamedTuple):
    """The dynamic symbols of one file, in the order of its table."""

    exports: tuple[Export, ...]
    imports: tuple[Import, ...]


class _Version(NamedTuple):
    name: str
    library: str | None


def read_symbols(path: Path) -> Symbols | None:
    """Return the dynamic symbols of the file at ``path``, reading only the pages that hold them.

    ``None`` for what is no ELF file, is damaged, or has no dynamic section. Raises
    OSError if the file cannot be read.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return parse_symbols(data)


def parse_symbols(data: bytes | mmap.mmap) -> Symbols | None:
    """Return the dynamic symbols of the ELF file in ``data``; ``None`` as in ``read_symbols``."""
    if len(data) < 52 or data[:4] != ELF_MAGIC:
        return None
    try:
        dynamic = parse_dynamic_section(data)
        return None if dynamic is None else _parse(dynamic)
    except ELF_DAMAGE:
        return None


def _parse(dynamic: DynamicSection) -> Symbols:
    if _DT_SYMTAB not in dynamic.single:
        return Symbols((), ())
    if _DT_STRTAB not in dynamic.single:
        raise DamagedElf
    strings = _slice(dynamic, _DT_STRTAB, dynamic.single.get(_DT_STRSZ, 0))
    versions = _versions(dynamic)
    exports, imports = [], []
    for (name_at, info, other, section), index in _entries(dynamic):
        binding = info >> 4
        if binding not in {_GLOBAL, _WEAK, _UNIQUE} or name_at == 0:
            continue
        name = _text(strings, name_at)
        version = versions.get(index & _VERSION_INDEX)
        if section == _UNDEFINED:
            named, library = version or (None, None)
            imports.append(Import(name, named, library, binding == _WEAK))
            continue
        named = version.name if version else None
        if other & 3 not in {_DEFAULT, _PROTECTED} or (section == _ABSOLUTE and name == named):
            continue  # what a version definition is called is a symbol too
        kind = _KINDS.get(info & 15, "untyped")
        exports.append(Export(name, kind, named, not index & _HIDDEN_VERSION))
    return Symbols(tuple(exports), tuple(imports))


def _entries(dynamic: DynamicSection) -> Iterator[tuple[tuple[int, int, int, int], int]]:
    """Yield (name, info, other, section) and the version index of each symbol but the first."""
    order, wide = dynamic.layout.order, dynamic.layout.bits == 64
    entry = struct.Struct(order + ("LBBH16x" if wide else "L8xBBH"))
    count = _count(dynamic)
    table = _slice(dynamic, _DT_SYMTAB, count * entry.size)
    if _DT_VERSYM in dynamic.single:
        indices = struct.unpack(f"{order}{count}H", _slice(dynamic, _DT_VERSYM, 2 * count))
    else:
        indices = (1,) * count
    return iter(list(zip(entry.iter_unpack(table), indices, strict=True))[1:])


def _slice(dynamic: DynamicSection, tag: int, size: int) -> bytes:
    start = dynamic.offset(dynamic.single[tag])
    piece = bytes(dynamic.data[start : start + size])
    if len(piece) != size:
        raise DamagedElf
    return piece


def _count(dynamic: DynamicSection) -> int:
    """Return how many entries the symbol table has."""
    if _DT_HASH in dynamic.single:
        at = dynamic.offset(dynamic.single[_DT_HASH])
        count = dynamic.layout.unpack("LL", dynamic.data, at)[1]
    elif _DT_GNU_HASH in dynamic.single:
        count = _count_by_gnu_hash(dynamic)
    else:
        count = _count_by_relocations(dynamic)
    if count > _MOST_SYMBOLS:
        raise DamagedElf
    return count


def _count_by_gnu_hash(dynamic: DynamicSection) -> int:
    at = dynamic.offset(dynamic.single[_DT_GNU_HASH])
    unpack, data = dynamic.layout.unpack, dynamic.data
    buckets, first, bloom, _ = unpack("LLLL", data, at)
    if buckets > _MOST_SYMBOLS or bloom > _MOST_SYMBOLS:
        raise DamagedElf
    table = at + 16 + bloom * dynamic.layout.bits // 8
    last = max(unpack(f"{buckets}L", data, table), default=0)
    if last < first or last == 0:  # nothing is hashed, so ``first`` means nothing
        return _count_by_relocations(dynamic)
    chain = table + 4 * buckets
    while not unpack("L", data, chain + 4 * (last - first))[0] & 1:
        last += 1
    return last + 1


def _count_by_relocations(dynamic: DynamicSection) -> int:
    """Return one more than the last symbol that a relocation names: all that is used."""
    wide = dynamic.layout.bits == 64
    word = dynamic.layout.word
    plain, addend = f"{word}{word}", f"{word}{word}{word.lower()}"
    jumps = addend if dynamic.single.get(_DT_PLTREL) == _DT_RELA else plain
    last = 0
    for start, size, form in (
        (_DT_RELA, _DT_RELASZ, addend),
        (_DT_REL, _DT_RELSZ, plain),
        (_DT_JMPREL, _DT_PLTRELSZ, jumps),
    ):
        if start not in dynamic.single:
            continue
        entry = struct.Struct(dynamic.layout.order + form)
        length = dynamic.single.get(size, 0)
        table = _slice(dynamic, start, length - length % entry.size)
        named = (info >> (32 if wide else 8) for _, info, *_ in entry.iter_unpack(table))
        last = max(last, max(named, default=0))
    return last + 1


def _text(strings: bytes, index: int) -> str:
    end = strings.find(b"\0", index)
    if end < 0:
        raise DamagedElf
    return strings[index:end].decode("utf-8", "backslashreplace")


def _versions(dynamic: DynamicSection) -> dict[int, _Version]:
    """Return version index to version (``Elf*_Vernaux.vna_other``, ``Elf*_Verdef.vd_ndx``)."""
    found = {
        index: _Version(version, library) for library, version, index in dynamic.wanted_versions()
    }
    found.update((index, _Version(version, None)) for version, index in dynamic.own_versions())
    return {index: version for index, version in found.items() if index >= _FIRST_NAMED_VERSION}
