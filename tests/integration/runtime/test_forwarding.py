"""Forwarding libraries loaded by glibc, on the machine the tests run on.

No compiler is needed: the C library plays the implementation. ``sscanf`` stores through
its arguments and ``dprintf`` shows them, so a function that reaches them with its
arguments in place is a function that works.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from envmgr.runtime.forwarding.types import (
    Action,
    Answer,
    Call,
    CDot,
    Division,
    FortranDot,
    Forward,
    ForwardingLibrary,
    Jump,
    Machine,
    Variable,
)
from envmgr.runtime.forwarding.writer import render_forwarding_library

HERE: Machine = "aarch64" if platform.machine() == "aarch64" else "x86_64"

PRELUDE = """
import ctypes, json, os, struct, sys

class Single(ctypes.Structure):
    _fields_ = [("real", ctypes.c_float), ("imaginary", ctypes.c_float)]

class Double(ctypes.Structure):
    _fields_ = [("real", ctypes.c_double), ("imaginary", ctypes.c_double)]

# CPython's ctypes returns structures of two floats as a complex value is returned here
# (System V psABI 3.2.3, AAPCS64 6.9: both are two values of one floating-point type).
"""


def write(
    directory: Path, name: str, *, forwards: tuple[Forward, ...] = (), **rest: object
) -> Path:
    values = {"needed": ("libc.so.6",), "soname": name, "machine": HERE, **rest}
    library = ForwardingLibrary(forwards=forwards, **values)  # type: ignore[arg-type]
    path = directory / name
    path.write_bytes(render_forwarding_library(library))
    return path


def run(script: str, *arguments: object, **environment: str) -> str:
    """Run a script in a process of its own; a crash there fails here."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + script, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr or f"it ended with {done.returncode}"
    return done.stdout


def one(tmp_path: Path, action: Action) -> Path:
    return write(tmp_path, "libone.so", forwards=(Forward("f", action),))


def test_a_jump_reaches_its_target_with_all_its_arguments(tmp_path: Path) -> None:
    path = one(tmp_path, Jump("snprintf"))
    script = """
f = ctypes.CDLL(sys.argv[1]).f
text = ctypes.create_string_buffer(200)
numbers = [ctypes.c_long(n) for n in range(9)]
f(text, 200, b"%ld %ld %ld %ld %ld %ld %ld %ld %ld %.2f", *numbers, ctypes.c_double(2.5))
print(text.value.decode())
"""
    assert run(script, path) == "0 1 2 3 4 5 6 7 8 2.50\n"


def test_answers_are_returned(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "libanswers.so",
        forwards=(Forward("number", Answer(0x12345678)), Forward("text", Answer("no BLAS é"))),
    )
    script = """
library = ctypes.CDLL(sys.argv[1])
library.text.restype = ctypes.c_char_p
print(json.dumps([library.number(), library.text().decode()]))
"""
    assert json.loads(run(script, path)) == [0x12345678, "no BLAS é"]


@pytest.mark.parametrize(("precision", "form", "size"), [("single", "ff", 4), ("double", "dd", 8)])
def test_a_fortran_dot_product_returns_what_was_stored(
    tmp_path: Path, precision: str, form: str, size: int
) -> None:
    path = one(tmp_path, FortranDot("sscanf", 64, precision))  # type: ignore[arg-type]
    script = """
size, form, kind = int(sys.argv[2]), sys.argv[3], {"4": Single, "8": Double}[sys.argv[2]]
f = ctypes.CDLL(sys.argv[1]).f
f.restype = kind
parts = b"ABCDEFGHIJKLMNOP"[: 2 * size]
source = ctypes.create_string_buffer(b"xyz" + parts)
pattern = ctypes.create_string_buffer(b"%%c%%c%%c%%%dc" % (2 * size))
first, second, third = (ctypes.create_string_buffer(2) for _ in range(3))
value = f(
    ctypes.byref(ctypes.c_void_p(ctypes.addressof(source))), pattern,
    ctypes.byref(ctypes.c_void_p(ctypes.addressof(first))), second,
    ctypes.byref(ctypes.c_void_p(ctypes.addressof(third))),
)
assert (first.value, second.value, third.value) == (b"x", b"y", b"z")
assert (value.real, value.imaginary) == struct.unpack("<" + form, parts)
"""
    run(script, path, size, form)


