"""Whether a lock holds what overrides take away: older ones let those count for nothing."""

from collections.abc import Iterable

from envmgr.lock.types import Lock
from envmgr.wheel.requirement import Named


def against_overrides(lock: Lock, overrides: Iterable[Named]) -> tuple[str, ...]:
    """Tell in clauses which locked packages no requirement counts of any more.

    That is so where a package has overrides, and by what the lock recorded of markers none of
    them holds.
    """
    false = {each.marker for each in lock.conditions.markers if not (each.holds or each.extras)}
    locked = {package.name for package in lock.packages}
    named: dict[str, list[Named]] = {}
    for override in overrides:
        if override.name in locked:
            named.setdefault(override.name, []).append(override)
    return tuple(
        f"has {name}, which the override `{theirs[0]}` leaves out"
        for name, theirs in sorted(named.items())
        if all(each.marker is not None and str(each.marker) in false for each in theirs)
    )
