"""What is asked of the resolver, and its two answers."""

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct, field
from packaging.version import Version

from envmgr.index.types import Candidate
from envmgr.names import ExtraName, GroupName, PackageName
from envmgr.runtime.wheels import RuntimeFamily
from envmgr.target.types import Target
from envmgr.wheel.requirement import Direct, Family, Named


class Root(Struct, frozen=True):
    """A requirement of the environment file, with where it stands."""

    requirement: Named | Direct
    group: GroupName | None
    """``None`` for ``dependencies``."""
    runtime: Family | None = None
    """The choice under ``runtimes`` that asks for it, where the file does not list it."""
    at: str | None = None
    """``file:line:column``, where that is known."""


class Problem(Struct, frozen=True, kw_only=True):
    """Everything a resolution depends on but the offers."""

    roots: tuple[Root, ...]
    """In the file's order; all groups are solved together."""
    constraints: tuple[Named, ...] = ()
    overrides: tuple[Named, ...] = ()
    """Replace every requirement on the same name, wherever it comes from."""
    prereleases: frozenset[PackageName] = frozenset()
    preferred: Mapping[PackageName, Version] = field(default_factory=dict)
    """What a lock chose before; kept where it still fits."""
    locked_files: Mapping[PackageName, str] = field(default_factory=dict)
    """Names of the files a lock chose: a yanked one may be chosen again."""
    families: tuple[RuntimeFamily, ...] = ()
    """Shared runtimes; of an exclusive one at most one implementation is in an answer."""
    target: Target


class Edge(Struct, frozen=True):
    """``parent`` asks for ``child``; ``extra`` names the extra of the parent that asks, if any."""

    parent: PackageName
    child: PackageName
    requirement: Named | Direct
    extra: ExtraName | None = None


class Chosen(Struct, frozen=True, kw_only=True):
    """One package of a resolution. ``groups`` tells who needs it: ``None`` is ``dependencies``."""

    candidate: Candidate
    extras: frozenset[ExtraName]
    groups: frozenset[GroupName | None]
    requires: tuple[Edge, ...]
    """Edges to what it needs here, its active extras included; sorted by child."""


class MarkerOutcome(Struct, frozen=True, order=True):
    """A marker that was asked of the target with these extras active, and what it answered."""

    marker: str
    extras: tuple[ExtraName, ...]
    holds: bool


class Resolution(Struct, frozen=True):
    """An answer that was verified against every requirement. Keys are sorted by name."""

    chosen: Mapping[PackageName, Chosen]
    markers: tuple[MarkerOutcome, ...]
    """What the answer depended on: of the roots and the chosen packages' requirements, every
    marker that asks for more than ``extra``; sorted, each once."""
    families: Mapping[str, str] = field(default_factory=dict)
    """Family -> implementation, where the file chooses one, and of exclusive families where a wheel
    of one is in the answer; sorted."""


class Conflict(Struct, frozen=True):
    """A proof that nothing fits: the requirements of the file that contradict each other.

    ``sentences`` explains, first the roots that clash, then how one leads to
    the other; ``hint`` says what to change, if anything obvious. Where roots fail
    each by itself (``apart``), there is one sentence or more about each, in one text.
    """

    roots: tuple[Root, ...]
    sentences: tuple[str, ...]
    hint: str | None = None
    apart: bool = False
    """Whether none of the roots could be had even without the others."""


Answer: TypeAlias = Resolution | Conflict
