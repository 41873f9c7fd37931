"""A wheel's METADATA (core metadata specification, PEP 643, 685, 714)."""

import re

from msgspec import Struct
from packaging.version import Version

from envmgr.names import ExtraName, InvalidName, PackageName, extra_name, package_name
from envmgr.wheel.headers import parse_headers

NEWEST_METADATA_MAJOR = 2
"""Core metadata: a newer minor version is read, a newer major one is refused."""

_NUMBERED = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})", re.ASCII)


class CoreMetadata(Struct, frozen=True, kw_only=True):
    """What a resolution needs of METADATA. ``requires_dist`` is as written, in order."""

    name: PackageName
    version: Version
    requires_python: str | None
    requires_dist: tuple[str, ...]
    provides_extra: frozenset[ExtraName]


class InvalidMetadata(ValueError):
    """A METADATA that cannot be used; ``reason`` is one clause."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"METADATA cannot be used: {self.reason}"


def parse_metadata(data: bytes | str) -> CoreMetadata:
    """Read METADATA; the description is not looked at.

    Extras that no requirement could name are left out. Raises InvalidMetadata.
    """
    first: dict[str, str] = {}
    requires: list[str] = []
    extras: list[str] = []
    for name, value in parse_headers(data):
        if name == "requires-dist":
            requires.append(value)
        elif name == "provides-extra":
            extras.append(value)
        else:
            first.setdefault(name, value)
    _check_format(first)
    return CoreMetadata(
        name=_name(first),
        version=_version(first),
        requires_python=first.get("requires-python") or None,
        requires_dist=tuple(requires),
        provides_extra=frozenset(_extras(extras)),
    )


def _check_format(headers: dict[str, str]) -> None:
    written = headers.get("metadata-version")
    if written is not None:
        match = _NUMBERED.fullmatch(written)
        if match is None:
            raise InvalidMetadata(f"{written!r} is not a metadata version")
        if int(match[1]) > NEWEST_METADATA_MAJOR:
            raise InvalidMetadata(f"metadata version {written} is newer than this program knows")
    wheel_version = headers.get("wheel-version")  # PEP 777: absent means 1
    if wheel_version is not None and wheel_version.partition(".")[0] != "1":
        raise InvalidMetadata(f"wheel version {wheel_version} is newer than this program knows")


def _name(headers: dict[str, str]) -> PackageName:
    written = headers.get("name")
    if written is None:
        raise InvalidMetadata("it has no Name")
    try:
        return package_name(written)
    except InvalidName as error:
        raise InvalidMetadata(str(error)) from None


def _version(headers: dict[str, str]) -> Version:
    written = headers.get("version")
    if written is None:
        raise InvalidMetadata("it has no Version")
    try:
        return Version(written)
    except ValueError:  # InvalidVersion, or more digits than int() takes
        raise InvalidMetadata(f"{written[:80]!r} is not a version") from None


def _extras(written: list[str]) -> list[ExtraName]:
    extras = []
    for text in written:
        try:
            extras.append(extra_name(text))
        except InvalidName:
            continue
    return extras
