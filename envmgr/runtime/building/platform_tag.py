"""The platform tag that a library of the host can be given (PEP 600)."""

import re
from collections.abc import Iterable

from envmgr.wheel.manifest import ElfFacts

_LOWEST = {"x86_64": 5, "i686": 5, "aarch64": 17, "ppc64le": 17, "s390x": 17, "armv7l": 17}
"""The first glibc 2.N that wheels of an architecture may ask for; 2.17 for others."""
_RELATIVE = 36
"""glibc 2.N that first has ``GLIBC_ABI_DT_RELR``."""
_GLIBC = re.compile(r"GLIBC_2\.([0-9]+)(?:\.[0-9]+)?")
_LIBSTDCXX = re.compile(r"GLIBCXX_3\.4\.([0-9]+)")
_STANDARD_LIBRARY = (
    (8, 5), (13, 12), (19, 17), (22, 24), (24, 27), (28, 31), (29, 34), (30, 35), (33, 39),
)  # fmt: skip
"""Up to which GLIBCXX_3.4.N a system with which glibc 2.N has, by auditwheel's policies."""


class NoPlatformTag(ValueError):
    """A library that no tag of PEP 600 is right for; ``reason`` is one clause."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} fits no platform tag: {self.reason}"


def platform_tag(libraries: Iterable[ElfFacts]) -> str:
    """Return ``manylinux_2_N_ARCHITECTURE``, by the symbol versions that libraries ask for.

    Raises NoPlatformTag.
    """
    machine, minor = "", 0
    for facts in libraries:
        if machine not in ("", facts.machine):
            raise NoPlatformTag(facts.path, f"it is for {facts.machine}, another for {machine}")
        machine = facts.machine
        minor = max(minor, _LOWEST.get(machine, 17), _glibc_of(facts))
    if not machine:
        raise NoPlatformTag("the wheel", "it holds no library")
    return f"manylinux_2_{minor}_{machine}"


def _glibc_of(facts: ElfFacts) -> int:
    if any(name.startswith("libc.musl-") for name in facts.needed):
        raise NoPlatformTag(facts.path, "it is built for musl")
    found = 0
    for library, versions in facts.needed_versions.items():
        for version in versions:
            if version == "GLIBC_PRIVATE":
                raise NoPlatformTag(facts.path, f"it uses what is private to {library}")
            if version == "GLIBC_ABI_DT_RELR":
                found = max(found, _RELATIVE)
            elif match := _GLIBC.fullmatch(version):
                found = max(found, int(match[1]))
            elif match := _LIBSTDCXX.fullmatch(version):
                found = max(found, _glibc_with(int(match[1]), facts))
    return found


def _glibc_with(wanted: int, facts: ElfFacts) -> int:
    for last, minor in _STANDARD_LIBRARY:
        if wanted <= last:
            return minor
    raise NoPlatformTag(facts.path, f"it asks for GLIBCXX_3.4.{wanted}, newer than any tag's")
