"""Whether a lock still holds by what recipes say of ABIs: they may have changed since."""

from collections.abc import Iterable, Iterator

from packaging.version import Version

from envmgr.lock.types import Lock
from envmgr.runtime.wheels import Bound, RuntimeFamily


def against_recipes(lock: Lock, families: Iterable[RuntimeFamily]) -> tuple[str, ...]:
    """Tell in clauses which locked packages work with other implementations alone.

    Nothing where one implementation can serve everything that is locked.
    """
    return tuple(clause for family in families for clause in _against(lock, family))


def _against(lock: Lock, family: RuntimeFamily) -> Iterator[str]:
    bound = [
        (package.name, each)
        for package in lock.packages
        for each in family.bounds(package.name, Version(package.version))
    ]
    served = next((one for one in lock.runtimes if one.family == family.name), None)
    if served is not None:
        for name, each in bound:
            if served.implementation not in each.implementations:
                told = _told(each, family)
                yield f"has {served.implementation} as {family.name}, and {name} {told}"
    elif bound and not frozenset.intersection(*(each.implementations for _, each in bound)):
        clauses = (f"{name}, which {_told(each, family)}" for name, each in bound)
        yield f"has {'; and '.join(clauses)}"


def _told(bound: Bound, family: RuntimeFamily) -> str:
    named = " or ".join(sorted(bound.implementations))
    return f"works only with {named} as {family.name}{bound.ground}"
