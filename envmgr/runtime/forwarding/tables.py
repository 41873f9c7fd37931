"""The tables of an ELF64 little-endian shared object (gABI chapters 4 and 5; GNU versions)."""

import struct
from collections.abc import Iterable, Sequence

SYMBOL_SIZE, RELOCATION_SIZE, DYNAMIC_SIZE = 24, 24, 16
HEADER_SIZE, PROGRAM_HEADER_SIZE = 64, 56
UNVERSIONED, FIRST_VERSION = 1, 2
"""Version indices: global without a version; the first one defined, after the file's own."""

_GLOBAL_FUNCTION, _GLOBAL_UNTYPED = 0x12, 0x10
_VERDEF_SIZE, _VERDAUX_SIZE = 20, 8
_VER_FLG_BASE = 1


class Strings:
    """A string table that grows; equal texts stand in it once."""

    def __init__(self) -> None:
        self._at = {"": 0}
        self._table = bytearray(b"\0")

    def index(self, text: str) -> int:
        """Return where ``text`` stands in the table."""
        at = self._at.get(text)
        if at is None:
            at = self._at[text] = len(self._table)
            self._table += text.encode() + b"\0"
        return at

    def __bytes__(self) -> bytes:
        return bytes(self._table)


def elf_hash(name: bytes) -> int:
    """Return the hash by which DT_HASH and version tables find a name."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ high >> 24) & ~high
    return value & 0xFFFFFFFF


def hash_table(names: Sequence[str]) -> bytes:
    """Return DT_HASH for a symbol table that holds ``names`` from index 1 on."""
    count = len(names) + 1
    buckets = [0] * max(1, len(names))
    chains = [0] * count
    for index, name in enumerate(names, 1):
        bucket = elf_hash(name.encode()) % len(buckets)
        chains[index], buckets[bucket] = buckets[bucket], index
    numbers = (len(buckets), count, *buckets, *chains)
    return struct.pack(f"<{len(numbers)}L", *numbers)


def wanted_symbol(name_at: int) -> bytes:
    """Return the entry of a symbol that is looked for elsewhere."""
    return struct.pack("<LBBHQQ", name_at, _GLOBAL_UNTYPED, 0, 0, 0, 0)


def offered_symbol(name_at: int, address: int, size: int, section: int = 1) -> bytes:
    """Return the entry of a function; ``section`` only has to be none of the special ones."""
    return struct.pack("<LBBHQQ", name_at, _GLOBAL_FUNCTION, 0, section, address, size)


def relocation(address: int, kind: int, symbol: int, addend: int) -> bytes:
    """Return an ``Elf64_Rela``."""
    return struct.pack("<QQq", address, symbol << 32 | kind, addend)


def program_header(
    kind: int, flags: int, where: tuple[int, int], sizes: tuple[int, int], alignment: int
) -> bytes:
    """Return an ``Elf64_Phdr``; ``where`` is (offset, address), ``sizes`` (in file, in memory)."""
    offset, address = where
    return struct.pack("<LLQQQQQQ", kind, flags, offset, address, address, *sizes, alignment)


def header(machine: int, program_headers: int) -> bytes:
    """Return the ``Elf64_Ehdr`` of a shared object without sections."""
    ident = b"\x7fELF" + bytes([2, 1, 1, 0]) + bytes(8)
    kind, version, none = 3, 1, 0
    return ident + struct.pack(
        "<HHLQQQLHHHHHH",
        kind, machine, version, none, HEADER_SIZE, none, none,
        HEADER_SIZE, PROGRAM_HEADER_SIZE, program_headers, 64, none, none,
    )  # fmt: skip


def dynamic_table(entries: Iterable[tuple[int, int]]) -> bytes:
    """Return the dynamic section with its end mark."""
    return b"".join(struct.pack("<QQ", tag, value) for tag, value in (*entries, (0, 0)))


def version_definitions(soname: str, versions: Sequence[str], strings: Strings) -> bytes:
    """Return DT_VERDEF: the file's own name, as is the custom, then ``versions`` from index 2."""
    table = b""
    names = [soname, *versions]
    for index, name in enumerate(names, 1):
        following = 0 if index == len(names) else _VERDEF_SIZE + _VERDAUX_SIZE
        flags = _VER_FLG_BASE if index == 1 else 0
        table += struct.pack(
            "<HHHHLLL", 1, flags, index, 1, elf_hash(name.encode()), _VERDEF_SIZE, following
        )
        table += struct.pack("<LL", strings.index(name), 0)
    return table
