"""Platform tags that demand a version of the system's library (PEP 600, 656; macOS)."""

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

from msgspec import Struct

from envmgr.target.types import Glibc, Libc, MacOS, Musl

Kind: TypeAlias = Literal["manylinux", "musllinux", "macosx"]

LIBRARIES: dict[Kind, str] = {"manylinux": "glibc", "musllinux": "musl", "macosx": "macOS"}

_KINDS: dict[str, Kind] = {kind: kind for kind in LIBRARIES}
_VERSIONED = re.compile(r"(manylinux|musllinux|macosx)_([0-9]{1,6})_([0-9]{1,6})_(\w+)", re.ASCII)
_LEGACY = re.compile(r"(manylinux1|manylinux2010|manylinux2014)_(\w+)", re.ASCII)
_LEGACY_VERSIONS = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}


class PlatformFloor(Struct, frozen=True):
    """The lowest version of a system's library that a tag admits."""

    kind: Kind
    version: tuple[int, int]
    architecture: str

    def __str__(self) -> str:
        return f"{self.kind}_{self.version[0]}_{self.version[1]}_{self.architecture}"


def parse_floor(platform: str) -> PlatformFloor | None:
    """Read a platform tag; ``None`` for one that demands no version (``any``, ``linux_x86_64``)."""
    if match := _VERSIONED.fullmatch(platform):
        return PlatformFloor(_KINDS[match[1]], (int(match[2]), int(match[3])), match[4])
    if match := _LEGACY.fullmatch(platform):
        return PlatformFloor("manylinux", _LEGACY_VERSIONS[match[1]], match[2])
    return None


def lowest_sufficient(platforms: Iterable[str]) -> PlatformFloor | None:
    """Return the least of what a wheel's platform tags demand; one that demands nothing wins."""
    floors = [parse_floor(platform) for platform in platforms]
    demanding = [floor for floor in floors if floor is not None]
    if len(demanding) < len(floors) or not demanding:
        return None
    return min(demanding, key=_version_first)


def highest(floors: Iterable[PlatformFloor]) -> PlatformFloor | None:
    """Return the floor that a machine must reach to reach them all."""
    return max(floors, key=_version_first, default=None)


def library_of(libc: Libc) -> tuple[Kind, tuple[int, int]]:
    """Return which kind of platform tag a library serves, and up to which version."""
    match libc:
        case Glibc(major, minor):
            return "manylinux", (major, minor)
        case Musl(major, minor):
            return "musllinux", (major, minor)
        case MacOS(major, minor):
            return "macosx", (major, minor)


def _version_first(floor: PlatformFloor) -> tuple[tuple[int, int], str, str]:
    return floor.version, floor.kind, floor.architecture
