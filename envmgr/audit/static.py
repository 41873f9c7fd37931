"""What the libraries of a view would load of each family, decided without loading any.

glibc loads a file once for its inode, and gives a name to whoever asks for it under a
name that is loaded already, whatever file a search path would have led to. So
which copies a process holds can depend on the order of its imports.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from envmgr.audit.loader import Lookup
from envmgr.audit.types import (
    FamilyAudit,
    Found,
    Identity,
    Missing,
    Needer,
    Owner,
    Request,
    RuntimeFile,
    StaticRuntime,
    Verdict,
)
from envmgr.names import PackageName
from envmgr.runtime.types import Family, Library, RuntimeCatalog

_TAG = re.compile(r"\.cpython-(\d+)")


@dataclass(frozen=True, slots=True)
class ViewLibrary:
    """A dynamic ELF file that a package has in the view."""

    package: PackageName
    path: str
    """Absolute, in the view."""
    found: Found
    """What really stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What decides beside the requests."""

    lookup: Lookup
    owner_of: Callable[[Found], Owner]
    shown: Callable[[str], str]
    """A path for people: relative to the prefix where it is below it."""
    whole: Callable[[str], str]
    """The absolute path of one for people."""
    stays: Callable[[Found], str | None] = lambda _: None
    """Why a copy did not give way to a shared library; ``None`` where nothing says so."""


def kin(catalog: RuntimeCatalog, found: Found, asked: str = "") -> tuple[Family, Library] | None:
    """Tell what a file is a copy of: by its own name, by its SONAME, by what it is asked for as."""
    soname = found.facts.soname if found.facts else None
    for name in (found.real.rpartition("/")[2], soname, asked):
        known = catalog.classify(name) if name else None
        if known is not None:
            return known
    return None


def leading(family: Family, needed: Iterable[str]) -> tuple[str, ...]:
    """Return the names, or paths, of what a library needs of its own family."""
    return tuple(each for each in needed if family.library_of(each.rpartition("/")[2]) is not None)


def roots_of(
    libraries: Iterable[ViewLibrary], catalog: RuntimeCatalog, python: str
) -> tuple[ViewLibrary, ...]:
    """Choose what a process loads by path: extension modules, and libraries with a plain name.

    Versioned libraries (``.so.1``) and those of the prefix's ``lib`` are loaded by name,
    programs run in processes of their own, and modules for another Python than ``python``
    (``3.11``) are never imported.
    """
    tag = python.replace(".", "")
    chosen = []
    for each in libraries:
        name = each.path.rpartition("/")[2]
        built_for = _TAG.search(name)
        fits = built_for is None or built_for[1] == tag
        inside = "/site-packages/" in each.path
        if inside and name.endswith(".so") and fits and kin(catalog, each.found, name) is None:
            chosen.append(each)
    return tuple(chosen)


@dataclass(slots=True)
class _Copy:
    """One file of a family, being gathered."""

    found: Found
    library: str
    names: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)


def audit_families(
    catalog: RuntimeCatalog,
    libraries: Sequence[ViewLibrary],
    requests: Sequence[Request],
    static: Mapping[str, Sequence[StaticRuntime]],
    around: Surroundings,
) -> tuple[FamilyAudit, ...]:
    """Tell for each family of the catalog what would be loaded, and by whom; in its order.

    ``static`` maps families to what is known to be linked into other libraries.
    """
    asked: dict[str, dict[Identity, _Copy]] = {family.name: {} for family in catalog.families}
    missing: dict[str, dict[str, list[Request]]] = {family.name: {} for family in catalog.families}
    for request in requests:
        found = around.lookup(request.path) if request.path is not None else None
        known = kin(catalog, found, request.name) if found else catalog.classify(request.name)
        if known is None:
            continue
        family, library = known
        if found is None or request.path is None:
            missing[family.name].setdefault(request.name, []).append(request)
            continue
        copy = asked[family.name].setdefault(found.identity, _Copy(found, library.name))
        copy.names.add(request.name)
        copy.paths.add(request.path)
        copy.requests.append(request)
    unasked = _unasked(catalog, libraries, asked)
    context = _Context(around, {around.shown(each.path): each.package for each in libraries})
    return tuple(
        _audit(
            family,
            [context.runtime_file(each, family) for each in asked[family.name].values()],
            [context.runtime_file(each, family) for each in unasked[family.name].values()],
            [
                Missing(name=name, needed_by=context.needers(asking))
                for name, asking in sorted(missing[family.name].items())
            ],
            static.get(family.name, ()),
            around,
        )
        for family in catalog.families
    )


def _unasked(
    catalog: RuntimeCatalog,
    libraries: Iterable[ViewLibrary],
    asked: Mapping[str, Mapping[Identity, _Copy]],
) -> dict[str, dict[Identity, _Copy]]:
    """Gather the files of families that no library asks for; note all paths of those it does."""
    found: dict[str, dict[Identity, _Copy]] = {family.name: {} for family in catalog.families}
    for each in libraries:
        known = kin(catalog, each.found, each.path.rpartition("/")[2])
        if known is None:
            continue
        family, library = known
        copy = asked[family.name].get(each.found.identity)
        if copy is None:
            new = _Copy(each.found, library.name)
            copy = found[family.name].setdefault(each.found.identity, new)
        copy.paths.add(each.path)
    return found


def _audit(
    family: Family,
    files: Sequence[RuntimeFile],
    candidates: Sequence[RuntimeFile],
    missing: Sequence[Missing],
    static: Sequence[StaticRuntime],
    around: Surroundings,
) -> FamilyAudit:
    least, most = count_copies([each for each in files if not each.leads_to], around.lookup)
    return FamilyAudit(
        family=family.name,
        description=family.description,
        verdict=Verdict.SEVERAL if most > 1 else Verdict.ONE if most else Verdict.NONE,
        least=least,
        most=most,
        files=tuple(sorted(files, key=_place)),
        candidates=tuple(sorted(candidates, key=_place)),
        missing=tuple(missing),
        static=tuple(static),
    )


def _place(file: RuntimeFile) -> tuple[str, ...]:
    return (*file.seen_as, file.path)


@dataclass(frozen=True, slots=True)
class _Context:
    around: Surroundings
    packages: Mapping[str, PackageName]
    """By shown paths: whose library stands there, even if envmgr made what stands in for it."""

    def runtime_file(self, copy: _Copy, family: Family) -> RuntimeFile:
        owner = self.around.owner_of(copy.found)
        needed = copy.found.facts.needed if copy.found.facts else ()
        return RuntimeFile(
            library=copy.library,
            path=copy.found.real,
            origin=owner.origin,
            package=owner.package,
            names=tuple(sorted(copy.names)),
            seen_as=tuple(sorted({self.around.shown(path) for path in copy.paths})),
            needed_by=self.needers(copy.requests),
            leads_to=leading(family, needed),
            stays=self.around.stays(copy.found),
        )

    def needers(self, requests: Iterable[Request]) -> tuple[Needer, ...]:
        found = set()
        for request in requests:
            shown = self.around.shown(request.by)
            package = self.packages.get(shown) or self._owner(request.by)
            found.add((str(package or ""), shown, request.name, package))
        return tuple(
            Needer(package=package, file=file, name=name)
            for _, file, name, package in sorted(found, key=lambda each: each[:3])
        )

    def _owner(self, path: str) -> PackageName | None:
        found = self.around.lookup(path)
        return self.around.owner_of(found).package if found else None


def count_copies(files: Sequence[RuntimeFile], lookup: Lookup) -> tuple[int, int]:
    """Return how many of these files one process loads at least and at most.

    At least one for each group of files that stand in for each other, since they share a
    name or a SONAME; at most one for each name that is asked for, whichever file has it
    first, and no file twice.
    """
    sonames = [_soname(each, lookup) for each in files]
    groups: list[set[str]] = []
    for each, soname in zip(files, sonames, strict=True):
        merged = {*each.names, soname}
        apart = []
        for group in groups:
            if group & merged:
                merged |= group
            else:
                apart.append(group)
        groups = [*apart, merged]
    names = sorted({name for each in files for name in each.names})
    return len(groups), _matched(names, files)


def _soname(file: RuntimeFile, lookup: Lookup) -> str:
    found = lookup(file.path)
    facts = found.facts if found else None
    return facts.soname if facts and facts.soname else file.path


def _matched(names: Sequence[str], files: Sequence[RuntimeFile]) -> int:
    """Return how many names can have files of their own (a maximum matching)."""
    served: dict[int, str] = {}

    def serve(name: str, tried: set[int]) -> bool:
        for number, file in enumerate(files):
            if name in file.names and number not in tried:
                tried.add(number)
                if number not in served or serve(served[number], tried):
                    served[number] = name
                    return True
        return False

    return sum(serve(name, set()) for name in names)
