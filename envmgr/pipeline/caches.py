"""``store gc --cache``, and the same once a day, unasked."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter, time

from msgspec import Struct

from envmgr.events import Reporter, StageAdvanced, StageFinished, StageStarted, silent
from envmgr.index.trim import (
    CachedFile,
    Kind,
    choose_old,
    read_cached,
    remove_cached,
    remove_empty,
)
from envmgr.spec.settings import Settings

KEPT_FOR = 30 * 24 * 3600.0
"""Seconds since a file of the caches was last used, after which it goes."""
KEPT_BYTES = 2_000_000_000
"""Of all caches together; beyond it the longest unused go, however young."""
EVERY = 24 * 3600.0
"""Seconds between two trimmings that nobody asked for."""
MARK = "trimmed"
"""In the cache: when that was."""

_KINDS: tuple[Kind, ...] = ("pages", "metadata", "wheels", "interpreters", "locks", "runtimes")


class TrimmedKind(Struct, frozen=True, kw_only=True):
    """What went and what is left of one kind of files."""

    kind: Kind
    files: int
    bytes: int
    left_files: int
    left_bytes: int


class Trimmed(Struct, frozen=True, kw_only=True):
    """What ``store gc --cache`` removed, or would remove where ``dry_run``."""

    cache: Path
    dry_run: bool
    files: int
    bytes: int
    in_use: int
    """Files that stay: a command may be about to read them, writes them, or is another user's."""
    kinds: tuple[TrimmedKind, ...]
    seconds: float


def trim_caches(
    settings: Settings, report: Reporter, *, age: float = KEPT_FOR, dry_run: bool = False
) -> Trimmed:
    """Remove what nobody used for ``age`` seconds, and the longest unused beyond KEPT_BYTES.

    What cannot be removed stays, and is no failure: a cache is never needed.
    """
    began = perf_counter()
    files = read_cached(settings.cache)
    trimming = choose_old(files, time(), age, KEPT_BYTES)
    gone = trimming.doomed if dry_run else _remove(settings.cache, trimming.doomed, report)
    return Trimmed(
        cache=settings.cache,
        dry_run=dry_run,
        files=len(gone),
        bytes=sum(file.bytes for file in gone),
        in_use=trimming.spared + len(trimming.doomed) - len(gone),
        kinds=tuple(_of_kind(kind, files, gone) for kind in _KINDS),
        seconds=perf_counter() - began,
    )


def trim_daily(settings: Settings) -> None:
    """Trim the caches if that was not done since yesterday; to be called when work is done."""
    mark = settings.cache / MARK
    with suppress(OSError):
        try:
            due = abs(time() - mark.stat().st_mtime) >= EVERY
        except FileNotFoundError:
            due = settings.cache.is_dir()
        if due:
            mark.touch()
            trim_caches(settings, silent)


def _remove(cache: Path, doomed: Sequence[CachedFile], report: Reporter) -> tuple[CachedFile, ...]:
    report(StageStarted("collect", len(doomed)))
    began, gone = perf_counter(), []
    for file in doomed:
        if remove_cached(file):
            gone.append(file)
        report(StageAdvanced("collect", 1, file.path.rpartition("/")[2]))
    remove_empty(cache)
    report(StageFinished("collect", len(gone), perf_counter() - began))
    return tuple(gone)


def _of_kind(kind: Kind, files: Sequence[CachedFile], gone: Sequence[CachedFile]) -> TrimmedKind:
    there = [file.bytes for file in files if file.kind == kind]
    went = [file.bytes for file in gone if file.kind == kind]
    return TrimmedKind(
        kind=kind,
        files=len(went),
        bytes=sum(went),
        left_files=len(there) - len(went),
        left_bytes=sum(there) - sum(went),
    )
