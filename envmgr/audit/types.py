"""What an audit finds: for every family of runtimes, which files of it a process would load."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from envmgr.names import PackageName
from envmgr.wheel.manifest import ElfFacts


class Identity(NamedTuple):
    """What the loader goes by: two paths to one inode are one library."""

    device: int
    inode: int


class Found(NamedTuple):
    """A file that a path leads to."""

    identity: Identity
    real: str
    """Its absolute path, every link followed."""
    facts: ElfFacts | None
    """``None`` for what is no dynamic ELF file."""


class Owner(NamedTuple):
    """Whose file it is: a package's, envmgr's (made in the store), or the system's."""

    origin: Literal["package", "envmgr", "system"]
    package: PackageName | None = None


class Request(NamedTuple):
    """One library that asks for another by name (``DT_NEEDED``)."""

    by: str
    """Path of who asks, as the loader came to it."""
    name: str
    path: str | None
    """As the loader comes to it; ``None`` where no search path leads to such a file."""


class Verdict(StrEnum):
    """How many copies of a family one process can hold."""

    NONE = "none"
    ONE = "one"
    SEVERAL = "several"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needer:
    """A library that asks for a runtime; ``file`` is relative to the prefix where it is in it."""

    package: PackageName | None
    """``None``: no package's."""
    file: str
    name: str
    """What it asks for, as ``DT_NEEDED`` says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeFile:
    """One file of a family, whatever number of paths lead to it."""

    library: str
    """What it is a copy of, as the catalog calls it."""
    path: str
    """Where it really is, absolute."""
    origin: Literal["package", "envmgr", "system"]
    package: PackageName | None
    """Whose it is, where it is a package's."""
    names: tuple[str, ...]
    """What it is asked for as: files that share a name stand in for each other; sorted."""
    seen_as: tuple[str, ...]
    """Paths that lead to it, relative to the prefix where they are in it; sorted."""
    needed_by: tuple[Needer, ...]
    leads_to: tuple[str, ...] = ()
    """Names of libraries of the same family that it needs: it only stands before them."""
    stays: str | None = None
    """Why it did not give way to a shared one, in one clause, where that was decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticRuntime:
    """A runtime inside another library, which no link can share."""

    package: PackageName
    file: str
    """Relative to the prefix."""
    what: str
    known: Literal["recipe", "contents"]
    """Whether a recipe names it, or its contents give it away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A library of a family that is asked for and not found; it must be loaded already."""

    name: str
    needed_by: tuple[Needer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyAudit:
    """What the libraries of an environment would load of one family."""

    family: str
    description: str
    verdict: Verdict
    least: int
    most: int
    """Copies that one process loads: which import comes first can matter."""
    files: tuple[RuntimeFile, ...]
    """What is asked for; sorted by the paths that lead there."""
    candidates: tuple[RuntimeFile, ...]
    """What nobody asks for by name, and a program may still open (``dlopen``)."""
    missing: tuple[Missing, ...]
    static: tuple[StaticRuntime, ...]
