"""An alias library: a shared object that gives another one a second SONAME.

It holds no code. Its SONAME is what programs ask for, its only ``NEEDED`` the absolute
path of the library that serves them, which the loader follows as written: the library
is loaded from where it stands, so that what it looks for around itself is found, and
its symbols are in the scope of everybody who asked for the alias.

Debian calls MPICH's library ``libmpich.so.12`` and Cray calls its own
``libmpi_gnu_123.so.12``; programs for that ABI ask for ``libmpi.so.12``, which the
loader finds by SONAME alone.
"""

import struct

_MACHINES = {"x86_64": 62, "aarch64": 183, "ppc64le": 21, "s390x": 22, "riscv64": 243}
_BIG_ENDIAN = frozenset({"s390x"})
_PT_LOAD, _PT_DYNAMIC, _PT_GNU_STACK = 1, 2, 0x6474E551
_DT_NEEDED, _DT_HASH, _DT_STRTAB, _DT_SYMTAB = 1, 4, 5, 6
_DT_STRSZ, _DT_SYMENT, _DT_SONAME = 10, 11, 14
_READ_WRITE = 6
_HEADER, _PROGRAM_HEADER, _SYMBOL = 64, 56, 24
_PAGE = 0x10000
"""Largest page of the machines above: the segment suits all of them."""


def can_alias(machine: str) -> bool:
    """Tell whether alias libraries can be written for this machine (``ElfFacts.machine``)."""
    return machine in _MACHINES


def render_alias(soname: str, library: str, machine: str) -> bytes:
    """Write the ELF64 file that stands for ``library`` (absolute path) under ``soname``.

    Under 1 KB plus the path. Raises KeyError for a machine that ``can_alias`` refuses.
    """
    order = ">" if machine in _BIG_ENDIAN else "<"
    strings = b"\0" + soname.encode() + b"\0" + library.encode("utf-8", "surrogateescape") + b"\0"
    symbols_at = _HEADER + 3 * _PROGRAM_HEADER
    hash_at = symbols_at + _SYMBOL
    strings_at = hash_at + 16
    dynamic_at = strings_at + len(strings) + -(strings_at + len(strings)) % 8
    entries = (
        (_DT_SONAME, 1),
        (_DT_NEEDED, 2 + len(soname.encode())),
        (_DT_HASH, hash_at),
        (_DT_STRTAB, strings_at),
        (_DT_SYMTAB, symbols_at),
        (_DT_STRSZ, len(strings)),
        (_DT_SYMENT, _SYMBOL),
        (0, 0),
    )
    dynamic = b"".join(struct.pack(f"{order}QQ", *entry) for entry in entries)
    end = dynamic_at + len(dynamic)
    body = bytes(_SYMBOL) + struct.pack(f"{order}4L", 1, 1, 0, 0) + strings
    return b"".join(
        (
            _file_header(order, _MACHINES[machine], machine == "ppc64le"),
            _segment(order, _PT_LOAD, 0, end, _PAGE),
            _segment(order, _PT_DYNAMIC, dynamic_at, len(dynamic), 8),
            _segment(order, _PT_GNU_STACK, 0, 0, 16),
            body.ljust(dynamic_at - symbols_at, b"\0"),
            dynamic,
        )
    )


def _file_header(order: str, machine: int, second_abi: bool) -> bytes:
    ident = b"\x7fELF" + bytes([2, 2 if order == ">" else 1, 1]) + bytes(9)
    flags = 2 if second_abi else 0
    numbers = (3, machine, 1, 0, _HEADER, 0, flags, _HEADER, _PROGRAM_HEADER, 3, _HEADER, 0, 0)
    return ident + struct.pack(f"{order}HHLQQQL6H", *numbers)


def _segment(order: str, kind: int, at: int, size: int, alignment: int) -> bytes:
    return struct.pack(f"{order}LL6Q", kind, _READ_WRITE, at, at, at, size, size, alignment)
