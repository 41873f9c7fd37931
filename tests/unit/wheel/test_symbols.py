import struct

import pytest

from envmgr.wheel.symbols import Symbols, parse_symbols
from tests.support.elves import Elf
from tests.support.symbol_tables import HASHES, Symbol, SymbolTable

GLOBAL, WEAK, LOCAL, UNIQUE = 1, 2, 0, 10
FUNCTION, OBJECT, THREAD, INDIRECT, UNTYPED = 2, 1, 6, 10, 0

RICH = (
    Symbol("wanted", defined=False),
    Symbol("perhaps", binding=WEAK, defined=False),
    Symbol("versioned_wanted", defined=False, version=2),
    Symbol("f", kind=FUNCTION),
    Symbol("data", kind=OBJECT, binding=WEAK),
    Symbol("one", kind=OBJECT, binding=UNIQUE),
    Symbol("mine", kind=THREAD),
    Symbol("chosen", kind=INDIRECT),
    Symbol("local", binding=LOCAL, kind=FUNCTION),
    Symbol("hidden", kind=FUNCTION, visibility=2),
    Symbol("internal", kind=FUNCTION, visibility=1),
    Symbol("protected", kind=FUNCTION, visibility=3),
    Symbol("g", kind=FUNCTION, version=3),
    Symbol("g", kind=FUNCTION, version=4 | 0x8000),
    Symbol("X_1", kind=OBJECT, version=3, absolute=True),
)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("hashed", HASHES)
def test_every_class_byte_order_and_hash_table_gives_the_same_symbols(
    bits: int, little: bool, hashed: str
) -> None:
    table = SymbolTable(
        RICH, bits=bits, little=little, hashed=hashed,
        wanted={"libc.so.6": ("GLIBC_2.34",)}, defined=("X_1", "X_2"),
    )  # fmt: skip
    assert parse_symbols(bytes(table)) == Symbols(
        (
            ("f", "function", None, True),
            ("data", "object", None, True),
            ("one", "object", None, True),
            ("mine", "thread", None, True),
            ("chosen", "indirect", None, True),
            ("protected", "function", None, True),
            ("g", "function", "X_1", True),
            ("g", "function", "X_2", False),
        ),  # type: ignore[arg-type]
        (
            ("wanted", None, None, False),
            ("perhaps", None, None, True),
            ("versioned_wanted", "GLIBC_2.34", "libc.so.6", False),
        ),  # type: ignore[arg-type]
    )


def test_a_file_without_a_symbol_table_has_no_symbols() -> None:
    assert parse_symbols(bytes(Elf(soname="x", needed=["y"]))) == Symbols((), ())


@pytest.mark.parametrize("hashed", HASHES)
def test_a_table_of_nothing_but_wants_is_read_whole(hashed: str) -> None:
    """A linker that hashes nothing says that the first hashed symbol is number 1."""
    table = SymbolTable([Symbol("a", defined=False), Symbol("b", defined=False)], hashed=hashed)
    found = parse_symbols(bytes(table))
    assert found is not None
    assert [wanted.name for wanted in found.imports] == ["a", "b"]


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"MZ" + bytes(100), bytes(Elf(dynamic=False))])
def test_what_has_no_dynamic_section_has_no_symbols_to_tell(data: bytes) -> None:
    assert parse_symbols(data) is None


@pytest.mark.parametrize("hashed", HASHES)
def test_a_table_that_is_cut_is_damage(hashed: str) -> None:
    whole = bytes(SymbolTable(RICH, hashed=hashed))
    cut = whole.replace(b"wanted\0", b"wanted\1", 1)
    assert parse_symbols(whole) is not None
    assert parse_symbols(whole[: len(whole) // 2]) is None
    assert parse_symbols(cut) is not None


@pytest.mark.parametrize(("hashed", "second"), [("sysv", 78), ("gnu", 41)])
def test_a_hash_table_that_tells_of_too_many_symbols_is_damage(hashed: str, second: int) -> None:
    symbols = [Symbol(f"s{number}", defined=number >= 40) for number in range(77)]
    whole = bytes(SymbolTable(symbols, hashed=hashed))
    head = struct.pack("<LL", 1, second)
    assert whole.count(head) == 1
    assert parse_symbols(whole) is not None
    for huge in (1 << 20, 1 << 30):
        number = 0 if hashed == "gnu" else 1
        values = [1, second]
        values[number] = huge
        assert parse_symbols(whole.replace(head, struct.pack("<LL", *values))) is None
