"""Code for x86-64 (AMD64 manual volume 3; System V psABI 1.0, section 3.2.3).

On entry the stack pointer is 8 below a multiple of 16; arguments are in rdi, rsi, rdx,
rcx, r8, r9. A ``_Complex float`` is returned in xmm0, a ``_Complex double`` in xmm0 and xmm1.
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple

from envmgr.runtime.forwarding.places import Places
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

PADDING = b"\xcc"
"""What stands between functions: ``int3``."""

_RESERVE, _RELEASE = bytes.fromhex("4883ec18"), bytes.fromhex("4883c418")  # sub/add rsp, 24
_RETURN = bytes.fromhex("c3")
_JUMP, _CALL = bytes.fromhex("ff25"), bytes.fromhex("ff15")  # jmp/call qword [rip + ...]
_R9_IS_RESULT = bytes.fromhex("4989e1")  # mov r9, rsp
_LOAD_INTEGERS = {
    32: bytes.fromhex("48633f 486312 4d6300"),  # movsxd rdi, [rdi]; the same with rdx, r8
    64: bytes.fromhex("488b3f 488b12 4d8b00"),  # mov rdi, [rdi]; the same with rdx, r8
}
_LOAD_RESULT: dict[Precision, bytes] = {
    "single": bytes.fromhex("f20f100424"),  # movsd xmm0, [rsp]
    "double": bytes.fromhex("f20f100424 f20f104c2408"),  # and movsd xmm1, [rsp + 8]
}
_SPREAD_PARTS: dict[Precision, bytes] = {
    # mov rdx, rsi; lea rcx, [rsi + n]; lea rsi, [rdi + n]; mov r8, rsp; lea r9, [rsp + n]
    "single": bytes.fromhex("4889f2 488d4e04 488d7704 4989e0 4c8d4c2404"),
    "double": bytes.fromhex("4889f2 488d4e08 488d7708 4989e0 4c8d4c2408"),
}


class _Argument(NamedTuple):
    move: bytes
    """``mov`` of a number into the lower half."""
    load: bytes
    """``lea`` of an address."""


_ARGUMENTS = (
    _Argument(bytes.fromhex("bf"), bytes.fromhex("488d3d")),  # rdi
    _Argument(bytes.fromhex("be"), bytes.fromhex("488d35")),  # rsi
    _Argument(bytes.fromhex("ba"), bytes.fromhex("488d15")),  # rdx
    _Argument(bytes.fromhex("b9"), bytes.fromhex("488d0d")),  # rcx
)


def assemble(action: Action, at: int, places: Places) -> bytes:
    """Return the code of a function that stands at address ``at``."""
    match action:
        case Jump(target):
            return _relative(_JUMP, at, places.slots[target])
        case FortranDot(target, integers, precision):
            before = _RESERVE + _LOAD_INTEGERS[integers] + _R9_IS_RESULT
            return _called(before, at, places.slots[target], precision)
        case CDot(target, precision):
            return _called(_RESERVE + _R9_IS_RESULT, at, places.slots[target], precision)
        case Division(target, precision):
            before = _RESERVE + _SPREAD_PARTS[precision]
            return _called(before, at, places.slots[target], precision)
        case Answer(value):
            return _answer(value, at, places) + _RETURN


def assemble_routine(calls: Iterable[Call], at: int, places: Places) -> bytes:
    """Return the code of a function that makes ``calls``, of at most four arguments each."""
    code = bytes.fromhex("4883ec08")  # sub rsp, 8
    for call in calls:
        for registers, argument in zip(_ARGUMENTS, call.arguments, strict=False):
            if isinstance(argument, int):
                code += registers.move + struct.pack("<i", argument)
            else:
                code += _relative(registers.load, at + len(code), places.of(argument))
        code += _relative(_CALL, at + len(code), places.slots[call.target])
    return code + bytes.fromhex("4883c408") + _RETURN  # add rsp, 8


def _answer(value: int | str, at: int, places: Places) -> bytes:
    if isinstance(value, int):
        return b"\xb8" + struct.pack("<i", value)  # mov eax, value
    return _relative(b"\x48\x8d\x05", at, places.texts[value])  # lea rax, [value]


def _called(before: bytes, at: int, slot: int, precision: Precision) -> bytes:
    call = _relative(_CALL, at + len(before), slot)
    return before + call + _LOAD_RESULT[precision] + _RELEASE + _RETURN


def _relative(operation: bytes, at: int, address: int) -> bytes:
    """Return an instruction whose operand is told by its distance from the instruction's end."""
    return operation + struct.pack("<i", address - (at + len(operation) + 4))
