"""What an environment file wishes of shared runtimes, held against what the recipes know."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from envmgr.runtime.types import HOST, VENDORED, Choice, Family, RuntimeCatalog
from envmgr.spec.problems import EnvironmentFileInvalid, Problem
from envmgr.spec.runtimes import Runtimes, RuntimeWish
from envmgr.spec.shapes import nearest


def choose(catalog: RuntimeCatalog, runtimes: Runtimes, file: Path) -> Mapping[str, Choice]:
    """Return the choices of ``file``, by family; families it says nothing of are left out.

    Raises EnvironmentFileInvalid, with everything that no recipe knows.
    """
    if runtimes.vendored:
        return {family.name: Choice(VENDORED) for family in catalog.families}
    found = [
        problem
        for name, wish in runtimes.families.items()
        for problem in _problems(catalog, name, wish, file)
    ]
    if found:
        raise EnvironmentFileInvalid(file, tuple(found))
    return {
        name: Choice(HOST if wish.host is not None else wish.implementation, wish.apart)
        for name, wish in runtimes.families.items()
    }


def check_system(catalog: RuntimeCatalog, runtimes: Runtimes, file: Path, system: str) -> None:
    """Refuse implementations that ``system`` (``linux``, ``macos``, ...) has not.

    Raises EnvironmentFileInvalid.
    """
    found = [
        problem
        for name, wish in runtimes.families.items()
        for problem in _elsewhere(catalog, name, wish, file, system)
    ]
    if found:
        raise EnvironmentFileInvalid(file, tuple(found))


def _elsewhere(
    catalog: RuntimeCatalog, name: str, wish: RuntimeWish, file: Path, system: str
) -> Iterator[Problem]:
    family = catalog.family(name)
    known = () if family is None else family.implementations
    here = [each.name for each in known if each.system in (None, system)]
    for each in known:
        if each.name == wish.implementation and each.name not in here:
            message = f"`{each.name}` is there as {name} on {each.system} alone, not on {system}"
            yield _problem(file, wish, message, f"write one of {', '.join([*here, VENDORED])}")


def _problems(
    catalog: RuntimeCatalog, name: str, wish: RuntimeWish, file: Path
) -> Iterator[Problem]:
    family = catalog.family(name)
    if family is None:
        names = [each.name for each in catalog.families]
        hint = nearest(name, names) or f"write one of {', '.join(names)}"
        yield _problem(file, wish, f"no recipe knows the runtime `{name}`", hint)
        return
    known = [each.name for each in family.implementations]
    if wish.implementation not in (None, VENDORED, *known):
        words = [*known, VENDORED]
        hint = nearest(wish.implementation or "", words) or f"write one of {', '.join(words)}"
        message = f"no recipe knows `{wish.implementation}` as an implementation of {name}"
        yield _problem(file, wish, message, hint)
    if wish.host is not None and not takes_host(family):
        message = f"`host` is not supported for {name}"
        yield _problem(file, wish, message, f"write one of {', '.join(known)}")


def takes_host(family: Family) -> bool:
    """Tell whether a library of the machine can serve a family: where implementations tell ABIs."""
    return any(each.abi is not None for each in family.implementations)


def _problem(file: Path, wish: RuntimeWish, message: str, hint: str) -> Problem:
    return Problem(file, wish.at.line, wish.at.column, message, hint)
