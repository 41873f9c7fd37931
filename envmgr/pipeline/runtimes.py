"""Shared runtimes in a view: decide what serves, and let compositions stand in for packages."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from envmgr.events import Reporter, Warned
from envmgr.link.compose import Exchange
from envmgr.link.inputs import LaidEntry, LaidFile
from envmgr.names import PackageName, StoreKey
from envmgr.pipeline.composing import compose_entries
from envmgr.pipeline.host_mpi import find_mpi
from envmgr.pipeline.mpi_needs import MPI, check_needs, of_host, of_wheel, warn_of_none
from envmgr.pipeline.runtime_catalog import catalog_of, choices_for, not_unified
from envmgr.pipeline.runtime_memory import RuntimeMemory
from envmgr.pipeline.world import World
from envmgr.runtime.forwarding.types import ForwardingLibrary
from envmgr.runtime.mpi.host import HostMpi, host_files, host_variables
from envmgr.runtime.planning.memory import Memory, render_remembered
from envmgr.runtime.planning.plan import plan_runtimes
from envmgr.runtime.planning.survey import FileOf
from envmgr.runtime.planning.types import RuntimePlan, Target, Written
from envmgr.runtime.types import Choice
from envmgr.spec.types import EnvironmentSpec
from envmgr.store.entry import Entry, EntryDamaged
from envmgr.store.store import Store
from envmgr.target.types import Interpreter
from envmgr.wheel.symbols import Symbols, read_symbols

OWN = ".own"
"""What follows the name of a library that stands beside the one written in its place."""


class Unified(Struct, frozen=True, kw_only=True):
    """The entries of a view with what stands in for parts of them."""

    entries: tuple[LaidEntry, ...]
    plan: RuntimePlan = field(default_factory=RuntimePlan)
    standing: Mapping[str, str] = field(default_factory=dict)
    """Canonical SONAME -> absolute path, for the view's ``lib``."""
    note: str | None = None
    """Why nothing is shared although the file wishes for it."""
    mpi: HostMpi | None = None
    """The machine's MPI, where it is to serve."""
    clusters: tuple[Entry, ...] = ()
    """Compositions of several packages, which the view leads into as well."""

    @property
    def variables(self) -> Mapping[str, str]:
        """What the start-up file sets unless the user has."""
        told = {} if self.mpi is None else host_variables(self.mpi)
        return {**self.plan.variables, **told}

    @property
    def host(self) -> Mapping[str, LaidFile]:
        """Files of the view that lead to the machine's MPI."""
        files = {} if self.mpi is None else host_files(self.mpi)
        return {
            path: LaidFile(file.content, 0o755 if file.executable else 0o644)
            for path, file in files.items()
        }

    @property
    def keys(self) -> tuple[StoreKey, ...]:
        """Composed entries that the view links to; what leads into others comes after them."""
        composed = (laid.composed for laid in self.entries)
        own = tuple(each.key for each in composed if each is not None)
        return (*own, *(each.key for each in self.clusters))

    @property
    def places(self) -> tuple[Path, ...]:
        """Where those stand."""
        composed = (laid.composed for laid in self.entries)
        own = tuple(Path(each.root) for each in composed if each is not None)
        return (*own, *(each.path for each in self.clusters))


