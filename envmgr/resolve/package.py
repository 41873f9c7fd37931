"""One name as the solvers see it: options as bits, requirements as masks over them.

Bit 0 is the option tried first. A mask says which options a requirement
admits; all reasoning about versions is then arithmetic on integers.
"""

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envmgr.index.types import (
    Candidate,
    Exclusion,
    Offer,
    PythonMismatch,
    UnusableMetadata,
    WheelCandidate,
)
from envmgr.names import PackageName
from envmgr.resolve.ranges import VersionOrder
from envmgr.wheel.requirement import Direct


class PrereleaseNotAllowed(Struct, frozen=True):
    """A pre-release of a name whose pre-releases are not eligible."""


class AsksForUrl(Struct, frozen=True):
    """The wheel's metadata asks for a URL (PEP 440: not allowed from an index)."""

    requirement: Direct


class ContradictsItself(Struct, frozen=True):
    """The wheel's metadata asks for another version of its own project."""

    requirement: str


Refusal: TypeAlias = UnusableMetadata | PythonMismatch | AsksForUrl | ContradictsItself
"""Why a candidate, or one extra of it, is out once its metadata was read."""

WithheldReason: TypeAlias = Exclusion | PrereleaseNotAllowed


class Withheld(Struct, frozen=True):
    """A version that exists and is no option, with why."""

    version: Version
    reason: WithheldReason


class Package:
    """The options of one name. ``needs_pin`` masks yanked ones that something must pin."""

    __slots__ = (
        "_masks",
        "_order",
        "_pins",
        "count",
        "full",
        "name",
        "needs_pin",
        "offer",
        "options",
        "withheld",
    )

    def __init__(
        self,
        name: PackageName,
        offer: Offer | None,
        options: tuple[Candidate, ...],
        withheld: tuple[Withheld, ...],
        needs_pin: int,
    ) -> None:
        self.name = name
        self.offer = offer
        self.options = options
        self.withheld = withheld
        self.needs_pin = needs_pin
        self.count = len(options)
        self.full = (1 << self.count) - 1
        self._order = VersionOrder([option.version for option in options])
        self._masks: dict[str, int] = {"": self.full}
        self._pins: dict[str, int] = {}

    def mask(self, specifier: SpecifierSet) -> int:
        """Return the options whose version is in ``specifier`` (PEP 440, pre-releases included)."""
        text = str(specifier)
        if text not in self._masks:
            self._masks[text] = self._order.mask(specifier)
        return self._masks[text]

    def pins(self, specifier: SpecifierSet) -> int:
        """Return the yanked options that ``specifier`` asks for by exact version (PEP 592)."""
        if not self.needs_pin:
            return 0
        text = str(specifier)
        if text not in self._pins:
            self._pins[text] = sum(
                1 << position
                for position in bits(self.needs_pin)
                if pins_exactly(specifier, self.options[position].version)
            )
        return self._pins[text]


def bits(mask: int) -> Iterator[int]:
    """Yield the positions set in ``mask``, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def pins_exactly(specifier: SpecifierSet, version: Version) -> bool:
    """Whether ``specifier`` admits ``version`` and names it by ``==`` or ``===``, no wildcard."""
    return specifier.contains(version, prereleases=True) and any(
        clause.operator == "===" or (clause.operator == "==" and not clause.version.endswith(".*"))
        for clause in specifier
    )


def is_final_offer(candidate: WheelCandidate) -> bool:
    """Whether a candidate is a final release that an installer may take unasked."""
    return candidate.yanked is None and not candidate.version.is_prerelease
