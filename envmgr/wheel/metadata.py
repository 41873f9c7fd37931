"""A wheel's METADATA (core metadata specification, PEP 643, 685, 714)."""

from dataclasses import dataclass

from packaging.version import Version

from envmgr.names import ExtraName, PackageName


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreMetadata:
    """What a resolution needs of METADATA. ``requires_dist`` is as written, in order."""

    name: PackageName
    version: Version
    requires_python: str | None
    requires_dist: tuple[str, ...]
    provides_extra: frozenset[ExtraName]
