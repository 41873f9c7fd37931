"""What a process has mapped, seen through the catalog; and what to import to find out."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from envmgr.audit.probe import MappedFile, Observed, ThreadPool
from envmgr.audit.static import Surroundings, kin, leading
from envmgr.audit.types import Found, Identity, StaticRuntime, Verdict
from envmgr.names import PackageName
from envmgr.runtime.types import Family, RuntimeCatalog

_EXTENSION = re.compile(
    r"([A-Za-z_]\w*)(?:\.[a-z]\w*)?\.(?:cpython-\d+\w*-[\w-]+|abi3|pypy\d+-[\w-]+)\.so"
)
_NOT_IMPORTED = ("__pycache__", "benchmarks", "bin", "docs", "examples", "setup", "test", "tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRuntime:
    """One file of a family that a process has mapped."""

    library: str
    """What it is a copy of, as the catalog calls it."""
    path: str
    """Where it really is, absolute."""
    origin: Literal["package", "envmgr", "system"]
    package: PackageName | None
    """Whose it is, where it is a package's."""
    through: str
    """The path by which the loader came to it, relative to the prefix where it is in it."""
    brought_by: str
    """The package whose import mapped it."""
    leads_to: tuple[str, ...]
    """Names of libraries of the same family that it needs: it only stands before them."""
    stays: str | None
    """Why it did not give way to a shared one, in one clause, where that was decided."""
    pool: ThreadPool | None
    """What ``threadpoolctl`` says of it, where the environment has that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedFamily:
    """What a process has of one family; ``copies`` counts without those that stand before one."""

    family: str
    description: str
    verdict: Verdict
    copies: int
    files: tuple[LoadedRuntime, ...]
    """Sorted by the path by which the loader came to them."""
    static: tuple[StaticRuntime, ...]
    """In libraries that are mapped."""


def module_names(top_level: Iterable[str]) -> tuple[str, ...]:
    """Turn what stands in ``site-packages`` into names to import, without plain libraries."""
    found = set()
    for name in top_level:
        extension = _EXTENSION.fullmatch(name)
        if not extension and name.startswith("lib") and name.endswith(".so"):
            continue
        module = extension[1] if extension else name.removesuffix(".py").removesuffix(".so")
        if module.isidentifier() and module not in _NOT_IMPORTED:
            found.add(module)
    return tuple(sorted(found))


def module_of(place: str) -> str | None:
    """Return the name under which an extension module at a path below site-packages is imported."""
    *packages, name = place.split("/")
    extension = _EXTENSION.fullmatch(name)
    if extension is None or not all(each.isidentifier() for each in packages):
        return None
    return ".".join((*packages, extension[1]))


def fewest_modules(
    needs: Mapping[str, frozenset[str]],
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Choose, of modules and the runtimes they bring, one for each runtime: the shortest names.

    Each comes with the names of the runtimes for whose sake it was chosen.
    """
    chosen = []
    left = set().union(*needs.values())
    for module in sorted(needs, key=lambda each: (each.count("."), len(each), each)):
        if left & needs[module]:
            names = {path.rpartition("/")[2] for path in left & needs[module]}
            chosen.append((module, tuple(sorted(names))))
            left -= needs[module]
    return tuple(chosen)


def loaded_families(
    catalog: RuntimeCatalog,
    observed: Observed,
    static: Mapping[str, Sequence[StaticRuntime]],
    around: Surroundings,
) -> tuple[LoadedFamily, ...]:
    """Sort what a process mapped into the families of the catalog, in its order."""
    named: dict[Identity, str] = {}
    for name in observed.names:
        found = around.lookup(name)
        if found is not None:
            named.setdefault(found.identity, name)
    pools = _by_identity(observed.pools, around.lookup)
    files: dict[str, dict[tuple[str, int], LoadedRuntime]] = {}
    mapped_paths = set()
    for package, mapped in observed.mapped.items():
        for each in mapped:
            found = around.lookup(each.path)
            if found is None:
                found = Found(Identity(0, each.inode), each.path, None)
            mapped_paths.add(found.real)
            through = named.get(found.identity, each.path)
            known = kin(catalog, found, through.rpartition("/")[2])
            if known is not None:
                loaded = _loaded(known[0], known[1].name, found, through, package, around, pools)
                files.setdefault(known[0].name, {})[_key(each)] = loaded
    return tuple(
        _family(
            family,
            files.get(family.name, {}).values(),
            [each for each in static.get(family.name, ()) if _real(each, around) in mapped_paths],
        )
        for family in catalog.families
    )


def _key(mapped: MappedFile) -> tuple[str, int]:
    return mapped.device, mapped.inode


def _real(static: StaticRuntime, around: Surroundings) -> str | None:
    found = around.lookup(around.whole(static.file))
    return found.real if found else None


def _by_identity(
    pools: Iterable[ThreadPool], lookup: Callable[[str], Found | None]
) -> dict[Identity, ThreadPool]:
    found = ((lookup(pool.path), pool) for pool in pools if pool.path)
    return {file.identity: pool for file, pool in found if file is not None}


def _loaded(
    family: Family,
    library: str,
    found: Found,
    through: str,
    package: str,
    around: Surroundings,
    pools: Mapping[Identity, ThreadPool],
) -> LoadedRuntime:
    owner = around.owner_of(found)
    needed = found.facts.needed if found.facts else ()
    return LoadedRuntime(
        library=library,
        path=found.real,
        origin=owner.origin,
        package=owner.package,
        through=around.shown(through),
        brought_by=package,
        leads_to=leading(family, needed),
        stays=around.stays(found),
        pool=pools.get(found.identity),
    )


def _family(
    family: Family, files: Iterable[LoadedRuntime], static: Sequence[StaticRuntime]
) -> LoadedFamily:
    ordered = tuple(sorted(files, key=lambda each: (each.through, each.path)))
    copies = sum(not each.leads_to for each in ordered)
    return LoadedFamily(
        family=family.name,
        description=family.description,
        verdict=Verdict.SEVERAL if copies > 1 else Verdict.ONE if copies else Verdict.NONE,
        copies=copies,
        files=ordered,
        static=tuple(static),
    )
