"""Which versions a specifier admits, found by halving where PEP 440 lets one.

Some names have thousands of versions and as many specifiers on them; asking
each version about each specifier would take longer than all the rest.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import or_

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

SCANNED = 24
"""Up to so many versions, asking each is as quick."""


class VersionOrder:
    """Versions in any order as bits: bit *i* stands for ``versions[i]``."""

    __slots__ = ("_ascending", "_clauses", "_up_to", "_versions")

    def __init__(self, versions: Sequence[Version]) -> None:
        self._versions = versions
        self._clauses: dict[str, int] = {}
        self._ascending: list[tuple[Version, int]] = []
        self._up_to: list[int] = []
        if len(versions) > SCANNED:
            self._ascending = sorted(
                ((version, 1 << bit) for bit, version in enumerate(versions)),
                key=lambda pair: pair[0],
            )
            self._up_to = [0, *accumulate((bit for _, bit in self._ascending), or_)]

    def mask(self, specifier: SpecifierSet) -> int:
        """Return the bits whose version is in ``specifier``, pre-releases included."""
        if not self._ascending:
            return self._scan(specifier)
        mask = self._up_to[-1]
        for clause in specifier:
            text = str(clause)
            if text not in self._clauses:
                self._clauses[text] = self._clause(clause)
            mask &= self._clauses[text]
        return mask

    def _scan(self, specifier: SpecifierSet | Specifier) -> int:
        return sum(
            1 << bit
            for bit, version in enumerate(self._versions)
            if specifier.contains(version, prereleases=True)
        )

    def _clause(self, clause: Specifier) -> int:
        """Halve for a plain release; PEP 440's exceptions around others leave gaps."""
        operator, text = clause.operator, clause.version
        if operator == "===" or not _is_plain(text):
            return self._scan(clause)

        def admits(version: Version) -> bool:
            return clause.contains(version, prereleases=True)

        match operator:
            case ">=" | ">":
                return self._up_to[-1] ^ self._up_to[self._first(admits)]
            case "<=" | "<":
                return self._up_to[self._first(lambda version: not admits(version))]
            case "!=":
                return self._up_to[-1] ^ self._run(text, lambda version: not admits(version))
            case "==" | "~=":
                return self._run(text, admits)
        return self._scan(clause)

    def _first(self, holds: Callable[[Version], bool]) -> int:
        """Return the place of the oldest version for which ``holds``, as it does for all newer."""
        return bisect_left(self._ascending, True, key=lambda pair: holds(pair[0]))

    def _run(self, text: str, holds: Callable[[Version], bool]) -> int:
        """Return the unbroken run that begins at the oldest version ``text`` can mean."""
        oldest = (
            Version(f"{text.removesuffix('.*')}.dev0") if text.endswith(".*") else Version(text)
        )
        start = end = bisect_left(self._ascending, oldest, key=lambda pair: pair[0])
        while end < len(self._ascending) and holds(self._ascending[end][0]):
            end += 1
        return self._up_to[end] ^ self._up_to[start]


def _is_plain(text: str) -> bool:
    version = Version(text.removesuffix(".*"))
    return not (version.is_prerelease or version.is_postrelease or version.local)