def test_narrow_integers_are_widened_with_their_sign(tmp_path: Path) -> None:
    path = one(tmp_path, FortranDot("dprintf", 32, "double"))
    script = """
f = ctypes.CDLL(sys.argv[1]).f
f.restype = Double
integer = lambda n: ctypes.byref(ctypes.c_int64(n & 0xFFFFFFFF | 0x5A << 32))
f(integer(1), b"%ld %s %ld\\n", integer(-3), b"y", integer(-7))
"""
    assert run(script, path) == "-3 y -7\n"


def test_wide_integers_are_passed_whole(tmp_path: Path) -> None:
    path = one(tmp_path, FortranDot("dprintf", 64, "double"))
    script = """
f = ctypes.CDLL(sys.argv[1]).f
f.restype = Double
integer = lambda n: ctypes.byref(ctypes.c_int64(n))
f(integer(1), b"%ld %s %ld\\n", integer(-(1 << 40)), b"y", integer(1 << 33))
"""
    assert run(script, path) == f"{-(1 << 40)} y {1 << 33}\n"


def test_a_c_dot_product_returns_what_was_stored(tmp_path: Path) -> None:
    path = one(tmp_path, CDot("sscanf", "double"))
    script = """
f = ctypes.CDLL(sys.argv[1]).f
f.restype = Double
first, second, third = (ctypes.create_string_buffer(2) for _ in range(3))
value = f(b"xyzABCDEFGHIJKLMNOP", b"%c%c%c%16c", first, second, third)
assert (first.value, second.value, third.value) == (b"x", b"y", b"z")
assert (value.real, value.imaginary) == struct.unpack("<dd", b"ABCDEFGHIJKLMNOP")
"""
    run(script, path)


@pytest.mark.parametrize(("precision", "form", "size"), [("single", "ff", 4), ("double", "dd", 8)])
def test_a_division_passes_the_parts_and_returns_the_parts(
    tmp_path: Path, precision: str, form: str, size: int
) -> None:
    """The numerator's real part is the text that is read, its imaginary part the pattern."""
    path = one(tmp_path, Division("sscanf", precision))  # type: ignore[arg-type]
    script = """
size, form, kind = int(sys.argv[2]), sys.argv[3], {"4": Single, "8": Double}[sys.argv[2]]
f = ctypes.CDLL(sys.argv[1]).f
f.restype = kind
pattern = b"%%c%%c%%%dc%%%dc" % (size, size)
text = b"ABCDEFGH"[:size] + pattern
numerator = ctypes.create_string_buffer(text)
denominator = ctypes.create_string_buffer(2 * size)
value = f(numerator, denominator)
assert (denominator.raw[:1], denominator.raw[size : size + 1]) == (b"A", b"B")
assert (value.real, value.imaginary) == struct.unpack("<" + form, text[2 : 2 + 2 * size])
"""
    run(script, path, size, form)


SHOW = """
ctypes.CDLL(sys.argv[1])
get = ctypes.CDLL(None).getenv
get.restype = ctypes.c_char_p
print(get(b"ENVMGR_KEPT"), get(b"ENVMGR_OVERWRITTEN"))
"""


def test_variables_are_set_when_it_is_loaded(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "libset.so",
        environment=(Variable("ENVMGR_KEPT", "a"), Variable("ENVMGR_OVERWRITTEN", "b", True)),
    )
    assert run(SHOW, path) == "b'a' b'b'\n"
    set_already = {"ENVMGR_KEPT": "1", "ENVMGR_OVERWRITTEN": "2"}
    assert run(SHOW, path, **set_already) == "b'1' b'b'\n"


