import tracemalloc

import pytest

from envmgr.wheel.inflate import DEFLATED, STORED, CorruptMember, crc32, inflate, inflate_pieces
from tests.support.zips import deflated

TEXT = b"the quick brown fox " * 5000


def test_what_was_deflated_comes_back() -> None:
    assert inflate(deflated(TEXT), DEFLATED, len(TEXT)) == TEXT
    assert inflate(memoryview(TEXT), STORED, len(TEXT)) == TEXT
    assert inflate(deflated(b""), DEFLATED, 0) == b""


@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_pieces_of_any_size_give_the_same(step: int) -> None:
    packed = deflated(TEXT)
    pieces = [packed[at : at + step] for at in range(0, len(packed), step)]
    assert b"".join(inflate_pieces(pieces, DEFLATED, len(TEXT))) == TEXT


def test_stored_pieces_pass_through() -> None:
    assert list(inflate_pieces([b"ab", b"", b"c"], STORED, 3)) == [b"ab", b"c"]


@pytest.mark.parametrize(
    ("data", "method", "size", "reason"),
    [
        (deflated(TEXT), DEFLATED, len(TEXT) - 1, "more than the 99999 bytes"),
        (deflated(TEXT), DEFLATED, len(TEXT) + 1, "cut short at 100000 of 100001"),
        (deflated(TEXT)[:-5], DEFLATED, len(TEXT), "cut short"),
        (b"", DEFLATED, 0, "cut short at 0 of 0"),
        (b"\xff" * 50, DEFLATED, 100, "cannot be inflated"),
        (b"abc", STORED, 2, "announces 2"),
    ],
)
def test_what_is_not_what_it_says_is_refused(
    data: bytes, method: int, size: int, reason: str
) -> None:
    with pytest.raises(CorruptMember) as whole:
        inflate(data, method, size)
    assert reason in whole.value.reason
    with pytest.raises(CorruptMember):
        list(inflate_pieces([data], method, size))


def test_a_bomb_is_not_inflated_beyond_what_it_announces() -> None:
    bomb = deflated(bytes(100_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(CorruptMember, match="more than the 10 bytes"):
            inflate(bomb, DEFLATED, 10)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_checksums_go_on() -> None:
    assert crc32(b"bc", crc32(b"a")) == crc32(b"abc") == 0x352441C2
