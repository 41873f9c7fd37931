"""What a clause search keeps of each name, and how much of a problem it takes into account."""

from dataclasses import dataclass, field

from msgspec import Struct

from envmgr.names import ExtraName, PackageName
from envmgr.resolve.origins import Origin
from envmgr.resolve.package import Package

OPTIONS_BEFORE_DOUBT = 8
"""After so many options of one name that what was chosen before rules out (then twice as many,
and so on), the name is chosen first: between two names that cannot both be new, the one gives
way that has to go back less far."""


class Scope(Struct, frozen=True, kw_only=True):
    """What a search takes into account. The whole problem by default."""

    roots: frozenset[int] | None = None
    """Positions in ``Problem.roots``; ``None``: all in force."""
    origins: frozenset[Origin] | None = None
    """Only these; and nothing new is read."""
    waived: frozenset[PackageName] = frozenset()
    """Names that count as satisfied whatever is asked of them."""
    yanked: bool = False
    """Whether yanked options need no pin."""
    patience: int | None = None
    """How many conflicts, and how many wheels' metadata, before it is given up; ``None``: any."""


WHOLE = Scope()


class GivenUp(Exception):
    """A search used up the patience of its scope; nothing is known."""


@dataclass(slots=True)
class Lane:
    """One name in a search: its variables and what was asked of it."""

    package: Package
    first: int
    order: int
    wants: dict[int, int] = field(default_factory=dict)
    """Mask to the variable "an option of this mask is chosen"."""
    extras: dict[ExtraName, int] = field(default_factory=dict)
    explored: set[tuple[int, ExtraName | None]] = field(default_factory=set)
    tried: int = 0
    """Options that were looked at before one was chosen."""
    patience: int = OPTIONS_BEFORE_DOUBT
    """How many those may become before what was chosen earlier is doubted."""
    trouble: int = 0
    """Conflicts the name took part in, and more where its options are ruled out one by one."""


def samples(options: list[int]) -> list[int]:
    """Return the first, the last and a middle one: what is true of these is likely true of all."""
    return [options[0], options[-1], options[len(options) // 2]] if options else []