@pytest.mark.parametrize(
    ("routine", "expected"), [("before_fork", "b'x' b'x'"), ("in_child", "None b'x'")]
)
def test_a_fork_calls_what_it_was_told_to(tmp_path: Path, routine: str, expected: str) -> None:
    calls = (Call("setenv", ("ENVMGR_FORK", "x", 1)),)
    path = write(
        tmp_path,
        "libfork.so",
        before_fork=calls if routine == "before_fork" else (),
        in_child=calls if routine == "in_child" else (),
    )
    script = """
library = ctypes.CDLL(sys.argv[1])
get = ctypes.CDLL(None).getenv
get.restype = ctypes.c_char_p
assert get(b"ENVMGR_FORK") is None
ends = os.pipe()
child = os.fork()
if child == 0:
    os.write(ends[1], repr(get(b"ENVMGR_FORK")).encode())
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(get(b"ENVMGR_FORK"), os.read(ends[0], 100).decode())
"""
    assert run(script, path) == f"{expected}\n"


def test_a_library_without_symbols_gives_its_consumers_what_it_needs(tmp_path: Path) -> None:
    """As for a package that imports standard names: they are found one library further."""
    write(tmp_path, "libimplementation.so", forwards=(Forward("dgemm_", Answer(7)),))
    write(
        tmp_path,
        "libvendored.so",
        needed=("libimplementation.so",),
        runpath=("$ORIGIN",),
        environment=(Variable("ENVMGR_KEPT", "a"),),
    )
    consumer = write(
        tmp_path,
        "consumer.so",
        needed=("libvendored.so",),
        runpath=("$ORIGIN",),
        forwards=(Forward("go", Jump("dgemm_")),),
    )
    assert run("print(ctypes.CDLL(sys.argv[1]).go())" + SHOW, consumer) == "7\nb'a' None\n"


def test_a_target_that_nobody_has_fails_at_loading_and_not_at_the_call(tmp_path: Path) -> None:
    path = one(tmp_path, Jump("no_such_function_"))
    script = """
try:
    ctypes.CDLL(sys.argv[1])
except OSError as error:
    print(error)
"""
    assert "undefined symbol: no_such_function_" in run(script, path)


def test_an_rpath_comes_before_the_environment_and_a_runpath_after_it(tmp_path: Path) -> None:
    for place in ("mine", "theirs"):
        (tmp_path / place).mkdir()
        write(tmp_path / place, "libshared.so", forwards=(Forward("who", Answer(place)),))
    found = []
    for kind in ("rpath", "runpath"):
        path = write(
            tmp_path,
            f"lib{kind}.so",
            needed=("libshared.so",),
            forwards=(Forward("go", Jump("who")),),
            **{kind: (str(tmp_path / "mine"),)},
        )
        script = """
go = ctypes.CDLL(sys.argv[1]).go
go.restype = ctypes.c_char_p
print(go().decode(), end="")
"""
        found.append(run(script, path, LD_LIBRARY_PATH=str(tmp_path / "theirs")))
    assert found == ["mine", "theirs"]


def test_a_version_is_found_by_who_asks_for_it(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "libversions.so",
        forwards=(Forward("f", Answer(1), "V_1.0"), Forward("g", Answer(2))),
    )
    script = """
library = ctypes.CDLL(sys.argv[1])
find = ctypes.CDLL(None).dlvsym
find.restype = ctypes.c_void_p
handle = ctypes.c_void_p(library._handle)
address = find(handle, b"f", b"V_1.0")
print(ctypes.CFUNCTYPE(ctypes.c_int)(address)(), find(handle, b"f", b"V_2.0"), library.g())
"""
    assert run(script, path) == "1 None 2\n"


def test_what_was_filled_in_cannot_be_written_afterwards(tmp_path: Path) -> None:
    path = one(tmp_path, Jump("getpid"))
    script = """
ctypes.CDLL(sys.argv[1])
for line in open("/proc/self/maps"):
    if sys.argv[1] in line:
        print(line.split()[1])
"""
    assert run(script, path).split() == ["r--p", "r-xp", "r--p"]


def test_five_thousand_functions_are_found_each(tmp_path: Path) -> None:
    forwards = tuple(Forward(f"f{number}_", Answer(number)) for number in range(5000))
    path = write(tmp_path, "libmany.so", forwards=forwards)
    script = """
library = ctypes.CDLL(sys.argv[1])
print(all(getattr(library, f"f{number}_")() == number for number in range(5000)))
"""
    assert run(script, path) == "True\n"
