import struct

import pytest

from envmgr.wheel.elf import parse_elf
from envmgr.wheel.manifest import ElfFacts
from tests.support.elves import Elf

RICH = Elf(
    soname="libx.so.1",
    needed=("libm.so.6", "libc.so.6"),
    runpath="$ORIGIN:$ORIGIN/../x.libs",
    versions={"libm.so.6": ("GLIBC_2.29",), "libc.so.6": ("GLIBC_2.2.5", "GLIBC_2.34")},
    defined=("libx.so.1", "X_1.0", "X_2.0"),
)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("extended_count", [True, False])
def test_every_class_and_byte_order_gives_the_same_facts(
    bits: int, little: bool, extended_count: bool
) -> None:
    values = {**vars(RICH), "bits": bits, "little": little, "extended_count": extended_count}
    assert parse_elf(bytes(Elf(**values)), "site-packages/x.so") == ElfFacts(
        "site-packages/x.so",
        "x86_64",
        bits,
        "libx.so.1",
        ("libm.so.6", "libc.so.6"),
        (),
        ("$ORIGIN", "$ORIGIN/../x.libs"),
        {"libm.so.6": ("GLIBC_2.29",), "libc.so.6": ("GLIBC_2.2.5", "GLIBC_2.34")},
        ("X_1.0", "X_2.0"),
    )


def test_a_library_that_needs_nothing_has_empty_facts() -> None:
    facts = parse_elf(bytes(Elf()), "x")
    assert facts == ElfFacts("x", "x86_64", 64, None, (), (), (), {}, ())


def test_rpath_and_runpath_are_kept_apart_and_empty_elements_dropped() -> None:
    facts = parse_elf(bytes(Elf(rpath=":a::b", runpath="")), "x")
    assert facts is not None
    assert (facts.rpath, facts.runpath) == (("a", "b"), ())


@pytest.mark.parametrize(
    ("machine", "bits", "little", "name"),
    [
        (183, 64, True, "aarch64"),
        (3, 32, True, "i686"),
        (21, 64, True, "ppc64le"),
        (21, 64, False, "ppc64"),
        (22, 64, False, "s390x"),
        (243, 64, True, "riscv64"),
        (243, 32, True, "riscv32"),
        (258, 64, True, "loongarch64"),
        (0x1234, 64, True, "0x1234"),
    ],
)
def test_the_machine_is_named(machine: int, bits: int, little: bool, name: str) -> None:
    facts = parse_elf(bytes(Elf(machine=machine, bits=bits, little=little)), "x")
    assert facts is not None
    assert facts.machine == name


def test_a_name_that_is_not_utf_8_can_still_be_written_down() -> None:
    data = bytes(Elf(needed=("libQ.so",))).replace(b"libQ", b"lib\xff")
    facts = parse_elf(data, "x")
    assert facts is not None
    assert facts.needed == (r"lib\xff.so",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fELF",
        b"not an ELF file, though it is long enough for a header, is it not",
        b"\x7fELF" + bytes(100),
        bytes(Elf(dynamic=False)),
        bytes(Elf(needed=("x",), loads=False)),
    ],
    ids=["empty", "magic", "text", "zeros", "static", "unmapped"],
)
def test_what_has_no_readable_dynamic_section_has_no_facts(data: bytes) -> None:
    assert parse_elf(data, "x") is None


def test_damage_anywhere_is_no_error() -> None:
    whole = bytes(RICH)
    assert parse_elf(whole, "x") is not None
    for at in range(4, len(whole)):
        for value in (0x00, 0x7F, 0xFF):
            damaged = bytearray(whole)
            damaged[at] = value
            parse_elf(bytes(damaged), "x")
        assert parse_elf(whole[:at], "x") is None or at > 512


@pytest.mark.parametrize("needed", [0, 2**63, 2**64 - 1])
def test_addresses_beyond_the_file_are_no_facts(needed: int) -> None:
    wanted = Elf(extra_entries=[(0x6FFFFFFE, needed), (0x6FFFFFFF, 3)])
    assert parse_elf(bytes(wanted), "x") is None


def test_a_count_without_end_does_not_keep_us() -> None:
    data = bytearray(bytes(Elf(versions={"a": ("b",)})))
    count_entry = struct.pack("<QQ", 0x6FFFFFFF, 1)
    at = data.index(count_entry)
    data[at : at + 16] = struct.pack("<QQ", 0x6FFFFFFF, 2**60)
    assert parse_elf(bytes(data), "x") is None


def test_a_view_into_something_larger_will_do() -> None:
    assert parse_elf(memoryview(b"junk" + bytes(RICH))[4:], "x") == parse_elf(bytes(RICH), "x")
