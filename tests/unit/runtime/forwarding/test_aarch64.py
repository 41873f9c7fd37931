"""The words are what an assembler makes of the instructions in the comments."""

import struct

import pytest

from envmgr.runtime.forwarding.aarch64 import (
    add,
    assemble,
    assemble_routine,
    load_address,
    load_integer,
    load_page,
    load_slot,
)
from envmgr.runtime.forwarding.places import Places
from envmgr.runtime.forwarding.types import (
    Action,
    AddressOf,
    Answer,
    Call,
    CDot,
    Division,
    FortranDot,
    Jump,
)

PLACES = Places({"f": 0x17008}, {"text": 0x100, "value": 0x17ABC}, {"in_child": 0x12080})
START = [0xA9BE7BFD, 0x910003FD]  # stp x29, x30, [sp, #-32]!; mov x29, sp
END = [0xA8C27BFD, 0xD65F03C0]  # ldp x29, x30, [sp], #32; ret
CALL = [0xB0000030, 0xF9400610, 0xD63F0200]  # adrp x16, f; ldr x16, [x16, #8]; blr x16


def words(code: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(code) // 4}L", code))


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Jump("f"), [0xB0000030, 0xF9400610, 0xD61F0200]),  # ...; br x16
        (
            FortranDot("f", 32, "double"),
            [
                *START,
                0xB9800000, 0xB9800042, 0xB9800084,  # ldrsw x0, [x0]; x2, [x2]; x4, [x4]
                0x910043E5,  # add x5, sp, #16
                *CALL,
                0x6D4107E0,  # ldp d0, d1, [sp, #16]
                *END,
            ],
        ),
        (
            FortranDot("f", 64, "single"),
            [
                *START,
                0xF9400000, 0xF9400042, 0xF9400084,  # ldr x0, [x0]; x2, [x2]; x4, [x4]
                0x910043E5,
                *CALL,
                0x2D4207E0,  # ldp s0, s1, [sp, #16]
                *END,
            ],
        ),
        (CDot("f", "double"), [*START, 0x910043E5, *CALL, 0x6D4107E0, *END]),
        (
            Division("f", "single"),
            [
                *START,
                0x91000022,  # add x2, x1, #0
                0x91001023,  # add x3, x1, #4
                0x91001001,  # add x1, x0, #4
                0x910043E4,  # add x4, sp, #16
                0x910053E5,  # add x5, sp, #20
                *CALL,
                0x2D4207E0,
                *END,
            ],
        ),
        (Answer(0x56781234), [0x52824680, 0x72AACF00, 0xD65F03C0]),  # movz, movk w0; ret
        (Answer("value"), [0xB0000020, 0x912AF000, 0xD65F03C0]),  # adrp x0; add x0, #0xabc
    ],
)  # fmt: skip
def test_an_action_is_this_code(action: Action, expected: list[int]) -> None:
    assert [hex(word) for word in words(assemble(action, 0x12000, PLACES))] == [
        hex(word) for word in expected
    ]


def test_a_routine_makes_its_calls() -> None:
    calls = [Call("f", ("value", 1)), Call("f", ())]
    assert words(assemble_routine(calls, 0x12000, PLACES)) == [
        *START, 0xB0000020, 0x912AF000, 0x52800021, *CALL, *CALL, *END,
    ]  # fmt: skip


def test_instructions_with_their_fields() -> None:
    assert load_integer(4, 32) == 0xB9800084  # ldrsw x4, [x4]
    assert load_integer(4, 64) == 0xF9400084  # ldr x4, [x4]
    assert add(5, 31, 24) == 0x910063E5  # add x5, sp, #24
    assert load_slot(16, 0x11FF8, 0x17008) == (0xD0000030, 0xF9400610)  # adrp x16, 0x17000
    assert load_slot(16, 0, 0x7F8)[1] == 0xF943FE10  # ldr x16, [x16, #2040]
    assert load_address(0, 0, 0xABC) == (0x90000000, 0x912AF000 & ~0x1F)


@pytest.mark.parametrize("pages", [-0x100000, -5, -1, 0, 1, 2, 3, 4, 0xFFFFF])
def test_a_page_is_told_by_its_distance(pages: int) -> None:
    word = load_page(3, 0x7FFF_F123, 0x7FFF_F456 + (pages << 12))
    assert word & 0x9F00001F == 0x90000003
    found = (word >> 29 & 3) | (word >> 5 & 0x7FFFF) << 2
    assert found - (found >> 20 << 21) == pages


def test_a_routine_may_pass_the_address_of_another() -> None:
    calls = [Call("f", (0, 0, AddressOf("in_child"), 5))]
    assert words(assemble_routine(calls, 0x12000, PLACES)) == [
        *START,
        0x52800000, 0x52800001,  # movz w0, #0; movz w1, #0
        0x90000002, 0x91020042,  # adrp x2, in_child; add x2, x2, #0x80
        0x528000A3,  # movz w3, #5
        *CALL,
        *END,
    ]  # fmt: skip
