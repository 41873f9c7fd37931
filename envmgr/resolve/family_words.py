"""What is said of shared runtimes where they are why nothing fits."""

from collections.abc import Iterator
from dataclasses import dataclass

from envmgr.names import PackageName
from envmgr.resolve.derivation import Derivation, Link, union
from envmgr.resolve.families import FamilyPackage
from envmgr.resolve.package import bits
from envmgr.resolve.words import listed, ranged
from envmgr.wheel.requirement import Family


@dataclass(frozen=True, slots=True)
class _Members:
    """Who asks a family for what, among those that take part in a refutation."""

    wheels: dict[PackageName, str]
    """Package -> the implementation that it brings."""
    bound: dict[PackageName, list[tuple[Family, int]]]
    """Package -> what recipes say of it, each with the mask of the options of which it is true."""


def is_family(derivation: Derivation, name: PackageName) -> bool:
    """Whether a name stands for a family."""
    return name in derivation.facts.families.packages


def plain_links(derivation: Derivation) -> list[Link]:
    """Return the links that are requirements of metadata."""
    return [link for link in derivation.links if not is_family(derivation, link.child)]


def family_sentences(derivation: Derivation, name: PackageName) -> Iterator[str]:
    """Say who asks a family for what, and why that cannot be."""
    package = derivation.facts.families.packages[name]
    members = _members(derivation, package)
    family = package.family
    for parent, told in members.bound.items():
        for said, options in told:
            subject = _subject(derivation, parent, options)
            yield f"{subject} only with {_either(said.one_of)} as {family}{said.ground}."
    chosen = _chosen(derivation, package)
    others = [wheel for wheel, brought in members.wheels.items() if brought != chosen]
    if chosen is not None:
        asked = f"`runtimes` asks for {chosen} as {family}"
        yield f"{asked}, and {_are(others)} of it." if others else f"{asked}."
    elif len(others) > 1:
        both = "both " if len(others) == 2 else ""
        yield (
            f"{listed(others)} are {both}implementations of {family}, "
            f"of which an environment has one."
        )
    elif others:
        yield f"{_are(others)} of {family}, of which an environment has one."
    else:
        yield f"An environment has one implementation of {family}."


def family_hint(derivation: Derivation, name: PackageName) -> str:
    """Say what to give up."""
    package = derivation.facts.families.packages[name]
    members = _members(derivation, package)
    chosen = _chosen(derivation, package)
    wheels = [wheel for wheel, brought in members.wheels.items() if brought != chosen]
    unlike = [*members.bound, *wheels]
    if chosen is None:
        return f"Keep one of {listed(unlike)}, with what needs it, and leave out the rest"
    fitting = package.full
    for alternatives in derivation.asked(name):
        fitting &= union(alternatives)
    other = _either(_implementations(package, fitting))
    leave = f"eave out {listed(unlike)} and what needs {'it' if len(unlike) == 1 else 'them'}"
    return (
        f"Ask for {other} as {package.family} under `runtimes`, or l{leave}"
        if other
        else f"L{leave}"
    )


def _members(derivation: Derivation, package: FamilyPackage) -> _Members:
    members = _Members({}, {})
    for link in derivation.links:
        for wording, demand in link.demands.items():
            requirement = demand.requirement
            if demand.name != package.name or not isinstance(requirement, Family):
                continue
            if requirement.implementation is None:
                told = (requirement, link.saying[wording])
                members.bound.setdefault(link.parent, []).append(told)
            else:
                members.wheels[link.parent] = requirement.implementation
    return members


def _subject(derivation: Derivation, name: PackageName, mask: int) -> str:
    """Write ``field 2.0 and 2.1 work``, or ``field works`` where there are no other versions."""
    options = derivation.facts.package(name).options
    some = {options[option].version for option in bits(mask)}
    if len(some) == len({option.version for option in options}):
        return f"{name} works"
    versions = ranged(some, (option.version for option in options))
    return f"{name} {versions.text} {versions.agreeing('works', 'work')}"


def _chosen(derivation: Derivation, package: FamilyPackage) -> str | None:
    """Return what the file chooses, if that takes part."""
    if package.chosen is None or not derivation.is_constrained(package.name):
        return None
    return package.implementations[next(bits(package.chosen))]


def _implementations(package: FamilyPackage, mask: int) -> tuple[str, ...]:
    return tuple(package.implementations[option] for option in bits(mask))


def _are(wheels: list[PackageName]) -> str:
    if len(wheels) == 1:
        return f"{wheels[0]} is another implementation"
    return f"{listed(wheels)} are other implementations"


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
