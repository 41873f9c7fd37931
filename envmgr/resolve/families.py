"""Shared runtimes in a resolution: a family is one more name, its implementations are its options.

Only exclusive families are names for the solvers. They are called what no package can be called
(``runtime mpi``), have no metadata, and are in no answer.
"""

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

from packaging.version import Version

from envmgr.names import PackageName
from envmgr.resolve.package import Package
from envmgr.resolve.types import Root
from envmgr.runtime.wheels import Bound, RuntimeFamily
from envmgr.wheel.requirement import Family


class FamilyPackage(Package):
    """A family as the solvers see it: bit *i* stands for ``implementations[i]``."""

    __slots__ = ("chosen", "family", "implementations")

    def __init__(self, family: RuntimeFamily, chosen: str | None) -> None:
        super().__init__(family_name(family.name), None, (), (), 0)
        bounds = (bound for bounds in family.works_with.values() for bound in bounds)
        admitted = (name for bound in bounds for name in sorted(bound.implementations))
        known = (*sorted(family.wheels.values()), *admitted, *((chosen,) if chosen else ()))
        self.family = family.name
        self.implementations: tuple[str, ...] = tuple(dict.fromkeys(known))
        self.count = len(self.implementations)
        self.full = (1 << self.count) - 1
        self.chosen = None if chosen is None else self.bit(chosen)
        """The mask of what the environment file asks for."""

    def bit(self, implementation: str) -> int:
        """Return the mask of one implementation."""
        return 1 << self.implementations.index(implementation)


class Membership(NamedTuple):
    """What a package asks of a family: one of the implementations in ``mask``."""

    name: PackageName
    mask: int
    requirement: Family


class Families:
    """The families of a problem. With ``keeping``, what a lock recorded counts as chosen."""

    def __init__(self, families: Iterable[RuntimeFamily], *, keeping: bool = False) -> None:
        self.packages: dict[PackageName, FamilyPackage] = {}
        self._families = tuple(families)
        self._brought: dict[PackageName, tuple[Membership, ...]] = {}
        for family in self._families:
            if family.exclusive:
                self._add(family, family.chosen or (family.kept if keeping else None))

    def asked_by(self, name: PackageName, version: Version) -> tuple[Membership, ...]:
        """Return what a version of a package asks of families."""
        bound = (
            _bound(self.packages[family_name(family.name)], family.name, each)
            for family in self._families
            if family.exclusive
            for each in family.bounds(name, version)
        )
        return (*self._brought.get(name, ()), *bound)

    def served(self, packages: Container[PackageName]) -> Mapping[str, str]:
        """Return what serves each family where ``packages`` are chosen; see ``Resolution``."""
        served: dict[str, str] = {}
        for family in sorted(self._families, key=lambda family: family.name):
            there = [each for wheel, each in sorted(family.wheels.items()) if wheel in packages]
            if family.chosen is not None:
                served[family.name] = family.chosen
            elif family.exclusive and there:
                served[family.name] = there[0]
        return served

    def _add(self, family: RuntimeFamily, chosen: str | None) -> None:
        package = FamilyPackage(family, chosen)
        self.packages[package.name] = package
        for name, brought in family.wheels.items():
            requirement = Family(family.name, brought)
            membership = Membership(package.name, package.bit(brought), requirement)
            self._brought[name] = (*self._brought.get(name, ()), membership)


def _bound(package: FamilyPackage, family: str, bound: Bound) -> Membership:
    named = tuple(sorted(bound.implementations))
    requirement = Family(family, one_of=named, ground=bound.ground)
    return Membership(package.name, sum(map(package.bit, named)), requirement)


def family_name(family: str) -> PackageName:
    """Return the name under which the solvers know a family; no package has a space in it."""
    return PackageName(str(Family(family)))


def family_roots(families: Iterable[RuntimeFamily]) -> tuple[Root, ...]:
    """Return what the choices of the environment file under ``runtimes`` ask for."""
    return tuple(
        Root(family.wanted, None, Family(family.name, family.chosen))
        for family in families
        if family.wanted is not None and family.chosen is not None
    )
