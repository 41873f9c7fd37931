"""``runtimes audit``: what an environment's packages would load twice, and what they do load."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter

from envmgr.audit.embedded import find_marks
from envmgr.audit.live import Task, observe
from envmgr.audit.loader import Loader, Rules, places, reached
from envmgr.audit.mapped import (
    LoadedFamily,
    fewest_modules,
    loaded_families,
    module_names,
    module_of,
)
from envmgr.audit.opened import brought_libraries, loadable, opened_libraries
from envmgr.audit.platform import not_unified
from envmgr.audit.probe import FailedImport, PackageImports
from envmgr.audit.static import Surroundings, ViewLibrary, audit_families, kin, roots_of
from envmgr.audit.types import FamilyAudit, Identity, StaticRuntime, Verdict
from envmgr.audit.view import ViewedEntry, ViewFiles, read_elf, read_head, read_system_directories
from envmgr.errors import UsageError
from envmgr.events import (
    Reporter,
    StageAdvanced,
    StageFinished,
    StageStarted,
    Warned,
    silent,
)
from envmgr.link.generation import GenerationRecord, generation_path
from envmgr.names import EnvironmentName, GenerationId, PackageName
from envmgr.pipeline.environments import find_prefix, record_of, selection_of
from envmgr.pipeline.runtime_catalog import catalog_of
from envmgr.pipeline.runtime_records import shared_runtimes
from envmgr.pipeline.types import Selector
from envmgr.runtime.types import RuntimeCatalog
from envmgr.spec.settings import Settings
from envmgr.store.entry import read_manifest
from envmgr.store.store import open_store

TIMEOUT = 600.0
"""Seconds for the process that imports everything."""


class NotInEnvironment(UsageError):
    """A package to import that the environment does not have."""

    def __init__(self, package: PackageName, near: Sequence[str]) -> None:
        self.package = package
        hint = f"did you mean {' or '.join(near)}?" if near else "see `envmgr list -n NAME`"
        super().__init__(f"the environment has no package {package}", hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What ``runtimes audit`` found without loading anything."""

    name: EnvironmentName
    prefix: Path
    generation: GenerationId
    note: str | None
    """Why nothing is said of this environment, if so."""
    families: tuple[FamilyAudit, ...]
    twice: tuple[str, ...]
    """Families of which one process can load several copies."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun:
    """What one process loaded."""

    isolated: bool
    """Whether the interpreter was started with ``-I``."""
    imported: tuple[str, ...]
    """Packages, in the order of their imports."""
    failed: tuple[FailedImport, ...]
    families: tuple[LoadedFamily, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAudited:
    """What ``runtimes audit --live`` found."""

    name: EnvironmentName
    prefix: Path
    generation: GenerationId
    note: str | None
    runs: tuple[LiveRun, ...]
    twice: tuple[str, ...]
    """Families of which a process had several copies."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRequest:
    """How ``--live`` imports."""

    packages: tuple[PackageName, ...] = ()
    """Empty: all whose libraries need a family."""
    isolated: bool = False
    """Whether to do it again with ``-I``."""
    timeout: float = TIMEOUT


@dataclass
class _Seen:
    """An environment, looked over."""

    prefix: Path
    record: GenerationRecord
    catalog: RuntimeCatalog
    files: ViewFiles
    note: str | None
    libraries: tuple[ViewLibrary, ...] = ()
    roots: tuple[ViewLibrary, ...] = ()
    loader: Loader | None = None
    static: dict[str, list[StaticRuntime]] = field(default_factory=dict)

    @property
    def around(self) -> Surroundings:
        return Surroundings(
            lookup=self.files.lookup,
            owner_of=self.files.owner_of,
            shown=self.files.shown,
            whole=self.files.whole,
            stays=lambda found: self.kept.get(found.identity),
        )

    @cached_property
    def kept(self) -> Mapping[Identity, str]:
        """Copies that did not give way to a shared library, with the reason."""
        roots = {str(each.manifest.name): each.root for each in self.files.entries}
        told = (
            (self.files.lookup(f"{roots.get(kept.copy.package, '')}/{kept.copy.path}"), kept.reason)
            for runtime in shared_runtimes(self.record)
            for kept in runtime.kept
        )
        return {found.identity: reason for found, reason in told if found is not None}


