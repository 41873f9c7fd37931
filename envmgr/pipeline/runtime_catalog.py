"""The recipes of shared runtimes, and what an environment file chooses of them."""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from envmgr.runtime.choice import check_system, choose
from envmgr.runtime.families import families_of
from envmgr.runtime.recipes.catalog import read_catalog, recipes_in
from envmgr.runtime.types import Choice, RuntimeCatalog
from envmgr.runtime.wheels import RuntimeFamily
from envmgr.spec.settings import Settings
from envmgr.spec.types import EnvironmentSpec
from envmgr.target.types import Glibc, Interpreter

RUNTIMES = "runtimes"
"""Where a directory of recipes keeps those of shared runtimes."""


def catalog_of(settings: Settings) -> RuntimeCatalog:
    """Read envmgr's own recipes and those of the settings, once.

    Raises FileUnreadable, RecipeInvalid.
    """
    return _catalog(tuple(_directories(settings)))


@cache
def _catalog(directories: tuple[Path, ...]) -> RuntimeCatalog:
    return read_catalog(directories)


def _directories(settings: Settings) -> Iterator[Path]:
    for directory in settings.recipes:
        if (directory / RUNTIMES).is_dir():
            yield directory / RUNTIMES


def added_recipes(settings: Settings) -> str:
    """Return a digest (hex) of the recipes that the settings add; empty where none are."""
    files = [file for each in _directories(settings) for file in recipes_in(each)]
    if not files:
        return ""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def choices_of(spec: EnvironmentSpec, settings: Settings) -> Mapping[str, Choice]:
    """Return what an environment file chooses, by family. Raises EnvironmentFileInvalid."""
    return choose(catalog_of(settings), spec.runtimes, spec.source)


def choices_for(
    spec: EnvironmentSpec, settings: Settings, interpreter: Interpreter
) -> Mapping[str, Choice]:
    """Return what an environment file chooses, where an interpreter's system has it.

    Raises EnvironmentFileInvalid.
    """
    choices = choices_of(spec, settings)
    check_system(catalog_of(settings), spec.runtimes, spec.source, _system(interpreter))
    return choices


def _system(interpreter: Interpreter) -> str:
    name = interpreter.platform.partition("-")[0]
    return "macos" if name == "macosx" else name


def wheels_of_families(
    spec: EnvironmentSpec, settings: Settings, interpreter: Interpreter
) -> tuple[RuntimeFamily, ...]:
    """Return what a resolution must know of shared runtimes. Raises EnvironmentFileInvalid."""
    shared = not_unified(interpreter) is None
    choices = choices_for(spec, settings, interpreter)
    return families_of(catalog_of(settings), choices, shared=shared)


def bound_packages(spec: EnvironmentSpec, settings: Settings) -> tuple[RuntimeFamily, ...]:
    """Return the families to which recipes bind packages. Raises EnvironmentFileInvalid."""
    families = families_of(catalog_of(settings), choices_of(spec, settings), shared=False)
    return tuple(family for family in families if family.works_with)


def not_unified(interpreter: Interpreter) -> str | None:
    """Say why runtimes cannot be shared for an interpreter; ``None`` where they can."""
    system = _system(interpreter)
    if system != "linux":
        return f"shared runtimes are not unified on {system}: packages keep their own copies"
    if not isinstance(interpreter.libc, Glibc):
        return "shared runtimes are not unified without glibc: packages keep their own copies"
    return None
