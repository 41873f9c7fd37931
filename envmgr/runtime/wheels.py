"""Families of shared runtimes as the resolver needs to know them: by the wheels that bring them."""

from collections.abc import Mapping

from msgspec import Struct, field
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envmgr.names import PackageName
from envmgr.wheel.requirement import Named


class Bound(Struct, frozen=True, kw_only=True):
    """What a recipe says of a package that works only with some implementations of a family."""

    implementations: frozenset[str]
    versions: SpecifierSet = field(default_factory=SpecifierSet)
    """The package's versions of which it is true."""
    source: str = ""
    """The recipe's file."""
    reason: str = ""

    def holds_for(self, version: Version) -> bool:
        """Tell whether this version is meant; pre-releases count like others."""
        return self.versions.contains(version, prereleases=True)

    @property
    def ground(self) -> str:
        """``, says FILE: REASON``; empty where nothing is known of it."""
        reason = f": {self.reason}" if self.reason else ""
        return f", says {self.source}{reason}" if self.source else ""


class RuntimeFamily(Struct, frozen=True, kw_only=True):
    """One family: which packages bring which implementation, and what was chosen."""

    name: str
    """``mpi``."""
    wheels: Mapping[PackageName, str] = field(default_factory=dict)
    """Package -> the implementation that it brings: ``impi-rt`` -> ``impi``."""
    exclusive: bool = True
    """Whether an environment has at most one implementation. Where it has not, wheels of others may
    be there, since what serves is decided by links: `mkl` asks for `intel-openmp` whatever serves
    OpenMP."""
    chosen: str | None = None
    """What the environment file asks for; a name without a wheel in ``wheels`` is one too."""
    wanted: Named | None = None
    """The wheel that the chosen implementation needs, where it needs one."""
    kept: str | None = None
    """What a lock recorded; kept where it still fits and nothing is chosen."""
    works_with: Mapping[PackageName, tuple[Bound, ...]] = field(default_factory=dict)
    """Packages bound to an ABI. Where several hold for a version, all of them count."""

    def bounds(self, package: PackageName, version: Version) -> tuple[Bound, ...]:
        """Return what holds for a version of a package that brings no implementation itself."""
        if package in self.wheels:
            return ()
        return tuple(each for each in self.works_with.get(package, ()) if each.holds_for(version))
