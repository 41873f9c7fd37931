"""Shared runtimes as recipes tell of them: families, their libraries and implementations."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Literal

from envmgr.wheel.requirement import Named

Integers = Literal["lp64", "ilp64"]
"""How wide the integers of a BLAS are: 32 or 64 bits."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a BLAS writes the names of its functions; ``dgemm`` is ``scipy_dgemm_64_`` somewhere.

    ``prefix`` and ``suffix`` stand around the usual name (``dgemm_``, ``cblas_dgemm``),
    in the way of ``style``.
    """

    style: Literal["openblas", "mkl"] = "openblas"
    prefix: str = ""
    suffix: str = ""
    integers: Integers = "lp64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A library of a family, copies of which packages bring along under names of their own."""

    name: str
    """Its canonical SONAME: ``libgomp.so.1``; no two libraries of a catalog share one."""
    files: tuple[str, ...]
    """Globs over the names of files that are copies of it: ``libgomp-*.so.1*``."""
    spelling: Spelling | None = None
    """For a BLAS."""

    def is_copy(self, filename: str) -> bool:
        """Tell whether a file of this name is a copy of it."""
        return any(fnmatchcase(filename, pattern) for pattern in self.files)


class Origin(StrEnum):
    """Where the library of an implementation comes from."""

    VENDORED = "vendored"
    """One of the copies that packages bring along: the one whose versions cover all the others."""
    WHEEL = "wheel"
    HOST = "host"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provided:
    """One library of an implementation, and what it can stand for."""

    file: str
    """Glob over paths in the wheel's entry, ``data/lib/libiomp5.so``; empty for a vendored one."""
    stands_for: tuple[str, ...]
    """Names of libraries of the family, each of which may be replaced by this one."""
    spelling: Spelling | None = None


@dataclass(frozen=True, slots=True)
class Variables:
    """Environment variables that an implementation needs, set where the user has not.

    ``when`` names families with the implementation they must have for it to count.
    """

    values: Mapping[str, str]
    when: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation:
    """One way to have a family: ``mkl`` for ``blas``."""

    name: str
    description: str
    licence: str
    """An SPDX expression, or where to read it."""
    origin: Origin
    wheel: Named | None = None
    """What brings it, where a wheel does."""
    provides: tuple[Provided, ...] = ()
    variables: tuple[Variables, ...] = ()
    needs: tuple[str, ...] = ()
    """SONAMEs of other families' libraries that it asks for by these names: ``libgomp.so.1``."""
    abi: str | None = None
    """For MPI: the SONAME that tells which programs it can serve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticCopy:
    """A runtime inside another library, which cannot be shared: torch's MKL."""

    files: tuple[str, ...]
    """Globs over paths in an entry."""
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A kind of runtime of which a process should have one: ``openmp``, ``blas``, ``mpi``."""

    name: str
    description: str
    libraries: tuple[Library, ...]
    implementations: tuple[Implementation, ...]
    automatic: str | None = None
    """The implementation where the environment file says nothing; ``None`` leaves things alone."""
    exclusive: bool = True
    """Whether an environment has at most one implementation's wheel."""
    support: bool = False
    """Whether it only serves others (gfortran, quadmath), so that no file chooses it."""
    static_copies: tuple[StaticCopy, ...] = ()

    def library_of(self, filename: str) -> Library | None:
        """Return the library that a file of this name is a copy of."""
        return next((each for each in self.libraries if each.is_copy(filename)), None)

    def implementation(self, name: str) -> Implementation | None:
        """Return the implementation of this name."""
        return next((each for each in self.implementations if each.name == name), None)


@dataclass(frozen=True, slots=True)
class RuntimeCatalog:
    """Every family that is known, sorted by name."""

    families: tuple[Family, ...]

    def family(self, name: str) -> Family | None:
        """Return the family of this name."""
        return next((each for each in self.families if each.name == name), None)

    def classify(self, filename: str) -> tuple[Family, Library] | None:
        """Tell which library of which family a file of this name is a copy of."""
        for family in self.families:
            library = family.library_of(filename)
            if library is not None:
                return family, library
        return None

    def chosen_by_files(self) -> Iterator[Family]:
        """Yield the families that an environment file may speak of."""
        return (family for family in self.families if not family.support)
