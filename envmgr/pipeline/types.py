"""What a person asks of the pipeline, and what it answers: the border to ``cli``."""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Literal

from msgspec import Struct

from envmgr.names import EnvironmentName, GenerationId, GroupName, IndexName, PackageName
from envmgr.pipeline.selectors import ByName as ByName
from envmgr.pipeline.selectors import ByPrefix as ByPrefix
from envmgr.pipeline.selectors import Selector as Selector


class LockUse(Enum):
    """What ``create`` may do to a lock."""

    UPDATE = "update"
    """Relock where the lock is missing or stale."""
    LOCKED = "locked"
    """Fail where it is missing or stale (``--locked``)."""
    FROZEN = "frozen"
    """Use it as it is, stale or not (``--frozen``)."""


class CreateRequest(Struct, frozen=True, kw_only=True):
    """``create`` and ``sync``. ``file`` is ``None`` for ``sync``: the environment knows its own."""

    file: Path | None
    selector: Selector | None
    """``None``: the environment the file names."""
    groups: tuple[GroupName, ...] | None
    """``None``: for an existing environment its own groups, else none."""
    python: str | None = None
    """A specifier or a path that stands in for the file's ``python``."""
    lock_use: LockUse = LockUse.UPDATE
    lock: Path | None = None
    dry_run: bool = False
    compile: bool | None = None
    """``None``: as the settings say."""
    refresh: bool = False
    discard_installed: bool = False
    """Whether what pip or uv put into the environment may stay behind."""


class Change(Struct, frozen=True):
    """One package that differs: ``before`` and ``after`` are versions, ``None`` for absent."""

    name: PackageName
    before: str | None
    after: str | None


class LibraryFile(Struct, frozen=True, kw_only=True):
    """A file of a package; ``path`` is relative to its store entry."""

    package: str
    path: str


class ReplacedCopy(Struct, frozen=True, kw_only=True):
    """A copy of a runtime that gave way to ``by``."""

    copy: LibraryFile
    by: LibraryFile
    forwarded: bool
    """Whether a library that envmgr wrote passes the calls on."""


class KeptCopy(Struct, frozen=True, kw_only=True):
    """A copy of a runtime that its package keeps, and why, in one clause."""

    copy: LibraryFile
    reason: str


class SharedRuntime(Struct, frozen=True, kw_only=True):
    """What became of one family of runtimes in an environment."""

    family: str
    implementation: str
    """Its name; ``equal`` where only equal copies became one, ``vendored`` where none did."""
    chosen_by: Literal["file", "automatic"]
    servers: tuple[LibraryFile, ...]
    """The libraries that serve."""
    host: str | None = None
    """The library of the machine that serves, if one does."""
    replaced: tuple[ReplacedCopy, ...]
    kept: tuple[KeptCopy, ...]


class Created(Struct, frozen=True, kw_only=True):
    """What ``create`` or ``sync`` did, or would do where ``dry_run``."""

    name: EnvironmentName
    prefix: Path
    generation: GenerationId | None
    """``None`` in a dry run."""
    made: Literal["created", "updated", "unchanged"]
    dry_run: bool
    python: str
    """Version of the interpreter, ``3.12.1``."""
    groups: tuple[GroupName, ...]
    packages: int
    changes: tuple[Change, ...]
    lock: Path
    lock_written: bool
    fetched: int
    fetched_bytes: int
    unpacked: int
    copied: int
    """Entries of a site's store that may go, and were copied into the user's own."""
    entries: int
    """Directory entries of the generation; 0 in a dry run."""
    runtimes: tuple[SharedRuntime, ...]
    """By family; empty in a dry run."""
    new_store: Path | None
    """The store, where this command made it."""
    seconds: Mapping[str, float]
    """Wall time by stage (``resolve``, ``fetch``, ...) and of the whole (``total``)."""


class LockRequest(Struct, frozen=True, kw_only=True):
    """``lock``."""

    file: Path
    lock: Path | None = None
    python: str | None = None
    check: bool = False
    upgrade: frozenset[PackageName] | Literal["all"] = frozenset()
    dry_run: bool = False
    refresh: bool = False


class Locked(Struct, frozen=True, kw_only=True):
    """What ``lock`` did. With ``check`` a stale lock raises LockStale instead."""

    path: Path
    written: bool
    dry_run: bool
    python: str
    packages: int
    changes: tuple[Change, ...]
    seconds: Mapping[str, float]


class EnvironmentSummary(Struct, frozen=True, kw_only=True):
    """One line of ``list``."""

    name: EnvironmentName
    prefix: Path
    file: Path
    python: str
    packages: int
    groups: tuple[GroupName, ...]
    generation: GenerationId
    created: str
    """UTC, ISO 8601."""


class PackageRow(Struct, frozen=True, kw_only=True):
    """One line of ``list -n NAME``."""

    name: PackageName
    version: str
    index: IndexName | None
    groups: tuple[GroupName, ...]
    """Empty: a dependency of every selection."""
    size: int | None
    """Bytes of the unpacked entry, which others share; ``None`` where the store lacks it."""
    entry: Path | None
    installer: str = "envmgr"
    """Who put it there: ``pip`` and ``uv`` are the usual others."""


class Deleted(Struct, frozen=True, kw_only=True):
    """What ``delete`` removed."""

    name: EnvironmentName
    prefix: Path
