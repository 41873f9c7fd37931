"""Code for aarch64 (Arm Architecture Reference Manual, chapter C6; AAPCS64, section 6).

Arguments are in x0 to x5. A complex value is returned in s0 and s1, or d0 and d1. x16 is
free between a call and the function called.
"""

import struct
from collections.abc import Iterable

from envmgr.runtime.forwarding.places import Places
from envmgr.runtime.forwarding.spelling import IntegerBits
from envmgr.runtime.forwarding.types import (
    Action,
    Answer,
    Call,
    CDot,
    Division,
    FortranDot,
    Jump,
    Precision,
)

PADDING = struct.pack("<L", 0xD4200000)
"""What stands between functions: ``brk #0``."""

_SP, _X16 = 31, 16
_PUSH = 0xA9BE7BFD  # stp x29, x30, [sp, #-32]!
_FRAME = 0x910003FD  # mov x29, sp
_POP = 0xA8C27BFD  # ldp x29, x30, [sp], #32
_RETURN = 0xD65F03C0  # ret
_BRANCH_X16, _CALL_X16 = 0xD61F0200, 0xD63F0200  # br x16, blr x16
_RESULT = 16
"""Where in the frame a result is stored."""
_LOAD_RESULT: dict[Precision, int] = {
    "single": 0x2D4207E0,  # ldp s0, s1, [sp, #16]
    "double": 0x6D4107E0,  # ldp d0, d1, [sp, #16]
}
_BYTES: dict[Precision, int] = {"single": 4, "double": 8}


def assemble(action: Action, at: int, places: Places) -> bytes:
    """Return the code of a function that stands at address ``at``."""
    match action:
        case Jump(target):
            return _words(*load_slot(_X16, at, places.slots[target]), _BRANCH_X16)
        case FortranDot(target, integers, precision):
            loads = [load_integer(register, integers) for register in (0, 2, 4)]
            before = [*loads, add(5, _SP, _RESULT)]
            return _called(before, at, places.slots[target], precision)
        case CDot(target, precision):
            return _called([add(5, _SP, _RESULT)], at, places.slots[target], precision)
        case Division(target, precision):
            return _called(_spread_parts(_BYTES[precision]), at, places.slots[target], precision)
        case Answer(value):
            return _words(*_answer(value, at, places), _RETURN)


def assemble_routine(calls: Iterable[Call], at: int, places: Places) -> bytes:
    """Return the code of a function that makes ``calls``."""
    code = _words(_PUSH, _FRAME)
    for call in calls:
        for register, argument in enumerate(call.arguments):
            if isinstance(argument, int):
                code += _words(0x52800000 | argument << 5 | register)  # movz
            else:
                address = places.of(argument)
                code += _words(*load_address(register, at + len(code), address))
        slot = places.slots[call.target]
        code += _words(*load_slot(_X16, at + len(code), slot), _CALL_X16)
    return code + _words(_POP, _RETURN)


def load_slot(register: int, at: int, slot: int) -> tuple[int, int]:
    """Return ``adrp register, slot; ldr register, [register, #lo12]``; a slot is 8-aligned."""
    load = 0xF9400000 | (slot & 0xFFF) // 8 << 10 | register << 5 | register
    return load_page(register, at, slot), load


def load_address(register: int, at: int, address: int) -> tuple[int, int]:
    """Return ``adrp register, address; add register, register, #lo12``."""
    return load_page(register, at, address), add(register, register, address & 0xFFF)


def load_page(register: int, at: int, address: int) -> int:
    """Return ``adrp``: the 4 KiB page of ``address``, seen from an instruction at ``at``."""
    pages = ((address >> 12) - (at >> 12)) & 0x1FFFFF
    return 0x90000000 | (pages & 3) << 29 | pages >> 2 << 5 | register


def load_integer(register: int, bits: IntegerBits) -> int:
    """Return ``ldrsw`` (32 bits) or ``ldr`` of what the register points to, into itself."""
    operation = 0xB9800000 if bits == 32 else 0xF9400000
    return operation | register << 5 | register


def add(to: int, register: int, number: int) -> int:
    """Return ``add to, register, #number`` of 64 bits; ``number`` has 12."""
    return 0x91000000 | number << 10 | register << 5 | to


def _spread_parts(size: int) -> list[int]:
    """Return what makes (x, y) the six arguments of ``dladiv``."""
    return [
        add(2, 1, 0),
        add(3, 1, size),
        add(1, 0, size),
        add(4, _SP, _RESULT),
        add(5, _SP, _RESULT + size),
    ]


def _answer(value: int | str, at: int, places: Places) -> tuple[int, int]:
    if isinstance(value, int):
        return 0x52800000 | (value & 0xFFFF) << 5, 0x72A00000 | value >> 16 << 5  # movz, movk
    return load_address(0, at, places.texts[value])


def _called(before: list[int], at: int, slot: int, precision: Precision) -> bytes:
    start = [_PUSH, _FRAME, *before]
    load = load_slot(_X16, at + 4 * len(start), slot)
    return _words(*start, *load, _CALL_X16, _LOAD_RESULT[precision], _POP, _RETURN)


def _words(*instructions: int) -> bytes:
    return struct.pack(f"<{len(instructions)}L", *instructions)
