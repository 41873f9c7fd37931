"""``lock``: resolve an environment file and write the answer down."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from envmgr.events import Reporter, Warned
from envmgr.lock.check import compare, versions
from envmgr.pipeline.caches import trim_daily
from envmgr.pipeline.settle import LockWish, settle
from envmgr.pipeline.types import Change, Locked, LockRequest, LockUse
from envmgr.pipeline.world import World
from envmgr.spec.environment import read_environment
from envmgr.spec.settings import Settings

if TYPE_CHECKING:
    from envmgr.helper import Helper


def lock(
    request: LockRequest,
    settings: Settings,
    environ: Mapping[str, str],
    report: Reporter,
    asking: "Helper | None" = None,
) -> Locked:
    """Make or renew the lock of a file; with ``check``, only say whether it holds.

    ``asking`` is what asking_ahead began, if it was called already.
    Raises LockMissing and LockStale for ``check``, and what ``settle`` raises.
    """
    world = World(settings, environ, report, asking=asking)
    spec = read_environment(request.file, settings.expansions)
    wish = LockWish(
        path=request.lock,
        use=LockUse.LOCKED if request.check else LockUse.UPDATE,
        python=request.python,
        asked=not request.check,
        upgrade=request.upgrade,
        writing=not request.dry_run,
        refresh=request.refresh,
    )
    settled = settle(spec, wish, world)
    if not (request.check or request.dry_run):
        trim_daily(settings)
    before = versions(settled.before.packages) if settled.before else {}
    after = versions(settled.lock.packages)
    if request.upgrade != "all":
        for name in sorted(request.upgrade - before.keys() - after.keys()):
            report(Warned(f"{name} was to be upgraded and is not in the lock"))
    return Locked(
        path=settled.path,
        written=settled.written,
        dry_run=request.dry_run,
        python=settled.target.interpreter.version_text,
        packages=len(settled.lock.packages),
        changes=tuple(Change(*difference) for difference in compare(before, after)),
        seconds=world.timings(),
    )
