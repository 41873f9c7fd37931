import struct

import pytest

from envmgr.target.executable import EM_386, EM_ARM, fits_manylinux, parse_executable

X86_64 = 62
HARD_FLOAT = 0x05000400
SOFT_FLOAT = 0x05000200


def elf(
    bits: int = 64,
    machine: int = X86_64,
    flags: int = 0,
    loader: bytes | None = b"/lib64/ld-linux-x86-64.so.2\0",
    order: str = "<",
) -> bytes:
    """An ELF header, two program headers and a loader's name behind them."""
    head = b"\x7fELF" + bytes([bits // 32, 1 if order == "<" else 2, 1]) + bytes(9)
    size, at = (32, 52) if bits == 32 else (56, 64)
    word = "I" if bits == 32 else "Q"
    kind = 3 if loader else 1
    text = loader or b""
    offset = at + 2 * size
    fixed = struct.pack(
        f"{order}HHI{word}{word}{word}IHHHHHH",
        *(2, machine, 1, 0, at, 0, flags, at, size, 2, 0, 0, 0),
    )
    if bits == 32:
        load = struct.pack(f"{order}IIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0)
        names = struct.pack(f"{order}IIIIIIII", kind, offset, 0, 0, len(text), 0, 0, 0)
    else:
        load = struct.pack(f"{order}IIQQQQQQ", 1, 0, 0, 0, 0, 0, 0, 0)
        names = struct.pack(f"{order}IIQQQQQQ", kind, 0, offset, 0, 0, len(text), 0, 0)
    return head + fixed + load + names + text


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [32, 64])
def test_the_header_is_read_in_both_sizes_and_byte_orders(bits: int, order: str) -> None:
    facts = parse_executable(elf(bits, EM_ARM, HARD_FLOAT, b"/lib/ld.so\0", order))
    assert facts is not None
    assert (facts.bits, facts.little_endian, facts.machine) == (bits, order == "<", EM_ARM)
    assert (facts.flags, facts.loader) == (HARD_FLOAT, "/lib/ld.so")


def test_a_static_executable_has_no_loader() -> None:
    facts = parse_executable(elf(loader=None))
    assert facts is not None
    assert facts.loader is None


def test_what_is_no_elf_file_gives_nothing() -> None:
    for data in (b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x09\x01" + bytes(60)):
        assert parse_executable(data) is None


def test_a_file_cut_anywhere_gives_nothing_or_no_loader_and_never_fails() -> None:
    whole = elf()
    for end in range(len(whole)):
        facts = parse_executable(whole[:end])
        assert facts is None or facts.loader is None


@pytest.mark.parametrize(
    ("data", "architectures", "fits"),
    [
        (elf(32, EM_ARM, HARD_FLOAT), ("armv7l",), True),
        (elf(32, EM_ARM, SOFT_FLOAT), ("armv7l",), False),
        (elf(32, EM_ARM, HARD_FLOAT), ("armv8l", "armv7l"), True),
        (elf(32, EM_386), ("i686",), True),
        (elf(32, X86_64), ("i686",), False),  # x32
        (b"not ELF", ("i686",), False),
        (b"not ELF", ("x86_64",), True),
        (elf(), ("x86_64",), True),
    ],
)
def test_manylinux_means_one_abi_of_each_architecture(
    data: bytes, architectures: tuple[str, ...], fits: bool
) -> None:
    assert fits_manylinux(parse_executable(data), architectures) is fits
