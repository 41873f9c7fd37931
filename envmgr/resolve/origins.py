"""Who asked for a clause: the parts a refutation is made of."""

from dataclasses import dataclass
from typing import TypeAlias

from envmgr.names import ExtraName, PackageName
from envmgr.resolve.facts import Demand, worded


@dataclass(frozen=True, slots=True)
class RootOrigin:
    """A root of the file, by its place there."""

    position: int


@dataclass(frozen=True, slots=True)
class ConstraintOrigin:
    """The constraints on a name."""

    name: PackageName


@dataclass(frozen=True, slots=True)
class NeedOrigin:
    """What options of ``parent`` (with ``extra``) need of ``child``, one wording of it."""

    parent: PackageName
    extra: ExtraName | None
    child: PackageName
    wording: str


@dataclass(frozen=True, slots=True)
class RefusedOrigin:
    """Options of a name (with ``extra``) whose metadata rules them out."""

    name: PackageName
    extra: ExtraName | None


@dataclass(frozen=True, slots=True)
class YankedOrigin:
    """The yanked options of a name, chosen only where something pins them."""

    name: PackageName


Origin: TypeAlias = RootOrigin | ConstraintOrigin | NeedOrigin | RefusedOrigin | YankedOrigin


@dataclass(frozen=True, slots=True)
class Refutation:
    """No selection exists; ``origins`` suffice to derive that, in the order they were met."""

    origins: tuple[Origin, ...]


def need_origin(parent: PackageName, extra: ExtraName | None, demand: Demand) -> NeedOrigin:
    """Name the origin of a demand that a package's metadata makes."""
    return NeedOrigin(parent, extra, demand.name, worded(demand.requirement))
