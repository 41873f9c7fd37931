"""Which implementation of each shared runtime a lock settled on, and why."""

from envmgr.lock.types import LockedRuntime
from envmgr.names import PackageName
from envmgr.resolve.types import Problem, Resolution
from envmgr.runtime.wheels import RuntimeFamily

BY_THE_FILE = "the environment file"


def runtimes_of(resolution: Resolution, problem: Problem) -> tuple[LockedRuntime, ...]:
    """Return what is to be recorded of the families of a problem, sorted by name."""
    return tuple(
        _runtime(family, resolution.families[family.name], resolution, problem)
        for family in sorted(problem.families, key=lambda family: family.name)
        if family.name in resolution.families
    )


def _runtime(
    family: RuntimeFamily, implementation: str, resolution: Resolution, problem: Problem
) -> LockedRuntime:
    wheel = _wheel(family, implementation, resolution)
    version = None if wheel is None else str(resolution.chosen[wheel].candidate.version)
    listed_there = wheel is None or _is_listed(wheel, problem)
    by_the_file = family.chosen is not None or listed_there
    return LockedRuntime(
        family=family.name,
        implementation=implementation,
        wheel=wheel,
        version=version,
        reason=BY_THE_FILE if by_the_file else f"needed by {_parents(wheel, resolution)}",
    )


def _wheel(
    family: RuntimeFamily, implementation: str, resolution: Resolution
) -> PackageName | None:
    if family.wanted is not None:
        return family.wanted.name
    there = (name for name, brought in sorted(family.wheels.items()) if brought == implementation)
    return next((name for name in there if name in resolution.chosen), None)


def _is_listed(wheel: PackageName, problem: Problem) -> bool:
    return any(
        root.requirement.name == wheel and problem.target.satisfies(root.requirement.marker)
        for root in problem.roots
    )


def _parents(wheel: PackageName | None, resolution: Resolution) -> str:
    return ", ".join(
        name
        for name, chosen in sorted(resolution.chosen.items())
        if name != wheel and any(edge.child == wheel for edge in chosen.requires)
    )
