"""The file WHEEL of a wheel (PEP 427, binary distribution format)."""

import re

from msgspec import Struct

from envmgr.wheel.headers import parse_headers

SUPPORTED_MAJOR = 1
LINKED_VERSION = (2, 0)
"""What PEP 778 wants of a wheel with links; known where LINKS is there, and only there."""

_NUMBERED = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})", re.ASCII)


class InvalidWheelInfo(ValueError):
    """A WHEEL file that cannot be used; ``reason`` is one clause."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"WHEEL cannot be used: {self.reason}"


class WheelInfo(Struct, frozen=True):
    """What WHEEL says: the format's version, where the root goes, the tags as written."""

    wheel_version: tuple[int, int]
    root_is_purelib: bool
    tags: tuple[str, ...]


def parse_wheel_info(data: bytes | str, *, linked: bool = False) -> WheelInfo:
    """Read WHEEL.

    A newer minor version is accepted (PEP 427 asks to warn), a newer major one
    is not, but for 2.0 of a wheel that is ``linked``. Raises InvalidWheelInfo.
    """
    headers = parse_headers(data)
    first = dict(reversed(headers))
    written = first.get("wheel-version")
    if written is None:
        raise InvalidWheelInfo("it has no Wheel-Version")
    match = _NUMBERED.fullmatch(written)
    if match is None:
        raise InvalidWheelInfo(f"{written!r} is not a wheel version")
    version = (int(match[1]), int(match[2]))
    if version[0] != SUPPORTED_MAJOR and not (linked and version == LINKED_VERSION):
        raise InvalidWheelInfo(f"wheel version {written} is not one this program knows")
    return WheelInfo(
        version,
        first.get("root-is-purelib", "").lower() == "true",
        tuple(value for name, value in headers if name == "tag"),
    )
