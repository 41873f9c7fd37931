"""The bytes are what an assembler makes of the instructions in the comments."""

import pytest

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
from envmgr.runtime.forwarding.x86_64 import assemble, assemble_routine

PLACES = Places({"f": 0x2000}, {"text": 0x100, "value": 0x200}, {"in_child": 0x1080})


def code(*lines: str) -> bytes:
    return bytes.fromhex("".join(lines))


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Jump("f"), code("ff25 fa0f0000")),  # jmp [rip + 0xffa]
        (
            FortranDot("f", 32, "double"),
            code(
                "4883ec18",  # sub rsp, 24
                "48633f 486312 4d6300",  # movsxd rdi, [rdi]; rdx, [rdx]; r8, [r8]
                "4989e1",  # mov r9, rsp
                "ff15 ea0f0000",  # call [rip + 0xfea]
                "f20f100424 f20f104c2408",  # movsd xmm0, [rsp]; xmm1, [rsp + 8]
                "4883c418 c3",  # add rsp, 24; ret
            ),
        ),
        (
            FortranDot("f", 64, "single"),
            code(
                "4883ec18",
                "488b3f 488b12 4d8b00",  # mov rdi, [rdi]; rdx, [rdx]; r8, [r8]
                "4989e1",
                "ff15 ea0f0000",
                "f20f100424",  # movsd xmm0, [rsp]: both parts of a _Complex float
                "4883c418 c3",
            ),
        ),
        (
            CDot("f", "single"),
            code("4883ec18 4989e1 ff15 f30f0000 f20f100424 4883c418 c3"),
        ),
        (
            Division("f", "double"),
            code(
                "4883ec18",
                "4889f2 488d4e08 488d7708",  # mov rdx, rsi; lea rcx, [rsi+8]; lea rsi, [rdi+8]
                "4989e0 4c8d4c2408",  # mov r8, rsp; lea r9, [rsp + 8]
                "ff15 e30f0000",
                "f20f100424 f20f104c2408 4883c418 c3",
            ),
        ),
        (
            Division("f", "single"),
            code(
                "4883ec18 4889f2 488d4e04 488d7704 4989e0 4c8d4c2404",
                "ff15 e30f0000 f20f100424 4883c418 c3",
            ),
        ),
        (Answer(5), code("b805000000 c3")),  # mov eax, 5; ret
        (Answer("text"), code("488d05 f9f0ffff c3")),  # lea rax, [rip - 0xf07]; ret
    ],
)
def test_an_action_is_this_code(action: Action, expected: bytes) -> None:
    assert assemble(action, 0x1000, PLACES) == expected


@pytest.mark.parametrize("at", [0, 0x1234, 0x100000])
def test_code_is_as_long_wherever_it_stands(at: int) -> None:
    for action in (Jump("f"), Answer("text"), Division("f", "single"), CDot("f", "double")):
        assert len(assemble(action, at, PLACES)) == len(assemble(action, 0x1000, PLACES))


def test_a_routine_makes_its_calls() -> None:
    calls = [Call("f", ("text", "value", 1)), Call("f", ("text", 0x105))]
    assert assemble_routine(calls, 0x1000, PLACES) == code(
        "4883ec08",  # sub rsp, 8
        "488d3d f5f0ffff",  # lea rdi, [text]
        "488d35 eef1ffff",  # lea rsi, [value]
        "ba01000000",  # mov edx, 1
        "ff15 e30f0000",  # call [f]
        "488d3d dcf0ffff be05010000 ff15 d10f0000",
        "4883c408 c3",  # add rsp, 8; ret
    )


def test_a_routine_may_pass_the_address_of_another() -> None:
    assert assemble_routine([Call("f", (0, 0, AddressOf("in_child"), 5))], 0x1000, PLACES) == code(
        "4883ec08 bf00000000 be00000000",  # mov edi, 0; mov esi, 0
        "488d15 6b000000",  # lea rdx, [in_child]
        "b905000000",  # mov ecx, 5
        "ff15 e0 0f0000 4883c408 c3",
    )
