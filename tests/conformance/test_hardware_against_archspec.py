"""This machine's CPU level is the one archspec gives it."""

import os

import pytest
from archspec.cpu import TARGETS, host

from envmgr.hardware.cpu import x86_64_level
from envmgr.hardware.host import RealHost, detect_hardware

LEVELS = ("x86_64", "x86_64_v2", "x86_64_v3", "x86_64_v4")


@pytest.mark.parametrize("level", LEVELS)
def test_what_archspec_asks_of_a_level_gives_that_level(level: str) -> None:
    assert x86_64_level(frozenset(TARGETS[level].features) | _spelt_our_way(level)) == level


def _spelt_our_way(level: str) -> frozenset[str]:
    """archspec asks Linux's name ``abm`` or its own, and leaves pni, an alias of sse3, out."""
    return frozenset({"sse3", "lzcnt"} if level != "x86_64" else ())


def test_this_machine_has_the_level_archspec_says() -> None:
    profile = detect_hardware(RealHost(os.environ))
    known = host()
    assert profile.architecture == known.family.name
    if known.family.name == "x86_64":
        assert profile.cpu == known.generic.name
    else:
        assert profile.cpu is None
