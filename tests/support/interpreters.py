"""The real interpreters of the machine the tests run on."""

import os
import sys
from functools import cache

import pytest
from packaging.specifiers import SpecifierSet

from envmgr.hardware.host import RealHost
from envmgr.spec.types import PythonRange
from envmgr.target.discover import (
    FoundInterpreter,
    NoInterpreter,
    choose_interpreter,
    discover_interpreters,
)
from envmgr.target.probe import InterpreterUnusable, probe_interpreter
from envmgr.target.types import Interpreter
from tests.support.users import as_nobody


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


def need_python_for_others() -> None:
    """Fail with the reason where another user has no Python like this one, as in a closed home.

    What this one locks is for its own minor version, and a test of permissions that was not run
    must not look as if it had passed.
    """
    minor = "{}.{}".format(*sys.version_info)
    if not _others_have(minor):
        pytest.fail(f"no Python {minor} is within another user's reach: put one where all may look")


@cache
def _others_have(minor: str) -> bool:
    def attempt() -> str:
        host = RealHost({"PATH": os.environ["PATH"], "ENVMGR_PYTHONS": sys.executable})
        try:
            return choose_interpreter(
                PythonRange(SpecifierSet(f"=={minor}.*")),
                discover_interpreters(host),
                lambda path: probe_interpreter(path, host, None),
            ).version_text
        except NoInterpreter:
            return ""

    return as_nobody(attempt) != ""


def label(interpreter: Interpreter) -> str:
    """Name an interpreter in a test's id, without its path."""
    return f"{interpreter.implementation}-{interpreter.markers['python_full_version']}"
