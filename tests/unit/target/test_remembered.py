import pytest

from envmgr.target.remembered import (
    UnreadableInterpreter,
    decode_interpreter,
    encode_interpreter,
)
from envmgr.target.types import Glibc, Interpreter, MacOS, Musl
from tests.support.host import make_interpreter


@pytest.mark.parametrize(
    "interpreter",
    [
        make_interpreter(),
        make_interpreter(libc=Musl(1, 2), refused_platforms=("manylinux_2_17_x86_64",)),
        make_interpreter(libc=MacOS(14, 1), platform="macosx-11.0-arm64"),
        make_interpreter((3, 13, 0), libc=None, free_threaded=True, debug=True, soabi=None),
        make_interpreter((3, 10, 14), libc=Glibc(2, 17), implementation="pypy", pointer_bits=32),
    ],
)
def test_what_is_written_is_read_back(interpreter: Interpreter) -> None:
    assert decode_interpreter(encode_interpreter(interpreter)) == interpreter


def test_damaged_bytes_are_unreadable_and_never_an_interpreter() -> None:
    data = encode_interpreter(make_interpreter())
    for end in range(len(data)):
        with pytest.raises(UnreadableInterpreter):
            decode_interpreter(data[:end])
    for other in (b"", b"\xc0", b"\x90", data.replace(b"cpython", b"ironpyt", 1)):
        with pytest.raises(UnreadableInterpreter):
            decode_interpreter(other)
    with pytest.raises(UnreadableInterpreter, match="C library"):
        decode_interpreter(data.replace(b"glibc", b"newli"))
