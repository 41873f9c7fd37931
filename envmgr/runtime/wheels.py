"""Families of shared runtimes as the resolver needs to know them: by the wheels that bring them."""

from collections.abc import Mapping

from msgspec import Struct, field

from envmgr.names import PackageName
from envmgr.wheel.requirement import Named


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
    works_with: Mapping[PackageName, frozenset[str]] = field(default_factory=dict)
    """Packages bound to an ABI -> the implementations that have it."""