def audit_environment(
    selector: Selector, settings: Settings, environ: Mapping[str, str], report: Reporter = silent
) -> Audited:
    """Tell which runtimes an environment's libraries would load, without loading any.

    ``LD_LIBRARY_PATH`` of ``environ`` counts, as it would for its programs. Raises
    NoSuchEnvironment, DamagedEnvironment, EntryDamaged, FileUnreadable and RecipeInvalid.
    """
    began = perf_counter()
    seen = _look(selector, settings, environ, report)
    families: tuple[FamilyAudit, ...] = ()
    if seen.loader is not None:
        families = audit_families(
            seen.catalog,
            seen.libraries,
            tuple(seen.loader.requests.values()),
            seen.static,
            seen.around,
        )
    return Audited(
        name=seen.record.name,
        prefix=seen.prefix,
        generation=seen.record.id,
        note=seen.note,
        families=families,
        twice=tuple(each.family for each in families if each.verdict is Verdict.SEVERAL),
        seconds=perf_counter() - began,
    )


def audit_live(
    selector: Selector,
    request: LiveRequest,
    settings: Settings,
    environ: Mapping[str, str],
    report: Reporter = silent,
) -> LiveAudited:
    """Import an environment's packages in its own interpreter, and tell what got mapped.

    The process is started as an editor would start it, by ``PREFIX/bin/python`` without
    activation. Raises as ``audit_environment`` does, and NotInEnvironment, ProbeFailed.
    """
    began = perf_counter()
    seen = _look(selector, settings, environ, report)
    runs = []
    if seen.loader is not None:
        chosen = _imports(seen, request.packages)
        for isolated in (False, True) if request.isolated else (False,):
            task = Task(
                python=seen.prefix / "bin" / "python",
                packages=chosen,
                isolated=isolated,
                timeout=request.timeout,
            )
            runs.append(_run(seen, task, environ))
    several = {
        family.family
        for run in runs
        for family in run.families
        if family.verdict is Verdict.SEVERAL
    }
    return LiveAudited(
        name=seen.record.name,
        prefix=seen.prefix,
        generation=seen.record.id,
        note=seen.note,
        runs=tuple(runs),
        twice=tuple(sorted(several)),
        seconds=perf_counter() - began,
    )


def _run(seen: _Seen, task: Task, environ: Mapping[str, str]) -> LiveRun:
    observed = observe(task, environ)
    return LiveRun(
        isolated=task.isolated,
        imported=tuple(observed.mapped),
        failed=observed.failed,
        families=loaded_families(seen.catalog, observed, seen.static, seen.around),
    )


def _look(
    selector: Selector, settings: Settings, environ: Mapping[str, str], report: Reporter
) -> _Seen:
    prefix, record = find_prefix(selector, settings), record_of(selector, settings)
    catalog = catalog_of(settings)
    generation = generation_path(prefix, record.id)
    files = ViewFiles(
        generation, viewed_entries(selector, settings, record, report), settings.stores
    )
    python = read_elf(record.python)
    seen = _Seen(
        prefix=prefix,
        record=record,
        catalog=catalog,
        files=files,
        note=not_unified(read_head(record.python), python),
    )
    if seen.note is not None:
        return seen
    began = perf_counter()
    report(StageStarted("audit", len(files.entries)))
    seen.libraries = tuple(files.libraries())
    minor = ".".join(record.python_version.split(".")[:2])
    opened = opened_libraries(catalog, files.lookup, f"{files.generation}/lib")
    seen.roots = loadable(roots_of(seen.libraries, catalog, minor), catalog, opened)
    rules = Rules(
        system=read_system_directories(python.machine if python else "x86_64"),
        before=tuple(filter(None, environ.get("LD_LIBRARY_PATH", "").split(":"))),
        main=places(python.rpath, files.real(record.python)) if python else (),
        opened=opened,
        brought=brought_libraries(seen.libraries, catalog),
    )
    seen.loader = Loader(files.lookup, files.real_directory, rules)
    seen.loader.follow(each.path for each in seen.roots)
    seen.static = _static_runtimes(seen, report)
    report(StageFinished("audit", len(files.entries), perf_counter() - began))
    return seen


