"""Laws of dynamic symbols."""

from hypothesis import given, settings
from hypothesis import strategies as st

from envmgr.wheel.symbols import parse_symbols
from tests.support.symbol_tables import HASHES, Symbol, SymbolTable

NAMES = st.text("abc._é0123456789", min_size=1, max_size=30)
SYMBOLS = st.builds(
    Symbol,
    NAMES,
    binding=st.sampled_from([0, 1, 2, 10]),
    kind=st.sampled_from([0, 1, 2, 5, 6, 10]),
    visibility=st.integers(0, 3),
    defined=st.booleans(),
)


@given(
    symbols=st.lists(SYMBOLS, min_size=1, max_size=20),
    bits=st.sampled_from([32, 64]),
    little=st.booleans(),
    hashed=st.sampled_from(HASHES),
)
def test_what_was_written_is_read(
    symbols: list[Symbol], bits: int, little: bool, hashed: str
) -> None:
    symbols.sort(key=lambda symbol: symbol.defined)
    found = parse_symbols(bytes(SymbolTable(symbols, bits=bits, little=little, hashed=hashed)))
    assert found is not None
    others = [symbol for symbol in symbols if symbol.binding != 0]
    assert [wanted.name for wanted in found.imports] == [s.name for s in others if not s.defined]
    assert [export.name for export in found.exports] == [
        s.name for s in others if s.defined and s.visibility in {0, 3}
    ]


WHOLE = [
    bytes(
        SymbolTable(
            [Symbol("a", defined=False, version=2), Symbol("b", kind=2, version=3)],
            hashed=hashed,
            wanted={"c": ("V",)},
            defined=("W",),
        )
    )
    for hashed in HASHES
]


@settings(max_examples=500)
@given(st.sampled_from(WHOLE), st.data())
def test_damage_gives_symbols_or_none(whole: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(4, len(whole)))
    damage = data.draw(st.binary(max_size=12))
    found = parse_symbols(whole[:at] + damage + whole[at + len(damage) :])
    assert found is None or len(found.exports) + len(found.imports) <= len(whole)
