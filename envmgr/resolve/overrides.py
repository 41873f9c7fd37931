"""Overrides and constraints in force, and the requirements that overrides take away."""

from collections.abc import Iterable

from packaging.specifiers import SpecifierSet

from envmgr.events import Reporter, Warned
from envmgr.names import PackageName
from envmgr.resolve.types import Problem
from envmgr.target.types import Target
from envmgr.wheel.requirement import Named


def in_force(requirements: Iterable[Named], target: Target) -> dict[PackageName, SpecifierSet]:
    """Return, by name, the intersection of those whose markers hold."""
    specifiers: dict[PackageName, SpecifierSet] = {}
    for requirement in requirements:
        if target.satisfies(requirement.marker):
            known = specifiers.get(requirement.name)
            specifiers[requirement.name] = (
                requirement.specifier if known is None else known & requirement.specifier
            )
    return specifiers


def removed(overrides: Iterable[Named], target: Target) -> frozenset[PackageName]:
    """Return the names that have overrides of which no marker holds.

    An override stands in for every requirement on its name; where it does not count, nothing
    asks for that name any more.
    """
    named = tuple(overrides)
    return frozenset(each.name for each in named) - in_force(named, target).keys()


def warn_of_removed_roots(problem: Problem, report: Reporter) -> None:
    """Tell of packages that the file lists and its overrides take away."""
    gone = removed(problem.overrides, problem.target)
    asked = (root.requirement for root in problem.roots if root.runtime is None)
    listed = {each.name for each in asked if problem.target.satisfies(each.marker)}
    for name in sorted(gone & listed):
        report(Warned(f"{name} is left out: its override has a marker that is false here"))


def removal_told(problem: Problem, name: PackageName) -> str:
    """Say that the overrides take a name away."""
    overrides = [f"`{override}`" for override in problem.overrides if override.name == name]
    return f"The override {overrides[0]} leaves {name} out, as its marker is false here."
