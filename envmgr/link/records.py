"""What is remembered of a generation, in ``generation.json``."""

from collections.abc import Mapping

import msgspec

from envmgr.names import (
    EnvironmentName,
    GenerationId,
    GroupName,
    IndexName,
    PackageName,
    StoreKey,
)

RECORD_SCHEMA = 1


class PackageRecord(msgspec.Struct, frozen=True):
    """One package of a generation."""

    name: PackageName
    version: str
    key: StoreKey
    index: IndexName | None = None
    """``None`` for a direct reference."""
    groups: tuple[GroupName, ...] = ()
    """Empty where ``dependencies`` alone needs it."""


class RuntimeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one family of shared runtimes in a generation; files as ``PACKAGE:PATH``."""

    family: str
    implementation: str
    """Its name, ``equal``, or ``vendored``."""
    by_file: bool
    """Whether the environment file says so; else it was automatic."""
    servers: tuple[str, ...] = ()
    replaced: tuple[tuple[str, str, bool], ...] = ()
    """Copy, what serves instead, and whether through a library that passes calls on."""
    kept: tuple[tuple[str, str], ...] = ()
    """Copy, and why it stays."""


class GenerationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a generation, in ``generation.json``."""

    id: GenerationId
    created: str
    """UTC, ISO 8601."""
    name: EnvironmentName
    environment_file: str
    """Absolute path of the file it was made from."""
    lock_sha256: str
    resolution_digest: str
    view_digest: str
    activation_digest: str
    groups: tuple[GroupName, ...]
    packages: tuple[PackageRecord, ...]
    """Sorted by name."""
    python: str
    """Absolute path of the base interpreter."""
    python_version: str
    variables: Mapping[str, str]
    """What activation and ``run`` set."""
    compiled: bool
    entries: int
    """Directory entries of the view."""
    envmgr_version: str
    prefix: str = ""
    """Where the prefix stood, as scripts name it; empty in records that are older than this."""
    stores: tuple[str, ...] = ()
    """Directories in which its entries stood, absolute and sorted."""
    lock: str | None = None
    """Absolute path of the lock, where it was named and is not the one beside the file."""
    python_wish: str | None = None
    """What stood in for the file's ``python``."""
    number: int = 0
    """1, 2, 3, ... over the life of the environment; 0 in records that are older than this."""
    why: str = ""
    """What caused it, in a few words."""
    before: int = 0
    """Number of the generation it took the place of; 0 where there was none."""
    changes: tuple[tuple[PackageName, str | None, str | None], ...] = ()
    """Against the one before: name, version then, version now; empty where there was none."""
    taken: tuple[str, ...] = ()
    """Names in ``site-packages`` that hold copies or hard links; sorted."""
    programs: tuple[str, ...] | None = None
    """Names in ``bin`` that are no links; sorted; ``None`` in records that are older than this."""
    composed: tuple[StoreKey, ...] = ()
    """Composed entries that its links lead to."""
    recipes: str = ""
    """Digest of the recipes of shared runtimes that are not envmgr's own."""
    host: str = ""
    """The libraries of the machine that serve; empty where none do."""
    runtimes: tuple[RuntimeRecord, ...] = ()
    """Sorted by family; those of which nothing is there are left out."""
    settings: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Files of packages below ``etc``, which are copies: path, the file in the store."""
    schema: int = RECORD_SCHEMA