def unify(
    spec: EnvironmentSpec,
    entries: tuple[LaidEntry, ...],
    interpreter: Interpreter,
    store: Store,
    world: World,
    stack: ExitStack,
) -> Unified:
    """Plan the runtimes of an environment, and make the compositions that the plan needs.

    Nobody collects these until ``stack`` is left.

    Raises EnvironmentFileInvalid, RecipeInvalid, EntryDamaged, StoreNotWritable, StoreFull;
    UnusableHostMpi, NoHostMpi, SeveralHostMpis where a library of the machine is to serve;
    UnservedAbi where packages cannot use the MPI that serves.
    """
    if not any(laid.manifest.elf for laid in entries) and not spec.runtimes.families:
        return Unified(entries=entries)
    catalog = catalog_of(world.settings)
    choices = choices_for(spec, world.settings, interpreter)
    manifests = [laid.manifest for laid in entries]
    _warn_of_absent(choices, {manifest.name for manifest in manifests}, world.report)
    mpi = find_mpi(spec, interpreter, world.environ)
    choice = choices.get(MPI, Choice())
    if mpi is not None:
        check_needs(of_host(mpi), manifests, catalog, choice, spec.source, world.report)
    reason = not_unified(interpreter)
    if reason is not None:
        wished = any(choice.implementation for choice in choices.values())
        note = reason if wished and not spec.runtimes.vendored else None
        return Unified(entries=entries, note=note, mpi=mpi)
    roots = _Roots(entries)
    memory = RuntimeMemory(world.settings.cache)
    plan = plan_runtimes(catalog, choices, manifests, roots.symbols_of, memory)
    brought = of_wheel(plan, manifests)
    if brought is not None:
        check_needs(brought, manifests, catalog, choice, spec.source, world.report)
    elif mpi is None:
        warn_of_none(manifests, choice, world.report)
    serving = tuple(_serving(laid, plan.led_to) for laid in entries)
    exchanges = _exchanges(plan, roots, memory)
    return Unified(
        entries=compose_entries(serving, exchanges, store, world.report, stack),
        plan=plan,
        standing={name: roots.path(file) for name, file in plan.standing.items()},
        mpi=mpi,
    )


def _warn_of_absent(
    choices: Mapping[str, Choice], there: Collection[PackageName], report: Reporter
) -> None:
    for family, choice in choices.items():
        for package in sorted(choice.apart.difference(there)):
            report(Warned(f"`unify` of {family} names {package}, which is not in this environment"))


def _serving(laid: LaidEntry, led_to: Iterable[FileOf]) -> LaidEntry:
    own = frozenset(file.path for file in led_to if file.package == laid.manifest.name)
    return replace(laid, serving=own) if own else laid


class _Roots:
    """Where the files of packages are."""

    def __init__(self, entries: Iterable[LaidEntry]) -> None:
        self._laid = {laid.manifest.name: laid for laid in entries}

    def path(self, file: FileOf) -> str:
        return f"{self._laid[file.package].root}/{file.path}"

    def symbols_of(self, file: FileOf) -> Symbols:
        """Read the dynamic symbols of a library. Raises EntryDamaged."""
        laid = self._laid[file.package]
        try:
            symbols = read_symbols(Path(self.path(file)))
        except OSError as error:
            reason = f"{file.path}: {error.strerror}"
            raise EntryDamaged(Entry(laid.key, Path(laid.root)), reason) from error
        return Symbols((), ()) if symbols is None else symbols


def _exchanges(plan: RuntimePlan, roots: _Roots, memory: Memory) -> Mapping[PackageName, Exchange]:
    links: dict[PackageName, dict[str, str]] = {}
    files: dict[PackageName, dict[str, bytes]] = {}
    targets: list[tuple[FileOf, Target]] = [*plan.replaced.items(), *plan.added.items()]
    for file, target in targets:
        if isinstance(target, Written):
            files.setdefault(file.package, {})[file.path] = _render(target, roots, memory)
            if target.needed == file:
                links.setdefault(file.package, {})[f"{file.path}{OWN}"] = roots.path(file)
        else:
            links.setdefault(file.package, {})[file.path] = roots.path(target)
    return {
        package: Exchange(links=links.get(package, {}), files=files.get(package, {}))
        for package in links.keys() | files.keys()
    }


def _render(written: Written, roots: _Roots, memory: Memory) -> bytes:
    """Write a library; the one that it brings along itself stands beside it, as all its own do."""
    directory = roots.path(written.needed).rpartition("/")[0]
    needed = written.needed_as or f"{written.needed.filename}{OWN}"
    return render_remembered(
        ForwardingLibrary(
            machine=written.machine,
            soname=written.soname,
            needed=(*written.names, needed, *written.parts),
            rpath=("$ORIGIN", directory) if written.needed_as else ("$ORIGIN",),
            forwards=written.forwards,
            before_fork=written.before_fork,
            in_child=written.in_child,
        ),
        memory,
    )
