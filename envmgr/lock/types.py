"""A lock: a resolution written down, with what it depended on (PEP 751)."""

from datetime import datetime

from msgspec import Struct

from envmgr.names import ExtraName, GroupName, IndexName, PackageName
from envmgr.resolve.types import MarkerOutcome


class LockedWheel(Struct, frozen=True, kw_only=True):
    """The one wheel of a package.

    ``location`` is a URL or, for a local file, a path relative to the lock with
    ``/`` (``path`` in PEP 751) or an absolute one.
    """

    filename: str
    location: str
    sha256: str
    size: int | None
    upload_time: datetime | None

    @property
    def is_path(self) -> bool:
        """Whether ``location`` is a path and not a URL."""
        return "://" not in self.location


class LockedPackage(Struct, frozen=True, kw_only=True):
    """One entry of ``[[packages]]``."""

    name: PackageName
    version: str
    wheel: LockedWheel
    index: IndexName | None
    """``None`` for a direct reference."""
    index_url: str | None
    """As shown, never with credentials or expanded variables."""
    index_reason: str
    """Why this index answered: ``first with the name``, ``reserved by "lab-*"``, ``direct``."""
    extras: tuple[ExtraName, ...]
    groups: frozenset[GroupName | None]
    """Who needs it. ``{None}`` where ``dependencies`` does: these are always installed, so that
    it no longer matters which groups need it too."""
    requires: tuple[PackageName, ...]
    """Names of the entries it needs here, sorted; for people, never for installing (PEP 751)."""
    requires_python: str | None


class LockedRuntime(Struct, frozen=True, kw_only=True):
    """The implementation of a shared runtime: ``mkl`` for ``blas``."""

    family: str
    implementation: str
    wheel: PackageName | None
    """The entry that brings it; ``None`` where packages' own copies serve, or the host's."""
    version: str | None
    """Of ``wheel``."""
    reason: str
    """``the environment file``, or ``needed by solver``."""


class LockConditions(Struct, frozen=True, kw_only=True):
    """What the answer depended on; a machine that satisfies all of it may use the lock."""

    python: str
    """The minor version, ``3.12``."""
    implementation: str
    """``cpython``."""
    sys_platform: str
    machine: str | None
    """``platform_machine``; ``None`` where every wheel is for any machine."""
    platform_floor: str | None
    """The highest platform tag needed among the chosen wheels, ``manylinux_2_28_x86_64``."""
    abi: str | None
    """Python and ABI the wheels were built for where one is not stable: ``cp312`` or ``cp313t``."""
    markers: tuple[MarkerOutcome, ...]
    environment: str = ""
    """The same for other tools, as far as markers can say it (``environments`` of PEP 751)."""


class Lock(Struct, frozen=True, kw_only=True):
    """A whole lock. ``packages`` is sorted by name."""

    created_by: str
    resolution_digest: str
    """Of the environment file's keys that decide the resolution; ``""`` in a foreign lock."""
    groups: tuple[GroupName, ...]
    """All groups of the file, sorted."""
    indexes: tuple[tuple[IndexName, str], ...]
    """Name and shown URL, highest priority first."""
    conditions: LockConditions
    packages: tuple[LockedPackage, ...]
    inputs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What the digest was made of, in words, by key: ``("dependencies", ("numpy >=2",))``. It
    tells what changed; whether something did is for the digest to say."""
    runtimes: tuple[LockedRuntime, ...] = ()
    """What serves shared runtimes, as far as packages and the file decide it; by family."""
