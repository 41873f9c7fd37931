"""What ``create`` says that a person might miss: what it took along, left behind or half did."""

from collections.abc import Iterator
from contextlib import contextmanager

from envmgr.errors import EnvmgrError
from envmgr.events import Noted, Reporter, Warned
from envmgr.link.carry import Carried
from envmgr.link.foreign import Foreign
from envmgr.pipeline.aim import Aim
from envmgr.pipeline.settle import Settled
from envmgr.pipeline.shown import KEPT, few


@contextmanager
def telling_of_lock(settled: Settled, aim: Aim, report: Reporter) -> Iterator[None]:
    """Tell of a lock that was written, where what follows fails.

    It stays, being what the file asks for; the environment is what it was.
    """
    try:
        yield
    except EnvmgrError:
        if settled.written:
            left = "was not made" if aim.before is None else "stays as it was"
            report(Noted(f"wrote {settled.path}, but {aim.name} {left}"))
        raise


def tell_of_left(foreign: Foreign, aim: Aim, report: Reporter) -> None:
    """Warn of what somebody installed into the generation that was current."""
    if foreign and aim.before is not None:
        report(
            Warned(
                f"{foreign} stayed behind in generation {aim.before.id}: not of {aim.spec.source}"
            )
        )


def tell_of_carried(carried: Carried, report: Reporter) -> None:
    """Tell of files that programs wrote: those taken along, and those that gave way."""
    if carried.taken:
        report(Noted(f"kept what programs wrote: {few(carried.taken, KEPT)}"))
    for path in carried.left:
        report(Warned(f"{path}, which a program wrote, gave way to a package's own file"))
