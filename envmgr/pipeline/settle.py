"""Which lock holds, and for which target: read it, or resolve anew and write it."""

from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from envmgr.index.addresses import is_file
from envmgr.lock.check import is_for_another_python_alone, why_stale, why_unfit
from envmgr.lock.errors import LockForeign, LockMissing, LockStale, LockUnfit
from envmgr.lock.foreign import ForeignLock, adopt
from envmgr.lock.inputs import inputs_of
from envmgr.lock.lockfile import read_lock, write_lock
from envmgr.lock.paths import lock_path
from envmgr.lock.pylock import render_lock
from envmgr.lock.removals import against_overrides
from envmgr.lock.types import Lock
from envmgr.names import PackageName
from envmgr.pipeline.asking_ahead import asking_ahead
from envmgr.pipeline.machine import target_for, wanted_python
from envmgr.pipeline.reading_ahead import read_ahead
from envmgr.pipeline.types import LockUse
from envmgr.pipeline.world import World
from envmgr.spec.digest import resolution_digest
from envmgr.spec.settings import Settings, choose_indexes
from envmgr.spec.types import EnvironmentSpec, PythonRange, PythonSpec
from envmgr.target.guess import may_admit
from envmgr.target.types import Target

BINDING_FAMILY = "mpi"
"""The only family to which envmgr's own recipes bind packages; a site's may have others."""

Upgrade: TypeAlias = frozenset[PackageName] | Literal["all"]


class LockWish(Struct, frozen=True, kw_only=True):
    """What the command line says of the lock."""

    path: Path | None
    use: LockUse
    python: str | None
    """Stands in for the file's ``python``: a specifier or a path."""
    asked: bool = False
    """``lock`` itself: resolve even where nothing is stale, and for another machine too."""
    upgrade: Upgrade = frozenset()
    writing: bool = True
    refresh: bool = False


class Settled(Struct, frozen=True, kw_only=True):
    """The lock that holds, where it stands, and the target it is used for."""

    lock: Lock
    before: Lock | None
    path: Path
    sha256: str
    written: bool
    """Whether it was written, or would be but for ``LockWish.writing``."""
    target: Target


def settle(spec: EnvironmentSpec, wish: LockWish, world: World) -> Settled:
    """Find or make the lock of an environment file.

    Raises LockMissing, LockStale, LockForeign, LockUnfit, LockUnreadable,
    NoInterpreter, IndexFailure, UnsatisfiableError.
    """
    path = wish.path or lock_path(spec.source)
    found = _find(path, wish, world)
    wanted = wanted_python(spec, wish.python)
    if isinstance(found, ForeignLock):
        if wish.use is not LockUse.FROZEN:
            raise LockForeign(path, found.created_by)
        target = target_for(wanted, None, world)
        return _as_it_is(adopt(found, target), path, target)
    stale = why_stale(found, resolution_digest(spec), inputs_of(spec)) if found else ()
    if found is not None and not stale and wish.use is not LockUse.FROZEN:
        stale = against_overrides(found, spec.overrides) or _outdated(found, spec, world)
    if stale and wish.use is LockUse.LOCKED:
        raise LockStale(path, stale)
    solving = found is None or wish.asked or (bool(stale) and wish.use is LockUse.UPDATE)
    with ExitStack() as stack:
        if solving and world.asking is None:
            wanted_pages = _wanted(spec, found, world.settings)
            ahead = asking_ahead(world.settings, wanted_pages, refresh=wish.refresh)
            world = replace(world, asking=stack.enter_context(ahead))
        read_ahead(world.settings, solving=solving)
        kept_python = found.conditions.python if found and not wish.asked else None
        target = target_for(wanted, kept_python, world)
        if found is not None and not wish.asked:
            unfit = why_unfit(found, target)
            renewable = stale and wish.use is LockUse.UPDATE and _is_outgrown(spec, found, target)
            if unfit and not renewable:
                raise LockUnfit(path, unfit)
            if not stale or wish.use is LockUse.FROZEN:
                return _as_it_is(found, path, target)
        return _anew(spec, wish, world, path, found, target)


def _wanted(spec: EnvironmentSpec, before: Lock | None, settings: Settings) -> int:
    """Return how many packages will be asked for over the network, at least."""
    if all(is_file(index.url) for index in choose_indexes(spec.indexes, settings).indexes):
        return 0
    named = len(spec.dependencies) + sum(map(len, spec.groups.values()))
    return max(named, len(before.packages) if before else 0)


def _outdated(lock: Lock, spec: EnvironmentSpec, world: World) -> tuple[str, ...]:
    """Tell in clauses what recipes have come to say against a lock.

    They are read only where that can be, since it takes a third of an unchanged create.
    """
    told = any(each.family == BINDING_FAMILY for each in lock.runtimes)
    if not told and not world.settings.recipes:
        return ()
    from envmgr.lock.bindings import against_recipes
    from envmgr.pipeline.runtime_catalog import bound_packages

    return against_recipes(lock, bound_packages(spec, world.settings))


def _is_outgrown(spec: EnvironmentSpec, lock: Lock, target: Target) -> bool:
    """Whether the file moved on to another Python, and the lock is for here in all else.

    Such a lock is as stale as any. One for another platform stays unfit, since
    somebody elsewhere may still want it.
    """
    return not _admits(spec.python, lock.conditions.python) and is_for_another_python_alone(
        lock, target
    )


def _admits(python: PythonSpec, minor: str) -> bool:
    """Whether ``python: ...`` admits a minor version; one interpreter's path admits no other's."""
    if not isinstance(python, PythonRange):
        return False
    major, _, number = minor.partition(".")
    return may_admit(python.specifier, (int(major), int(number)))


def _find(path: Path, wish: LockWish, world: World) -> Lock | ForeignLock | None:
    try:
        return read_lock(path, world.settings.cache)
    except LockMissing:
        if wish.use is LockUse.UPDATE:
            return None
        raise


def _as_it_is(lock: Lock, path: Path, target: Target) -> Settled:
    digest = sha256(path.read_bytes()).hexdigest()
    return Settled(lock=lock, before=lock, path=path, sha256=digest, written=False, target=target)


def _anew(
    spec: EnvironmentSpec,
    wish: LockWish,
    world: World,
    path: Path,
    before: Lock | None,
    target: Target,
) -> Settled:
    from envmgr.pipeline.runtime_catalog import wheels_of_families
    from envmgr.pipeline.solve import RelockWish, relock

    relock_wish = RelockWish(
        before=before,
        upgrade=wish.upgrade,
        refresh=wish.refresh,
        directory=path.parent,
        families=wheels_of_families(spec, world.settings, target.interpreter),
    )
    lock = relock(spec, target, relock_wish, world)
    text = render_lock(lock)
    return Settled(
        lock=lock,
        before=before,
        path=path,
        sha256=sha256(text.encode()).hexdigest(),
        written=write_lock(path, text) if wish.writing else _differs(path, text),
        target=target,
    )


def _differs(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() != text.encode()
    except FileNotFoundError:
        return True
