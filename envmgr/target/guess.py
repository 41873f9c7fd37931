"""What an interpreter's path tells of its version, before anything is run.

A guess orders and rules out; it never decides: what is chosen was probed, and
what was ruled out is probed before "there is none" is said.
"""

import posixpath
import re

from msgspec import Struct
from packaging.specifiers import SpecifierSet

from envmgr.hardware.host import Host

_NAME = re.compile(r"(python|pypy)(\d)\.(\d+)(t?)(d?)", re.ASCII)
_DIRECTORY = re.compile(
    r"(?:^|-|@)(\d)\.(\d+)(?:\.(\d+))?((?:a|b|rc)\d+|-dev)?(?=$|[^\d.])", re.ASCII
)
_MICRO = re.compile(r"(?<![\d.])(\d+\.\d+)\.(\d+)", re.ASCII)
_DETAILS_SINCE = (3, 14)
"""The first Python that has a ``build-details.json`` (PEP 739)."""
_DETAILS_LIMIT = 64 * 1024
"""Bytes."""


class Guess(Struct, frozen=True):
    """A version as far as it can be told; ``None`` where it cannot."""

    minor: tuple[int, int] | None = None
    release: bool | None = None
    """``False`` for a pre-release."""
    ordinary: bool = True
    """CPython, neither free-threaded nor for debugging."""


def guess_version(host: Host, real: str) -> Guess:
    """Tell from an interpreter's real path, and its ``build-details.json`` if it has one.

    Names are ``python3.13t``, ``pypy3.10``; version managers call the directory
    ``3.13.0rc1`` or ``cpython-3.12.5-linux-x86_64-gnu``.
    """
    name = _NAME.fullmatch(posixpath.basename(real))
    prefix = posixpath.dirname(posixpath.dirname(real))
    directory = _DIRECTORY.search(posixpath.basename(prefix))
    if name is None:
        return Guess()
    kind, major, minor, threads, debug = name.groups()
    number = (int(major), int(minor))
    ordinary = kind == "python" and not threads and not debug
    release = None
    if directory and (int(directory[1]), int(directory[2])) == number:
        release = directory[4] is None
    if release is None and kind == "python" and number >= _DETAILS_SINCE:
        library = posixpath.join(prefix, "lib", f"python{major}.{minor}{threads}")
        data = host.read_bytes(posixpath.join(library, "build-details.json"), _DETAILS_LIMIT)
        release = parse_release(data) if data else None
    return Guess(number, release, ordinary)


def parse_release(build_details: bytes) -> bool | None:
    """Whether PEP 739's ``language.version_info`` is that of a final release, if it says so."""
    import json

    try:
        return bool(
            json.loads(build_details)["language"]["version_info"]["releaselevel"] == "final"
        )
    except (ValueError, KeyError, TypeError):
        return None


def may_admit(specifier: SpecifierSet, minor: tuple[int, int]) -> bool:
    """Whether a specifier admits any final release of a minor version.

    It can change its mind only beside the numbers it names, so those are tried,
    and one far beyond them.
    """
    name = f"{minor[0]}.{minor[1]}"
    named = [int(micro) for its, micro in _MICRO.findall(str(specifier)) if its == name]
    beside = {micro + step for micro in named for step in (-1, 0, 1)}
    micros = sorted({0, *beside, max(beside, default=0) + 1} - {-1})
    return any(specifier.contains(f"{name}.{micro}", prereleases=True) for micro in micros)
