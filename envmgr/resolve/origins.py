"""Who asked for a clause: the parts a refutation is made of."""

from typing import TypeAlias

from msgspec import Struct

from envmgr.names import ExtraName, PackageName
from envmgr.resolve.facts import Demand, worded


class RootOrigin(Struct, frozen=True):
    """A root of the file, by its place there."""

    position: int


class ConstraintOrigin(Struct, frozen=True):
    """The constraints on a name."""

    name: PackageName


class NeedOrigin(Struct, frozen=True):
    """What options of ``parent`` (with ``extra``) need of ``child``, one wording of it."""

    parent: PackageName
    extra: ExtraName | None
    child: PackageName
    wording: str


class RefusedOrigin(Struct, frozen=True):
    """Options of a name (with ``extra``) whose metadata rules them out."""

    name: PackageName
    extra: ExtraName | None


class YankedOrigin(Struct, frozen=True):
    """The yanked options of a name, chosen only where something pins them."""

    name: PackageName


Origin: TypeAlias = RootOrigin | ConstraintOrigin | NeedOrigin | RefusedOrigin | YankedOrigin


class Refutation(Struct, frozen=True):
    """No selection exists; ``origins`` suffice to derive that, in the order they were met."""

    origins: tuple[Origin, ...]


def need_origin(parent: PackageName, extra: ExtraName | None, demand: Demand) -> NeedOrigin:
    """Name the origin of a demand that a package's metadata makes."""
    return NeedOrigin(parent, extra, demand.name, worded(demand.requirement))