def viewed_entries(
    selector: Selector, settings: Settings, record: GenerationRecord, report: Reporter
) -> list[ViewedEntry]:
    """Read the manifests of a generation's packages; of those that are gone the reporter is told.

    Raises EntryDamaged.
    """
    store = open_store(settings.stores)
    found = []
    for package in record.packages:
        entry = store.find(package.key)
        if entry is None:
            again = f"`envmgr sync {selection_of(selector)}` fetches it again"
            report(Warned(f"the store lacks {package.name} {package.version}; {again}"))
        else:
            found.append(ViewedEntry(str(entry.path), read_manifest(entry)))
    return found


def _static_runtimes(seen: _Seen, report: Reporter) -> dict[str, list[StaticRuntime]]:
    """Find by recipe and by contents what was linked into the libraries of a view."""
    found: dict[str, list[StaticRuntime]] = {family.name: [] for family in seen.catalog.families}
    for package, libraries in _by_package(seen.libraries).items():
        for library in libraries:
            name = library.path.rpartition("/")[2]
            if kin(seen.catalog, library.found, name) is not None:
                continue
            for family, what, by_recipe in _held(seen, library):
                found[family].append(
                    StaticRuntime(
                        package=package,
                        file=seen.files.shown(library.path),
                        what=what,
                        known="recipe" if by_recipe else "contents",
                    )
                )
        report(StageAdvanced("audit", 1, package))
    return found


def _by_package(libraries: Iterable[ViewLibrary]) -> dict[PackageName, list[ViewLibrary]]:
    found: dict[PackageName, list[ViewLibrary]] = {}
    for each in libraries:
        found.setdefault(each.package, []).append(each)
    return found


def _held(seen: _Seen, library: ViewLibrary) -> list[tuple[str, str, bool]]:
    """Return family and description of what is linked into a library; what a recipe says wins."""
    from fnmatch import fnmatchcase

    facts = library.found.facts
    path = facts.path if facts else ""
    told = {
        family.name: copy.what
        for family in seen.catalog.families
        for copy in family.static_copies
        if any(fnmatchcase(path, pattern) for pattern in copy.files)
    }
    marks = find_marks(library.found.real, (each.name for each in seen.catalog.families))
    return [
        *((family, what, True) for family, what in told.items()),
        *((mark.family, mark.what, False) for mark in marks if mark.family not in told),
    ]


def _imports(seen: _Seen, wanted: Sequence[PackageName]) -> tuple[PackageImports, ...]:
    """Choose what to import of each package: its top-level names, then what brings runtimes."""
    manifests = {each.manifest.name: each.manifest for each in seen.files.entries}
    for package in wanted:
        if package not in manifests:
            from difflib import get_close_matches

            raise NotInEnvironment(package, get_close_matches(package, list(manifests), n=2))
    needs = _needs(seen)
    static = {each.package for copies in seen.static.values() for each in copies}
    return tuple(
        PackageImports(
            package=name,
            modules=module_names(manifests[name].top_level),
            further=fewest_modules(needs.get(name, {})),
        )
        for name in sorted(manifests)
        if name in wanted or (not wanted and (name in needs or name in static))
    )


def _needs(seen: _Seen) -> dict[PackageName, dict[str, frozenset[str]]]:
    """Map packages to their modules that bring runtimes, and these to the runtimes' files."""
    if seen.loader is None:
        return {}
    requests = tuple(seen.loader.requests.values())
    wanted = {}
    for request in requests:
        found = seen.files.lookup(request.path) if request.path else None
        if found is not None and request.path and kin(seen.catalog, found, request.name):
            wanted[request.path] = found.real
    bring = reached(requests, [each.path for each in seen.roots], wanted)
    result: dict[PackageName, dict[str, frozenset[str]]] = {}
    site = f"{seen.files.generation}/{seen.files.site}/"
    for root in seen.roots:
        if bring[root.path]:
            module = module_of(root.path.removeprefix(site))
            modules = result.setdefault(root.package, {})
            if module is not None:
                modules[module] = modules.get(module, frozenset()) | bring[root.path]
    return result
