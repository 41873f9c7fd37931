"""The few facts of an executable's ELF header that decide which platform tags fit (gABI)."""

import struct

from msgspec import Struct

EM_386 = 3
EM_ARM = 40

_ARM_ABI = 0xFF000000
_ARM_ABI_5 = 0x05000000
_ARM_HARD_FLOAT = 0x00000400
"""``e_flags`` of the Arm ELF specification: the ABI's version, and floats passed in registers."""

_PT_INTERP = 3
_LONGEST_PATH = 4096


class Executable(Struct, frozen=True):
    """An ELF executable. ``loader`` is its program interpreter, ``None`` where it is static."""

    bits: int
    little_endian: bool
    machine: int
    """``e_machine``."""
    flags: int
    """``e_flags``."""
    loader: str | None


def parse_executable(data: bytes) -> Executable | None:
    """Read the beginning of a file; ``None`` for what is no ELF file or a damaged one.

    A loader's name beyond the end of ``data`` counts as none; linkers put it
    right behind the program headers.
    """
    if len(data) < 6 or data[:4] != b"\x7fELF" or data[4] not in (1, 2) or data[5] not in (1, 2):
        return None
    bits, order = (32, 64)[data[4] - 1], "<>"[data[5] - 1]
    try:
        machine = struct.unpack_from(f"{order}H", data, 18)[0]
        shape = f"{order}IIIIHHH" if bits == 32 else f"{order}QQQIHHH"
        _, table, _, flags, _, size, count = struct.unpack_from(shape, data, 24)
        loader = _loader(data, bits, order, range(table, table + size * count, size or 1))
    except struct.error:
        return None
    return Executable(bits, order == "<", machine, flags, loader)


def _loader(data: bytes, bits: int, order: str, headers: range) -> str | None:
    for header in headers:
        if struct.unpack_from(f"{order}I", data, header)[0] != _PT_INTERP:
            continue
        if bits == 32:
            offset, _, _, size = struct.unpack_from(f"{order}IIII", data, header + 4)
        else:
            offset, _, _, size = struct.unpack_from(f"{order}QQQQ", data, header + 8)
        if offset + size > len(data) or not 0 < size <= _LONGEST_PATH:
            return None
        return data[offset : offset + size].rstrip(b"\0").decode("utf-8", "surrogateescape")
    return None


def fits_manylinux(executable: Executable | None, architectures: tuple[str, ...]) -> bool:
    """Whether an interpreter's ABI is the one manylinux means by its architecture.

    Arm binaries must pass floats in registers (PEP 599), and i686 ones be true
    32-bit x86, not x32. Other architectures have one ABI only.
    """
    if "armv7l" in architectures:
        return (
            executable is not None
            and (executable.bits, executable.little_endian) == (32, True)
            and executable.machine == EM_ARM
            and executable.flags & _ARM_ABI == _ARM_ABI_5
            and executable.flags & _ARM_HARD_FLOAT != 0
        )
    if "i686" in architectures:
        return (
            executable is not None
            and (executable.bits, executable.little_endian) == (32, True)
            and executable.machine == EM_386
        )
    return True
