"""Shared runtimes as recipes tell of them: families, their libraries and implementations."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Literal

from msgspec import Struct, field
from packaging.specifiers import SpecifierSet

from envmgr.names import PackageName
from envmgr.runtime.forwarding.spelling import Spelling
from envmgr.wheel.requirement import Named

EQUAL = "equal"
PRESENT = "present"
HOST = "host"
"""What serves where the environment file takes a library of the machine."""
VENDORED = "vendored"
"""In an environment file: every package keeps its own copy."""


class Library(Struct, frozen=True, kw_only=True):
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


class Choice(Struct, frozen=True):
    """What an environment file says of a family."""

    implementation: str | None = None
    """Its name, ``vendored`` or ``host``; ``None`` where the file says nothing."""
    apart: frozenset[PackageName] = frozenset()
    """Packages that keep their own copy."""


class Part(Struct, frozen=True):
    """A further library of an implementation's wheel that is loaded beside another one.

    ``file`` is a glob over paths in the wheel's entry. ``when`` names families with the
    implementation they must have, ``vendored`` where none serves.
    """

    file: str
    when: Mapping[str, str] = field(default_factory=dict)


class Provided(Struct, frozen=True, kw_only=True):
    """One library of an implementation, and what it can stand for.

    Exactly one of ``copy_of`` and ``file`` says something.
    """

    copy_of: str = ""
    """The library of the family of which a copy that packages bring along is to serve."""
    file: str = ""
    """Glob over paths in the entry of the implementation's wheel: ``data/lib/libiomp5.so``."""
    stands_for: tuple[str, ...]
    """Names of libraries of the family, each of which may be replaced by this one."""
    spellings: tuple[Spelling, ...] = ()
    """For a BLAS of a wheel, one for each width of integers that it has."""
    parts: tuple[Part, ...] = ()
    """Loaded after it, in this order."""


class Variables(Struct, frozen=True):
    """Environment variables that an implementation needs, set where the user has not.

    ``when`` names families with the implementation they must have for it to count.
    """

    values: Mapping[str, str]
    when: Mapping[str, str] = field(default_factory=dict)


class ForkCall(Struct, frozen=True):
    """A function to call around a fork, which threads do not survive.

    Of several that fit, the first counts whose function is there.
    """

    call: str
    arguments: tuple[int, ...]
    place: Literal["before", "child"]
    when: Mapping[str, str] = field(default_factory=dict)


class Need(Struct, frozen=True):
    """A library of another family that an implementation asks for by its canonical SONAME."""

    library: str
    when: Mapping[str, str] = field(default_factory=dict)


class Implementation(Struct, frozen=True, kw_only=True):
    """One way to have a family: ``mkl`` for ``blas``."""

    name: str
    description: str
    licence: str
    """An SPDX expression, or what the licence is called."""
    wheel: Named | None = None
    """What brings it; ``None`` for copies that packages bring along, and for the host's."""
    provides: tuple[Provided, ...] = ()
    variables: tuple[Variables, ...] = ()
    needs: tuple[Need, ...] = ()
    fork: tuple[ForkCall, ...] = ()
    system: str | None = None
    """The only system that has it, ``linux`` or ``macos``; ``None`` where every one has."""
    abi: str | None = None
    """For MPI: the SONAME that tells which programs it can serve."""


class StaticCopy(Struct, frozen=True, kw_only=True):
    """A runtime inside another library, which cannot be shared: torch's MKL."""

    files: tuple[str, ...]
    """Globs over paths in an entry."""
    what: str


class Binding(Struct, frozen=True, kw_only=True):
    """A package that works only with some implementations, or those of some ABIs, of a family."""

    package: PackageName
    versions: SpecifierSet
    implementations: tuple[str, ...]
    abis: tuple[str, ...]
    reason: str
    source: str
    """The recipe's file."""


class Family(Struct, frozen=True, kw_only=True):
    """A kind of runtime of which a process should have one: ``openmp``, ``blas``, ``mpi``."""

    name: str
    description: str
    libraries: tuple[Library, ...]
    implementations: tuple[Implementation, ...]
    automatic: str | None = None
    """What happens where the environment file says nothing: an implementation's name,
    ``EQUAL`` to let one of several equal copies serve, ``PRESENT`` for the implementation whose
    wheel is there, ``None`` to leave things alone."""
    support: bool = False
    """Whether it only serves others (gfortran, quadmath), so that no file chooses it."""
    static_copies: tuple[StaticCopy, ...] = ()
    bindings: tuple[Binding, ...] = ()

    def library_of(self, filename: str) -> Library | None:
        """Return the library that a file of this name is a copy of."""
        return next((each for each in self.libraries if each.is_copy(filename)), None)

    def implementation(self, name: str) -> Implementation | None:
        """Return the implementation of this name."""
        return next((each for each in self.implementations if each.name == name), None)


class RuntimeCatalog(Struct, frozen=True):
    """Every family that is known, sorted by name."""

    families: tuple[Family, ...]

    def family(self, name: str) -> Family | None:
        """Return the family of this name."""
        return next((each for each in self.families if each.name == name), None)

    def classify(self, filename: str) -> tuple[Family, Library] | None:
        """Tell which library of which family a file of this name is a copy of."""
        if not filename.startswith("lib"):
            return None
        for family in self.families:
            library = family.library_of(filename)
            if library is not None:
                return family, library
        return None

    def chosen_by_files(self) -> Iterator[Family]:
        """Yield the families that an environment file may speak of."""
        return (family for family in self.families if not family.support)
