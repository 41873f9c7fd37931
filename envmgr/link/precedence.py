"""Whose file stands where two packages bring different ones: ``conflicts`` of a file.

A path is one of the prefix (``bin/mpirun``) or of site-packages
(``tests/conftest.py``). In it ``*`` stands for anything within one name and
``**`` for any number of names.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from envmgr.names import PackageName
from envmgr.spec.types import Precedence


@dataclass(frozen=True)
class _Rule:
    precedence: Precedence

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the path stands for, as a regular expression."""
        parts = re.split(r"(\*\*/|\*\*|\*)", self.precedence.path)
        meaning = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*"}
        return re.compile("".join(meaning.get(part) or re.escape(part) for part in parts))

    def covers(self, path: str, site: str) -> bool:
        """Whether it speaks of a path of the prefix."""
        below = path.removeprefix(f"{site}/")
        return any(self.pattern.fullmatch(each) for each in {path, below})


@dataclass(slots=True)
class Referee:
    """Decides between packages, and remembers which rules it needed."""

    precedences: Iterable[Precedence]
    site: str
    """``lib/pythonX.Y/site-packages``."""
    _rules: tuple[_Rule, ...] = ()
    _needed: set[Precedence] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._rules = tuple(map(_Rule, self.precedences))

    def winner(self, path: str, packages: Iterable[str]) -> str | None:
        """Return the package whose file stands at ``path``; ``None`` where no rule says.

        The first rule that covers the path and names one of ``packages`` counts.
        """
        contenders = frozenset(packages)
        for rule in self._rules:
            if rule.precedence.keep in contenders and rule.covers(path, self.site):
                self._needed.add(rule.precedence)
                return rule.precedence.keep
        return None

    def unneeded(self, there: Iterable[PackageName]) -> tuple[str, ...]:
        """Say of each rule that decided nothing why, a sentence each."""
        names = frozenset(there)
        return tuple(
            f"`conflicts` keeps {each.path} of {each.keep}, "
            + ("which is not in this environment" if each.keep not in names else "undisputed here")
            for each in (rule.precedence for rule in self._rules)
            if each not in self._needed
        )
