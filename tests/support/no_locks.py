"""Processes for which the kernel refuses locks, as file systems without any do."""

import ctypes
import platform
import struct
from collections.abc import Callable

NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2
FLOCK = {"x86_64": 73, "aarch64": 32}
LOAD, EQUAL, ANSWER = 0x20, 0x15, 0x06
REFUSE, ALLOW = 0x00050000, 0x7FFF0000


def without_locks(error: int) -> Callable[[], None]:
    """For a child's ``preexec_fn``: every ``flock`` of what it becomes fails with ``error``."""

    def refuse() -> None:
        number = FLOCK[platform.machine()]
        steps = [(LOAD, 0, 0), (EQUAL, 1, number), (ANSWER, 0, REFUSE | error), (ANSWER, 0, ALLOW)]
        code = b"".join(struct.pack("HBBI", what, 0, skip, value) for what, skip, value in steps)
        buffer = ctypes.create_string_buffer(code)
        program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(buffer))
        libc = ctypes.CDLL(None)
        if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(SET_SECCOMP, FILTER, program):
            raise OSError("the kernel takes no filter of system calls")

    return refuse
