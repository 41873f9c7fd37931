"""What is decided of shared runtimes: data that can be printed, compared and carried out."""

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct, field

from envmgr.runtime.forwarding.types import Call, Forward, Machine
from envmgr.runtime.planning.survey import FileOf

APART = "the environment file leaves the package apart"
"""Why a copy stays of which the file says so."""
UNUSED = "nothing loads it, since another serves"
"""Why the wheel of an implementation that does not serve brings no second runtime."""


class Written(Struct, frozen=True, kw_only=True):
    """A library that envmgr writes: it stands in for a copy, and passes calls on.

    It loads ``names``, then ``needed``, then its ``parts``. With no ``forwards``, callers
    find the functions of ``needed`` through it; it may stand in for that library itself,
    to have ``names`` loaded first.
    """

    machine: Machine
    soname: str
    needed: FileOf
    """The library it passes calls on to."""
    needed_as: str | None
    """Its SONAME; ``None`` for the very library in whose place this one stands."""
    parts: tuple[str, ...] = ()
    """SONAMEs of libraries that stand beside ``needed`` and are loaded after it."""
    names: tuple[str, ...] = ()
    """Canonical SONAMEs of other families, which stand beside it as links."""
    forwards: tuple[Forward, ...] = ()
    before_fork: tuple[Call, ...] = ()
    in_child: tuple[Call, ...] = ()


Target: TypeAlias = FileOf | Written
"""What a path of an entry leads to instead of its own file."""


class Replaced(Struct, frozen=True):
    """A copy that gives way."""

    file: FileOf
    target: Target


class Kept(Struct, frozen=True):
    """A copy that stays, and why, in one clause."""

    file: FileOf
    reason: str


class FamilyPlan(Struct, frozen=True, kw_only=True):
    """What becomes of one family in an environment."""

    family: str
    implementation: str
    """An implementation's name, ``equal``, or ``vendored``."""
    by_file: bool
    """Whether the environment file says so; else it is automatic."""
    servers: tuple[FileOf, ...] = ()
    """The libraries that serve."""
    replaced: tuple[Replaced, ...] = ()
    kept: tuple[Kept, ...] = ()


class RuntimePlan(Struct, frozen=True, kw_only=True):
    """Everything that is decided; the empty plan leaves every package as it is."""

    families: tuple[FamilyPlan, ...] = ()
    """Sorted by name; those of which nothing is there are left out."""
    replaced: Mapping[FileOf, Target] = field(default_factory=dict)
    """Files of entries that are something else in the view."""
    added: Mapping[FileOf, FileOf] = field(default_factory=dict)
    """Further names in directories of entries, by which a shared library asks for others."""
    standing: Mapping[str, FileOf] = field(default_factory=dict)
    """Canonical SONAME -> library, for the prefix's ``lib``."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What the start-up file sets unless the user has."""

    @property
    def led_to(self) -> frozenset[FileOf]:
        """The files that others are led to, wherever they stand."""
        targets = (
            each.needed if isinstance(each, Written) else each for each in self.replaced.values()
        )
        return frozenset((*targets, *self.added.values(), *self.standing.values()))

    def __bool__(self) -> bool:
        return bool(self.replaced or self.added or self.standing or self.variables)
