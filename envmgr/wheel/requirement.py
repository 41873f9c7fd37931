"""What somebody asks for: PEP 508, split into the kinds that differ in meaning."""

import re
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as _Parsed
from packaging.specifiers import SpecifierSet

from envmgr.names import ExtraName, PackageName, extra_name, package_name


class Named(Struct, frozen=True):
    """A requirement on a project's versions.

    ``extras`` is ``None`` where none were written and empty for ``name[]``
    (PEP 771 gives the two different meanings).
    """

    name: PackageName
    extras: frozenset[ExtraName] | None
    specifier: SpecifierSet
    marker: Marker | None = None

    def __str__(self) -> str:
        specifier = f" {self.specifier}" if str(self.specifier) else ""
        return f"{self.name}{_bracketed(self.extras)}{specifier}{_suffix(self.marker)}"


class Direct(Struct, frozen=True):
    """A requirement on the one wheel at a URL (PEP 508 ``name @ url``)."""

    name: PackageName
    extras: frozenset[ExtraName] | None
    url: str
    marker: Marker | None = None

    def __str__(self) -> str:
        gap = " " if self.marker else ""
        return f"{self.name}{_bracketed(self.extras)} @ {self.url}{gap}{_suffix(self.marker)}"


class Family(Struct, frozen=True):
    """A requirement on a shared runtime, such as ``mpi``; ``None`` takes any implementation.

    ``ground`` is a clause that says why one of several is needed.
    """

    family: str
    implementation: str | None = None
    one_of: tuple[str, ...] = ()
    ground: str = ""

    def __str__(self) -> str:
        named = self.implementation or " or ".join(self.one_of)
        return f"runtime {self.family}{f' = {named}' if named else ''}{self.ground}"


Requirement: TypeAlias = Named | Direct | Family


class RequirementSyntaxError(ValueError):
    """A text that PEP 508 does not allow; ``reason`` is one clause, ``column`` counts from 0."""

    def __init__(self, text: str, reason: str, column: int | None = None) -> None:
        super().__init__(text, reason, column)
        self.text = text
        self.reason = reason
        self.column = column

    def __str__(self) -> str:
        return f"{self.text!r} is not a requirement: {self.reason}"


_EMPTY_EXTRAS = re.compile(r"\s*[A-Za-z0-9][A-Za-z0-9._-]*\s*\[\s*\]")


@lru_cache(maxsize=65536)
def parse_requirement(text: str) -> Named | Direct:
    """Read one PEP 508 dependency specifier.

    Raises RequirementSyntaxError.
    """
    try:
        parsed = _Parsed(text)
    except InvalidRequirement as error:
        lines = str(error).splitlines() or ["invalid"]
        caret = next((line.index("^") for line in lines if "^" in line), None)
        column = None if caret is None else max(caret - 4, 0)
        raise RequirementSyntaxError(text, lines[0], column) from None
    extras: frozenset[ExtraName] | None = frozenset(extra_name(extra) for extra in parsed.extras)
    if not extras and not _EMPTY_EXTRAS.match(text):
        extras = None
    name = package_name(parsed.name)
    if parsed.url is not None:
        return Direct(name, extras, parsed.url, parsed.marker)
    return Named(name, extras, parsed.specifier, parsed.marker)


def _bracketed(extras: frozenset[ExtraName] | None) -> str:
    return "" if extras is None else f"[{','.join(sorted(extras))}]"


def _suffix(marker: Marker | None) -> str:
    return "" if marker is None else f"; {marker}"
