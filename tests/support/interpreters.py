"""The real interpreters of the machine the tests run on."""

import os
from functools import cache

from envmgr.hardware.host import RealHost
from envmgr.target.discover import FoundInterpreter, discover_interpreters
from envmgr.target.probe import InterpreterUnusable, probe_interpreter
from envmgr.target.types import Interpreter


@cache
def real_host() -> RealHost:
    return RealHost(os.environ)


@cache
def found_here() -> tuple[FoundInterpreter, ...]:
    """Everything discovery finds; the one that runs the tests is always among it."""
    return discover_interpreters(real_host())


@cache
def usable_here() -> tuple[Interpreter, ...]:
    """Those an environment can have."""
    usable = []
    for found in found_here():
        try:
            usable.append(probe_interpreter(found.path, real_host(), None))
        except InterpreterUnusable:
            continue
    return tuple(usable)


def label(interpreter: Interpreter) -> str:
    """Name an interpreter in a test's id, without its path."""
    return f"{interpreter.implementation}-{interpreter.markers['python_full_version']}"
