"""``create`` and ``sync``: from a file to an environment, doing only what is not done yet."""

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec.structs import replace

from envmgr import __version__
from envmgr.activate.scripts import render_activation
from envmgr.events import Noted, Reporter, Warned
from envmgr.link.carry import Carried, carry_written
from envmgr.link.execution import without_absent_bytecode
from envmgr.link.foreign import Foreign, check_foreign
from envmgr.link.generation import (
    GenerationRecord,
    abandon_generation,
    generation_path,
    new_generation_id,
    prune_generations,
    switch_generation,
    write_generation,
    write_identity,
)
from envmgr.link.inputs import LayoutInputs
from envmgr.link.layout import Layout
from envmgr.link.prefix import check_prefix, lock_prefix
from envmgr.lock.check import compare, select
from envmgr.lock.types import LockedPackage
from envmgr.names import GenerationId
from envmgr.pipeline.aim import Aim, aim_of, file_of
from envmgr.pipeline.caches import trim_daily
from envmgr.pipeline.causes import tell_of_rollback, with_cause
from envmgr.pipeline.clustering import fold_clusters
from envmgr.pipeline.host_mpi import named
from envmgr.pipeline.laying import lay_out
from envmgr.pipeline.linking import lay_entries, left_out, stray_links
from envmgr.pipeline.roots import ensure_rooted, root_prefix
from envmgr.pipeline.runtime_catalog import added_recipes
from envmgr.pipeline.runtime_records import runtime_records, shared_runtimes, told_of_runtimes
from envmgr.pipeline.runtimes import Unified, unify
from envmgr.pipeline.settle import LockWish, Settled, settle
from envmgr.pipeline.stock import Stocked, stock, store_key
from envmgr.pipeline.surveying import survey_outdated
from envmgr.pipeline.types import Change, Created, CreateRequest
from envmgr.pipeline.up_to_date import is_up_to_date, package_records
from envmgr.pipeline.words import tell_of_carried, tell_of_left, telling_of_lock
from envmgr.pipeline.world import World
from envmgr.spec.digest import activation_digest, resolution_digest, view_digest
from envmgr.spec.environment import read_environment
from envmgr.spec.settings import Settings, choose_indexes
from envmgr.store.collect import touch_entries
from envmgr.store.entry import EntryDamaged
from envmgr.store.store import Store, open_store

Made: TypeAlias = Literal["created", "updated", "unchanged"]


def create(
    request: CreateRequest, settings: Settings, environ: Mapping[str, str], report: Reporter
) -> Created:
    """Make or update the environment of a file; nothing is touched where nothing changed.

    Raises any EnvmgrError there is; the environment that was there before keeps
    working whatever happens.
    """
    world = World(settings, environ, report)
    spec = read_environment(file_of(request, settings), settings.expansions)
    aim = aim_of(spec, request, settings)
    check_prefix(aim.prefix)
    if request.dry_run:
        return _preview(aim, request, world)
    with lock_prefix(aim.prefix, report):
        return _make(aim_of(spec, request, settings), request, world)


def _settle(aim: Aim, request: CreateRequest, world: World) -> Settled:
    if aim.moved_from is not None:
        world.report(
            Noted(f"{aim.prefix} was made from {aim.moved_from}, now it is of {aim.spec.source}")
        )
    wish = LockWish(
        path=aim.lock,
        use=request.lock_use,
        python=aim.python,
        writing=not request.dry_run,
        refresh=request.refresh,
    )
    return settle(aim.spec, wish, world)


def _preview(aim: Aim, request: CreateRequest, world: World) -> Created:
    """Say what ``_make`` would do; only indexes are asked, and nothing is written but caches."""
    settled = _settle(aim, request, world)
    packages = select(settled.lock, frozenset(aim.groups))
    store = open_store(world.settings.stores)
    made: Made = "unchanged" if is_up_to_date(aim, settled, packages, store, world) else _verb(aim)
    if made != "unchanged":
        _check_foreign(aim, packages, request)
        _check_clashes(aim, settled, packages, store)
    return _outcome(aim, settled, packages, world, made)


def _check_clashes(
    aim: Aim, settled: Settled, packages: tuple[LockedPackage, ...], store: Store
) -> None:
    """Raise LayoutClash as ``create`` would, as far as all packages are in the store and whole."""
    entries = [store.find(store_key(package)) for package in packages]
    there = [entry for entry in entries if entry is not None]
    with suppress(EntryDamaged):
        if len(there) == len(entries):
            lay_out(
                LayoutInputs(
                    interpreter=settled.target.interpreter,
                    entries=lay_entries(aim.spec, aim.groups, packages, there),
                    name=aim.name,
                    generation=str(aim.prefix),
                    conflicts=aim.spec.conflicts,
                )
            )


def _make(aim: Aim, request: CreateRequest, world: World) -> Created:
    settled = _settle(aim, request, world)
    with telling_of_lock(settled, aim, world.report):
        return _carry_out(aim, settled, request, world)


def _carry_out(aim: Aim, settled: Settled, request: CreateRequest, world: World) -> Created:
    """Make what a lock says, unless it stands."""
    packages = select(settled.lock, frozenset(aim.groups))
    store = open_store(world.settings.stores)
    if is_up_to_date(aim, settled, packages, store, world):
        prune_generations(aim.prefix, aim.spec.keep)
        ensure_rooted(aim.prefix, store)
        return _outcome(aim, settled, packages, world, "unchanged")
    survey_outdated(packages, store, world)
    foreign = _check_foreign(aim, packages, request)
    tell_of_rollback(aim.prefix, aim.before, world.report)
    indexes = choose_indexes(aim.spec.indexes, world.settings).indexes
    with store.leased([store_key(package) for package in packages], world.report):
        stocked = stock(
            packages,
            settled.path.parent,
            indexes,
            store,
            settled.target.interpreter,
            world,
            compiling=aim.compile,
        )
        record = _link(aim, settled, packages, stocked, store, world)
    tell_of_left(foreign, aim, world.report)
    trim_daily(world.settings)
    return _outcome(aim, settled, packages, world, _verb(aim), record, stocked, store.made)


def _check_foreign(
    aim: Aim, packages: tuple[LockedPackage, ...], request: CreateRequest
) -> Foreign:
    names = {package.name for package in packages}
    return check_foreign(aim.prefix, aim.spec.source, names, discard=request.discard_installed)


def _verb(aim: Aim) -> Made:
    return "created" if aim.before is None else "updated"


def _link(
    aim: Aim,
    settled: Settled,
    packages: tuple[LockedPackage, ...],
    stocked: Stocked,
    store: Store,
    world: World,
) -> GenerationRecord:
    """Lay the view out, write it as a new generation, and switch to it."""
    generation = new_generation_id(datetime.now(UTC))
    elsewhere = left_out(settled.lock, packages)
    with world.stage("link", len(packages)), ExitStack() as stack:
        there = (stocked.entries[store_key(package)] for package in packages)
        laid = lay_entries(aim.spec, aim.groups, packages, there)
        unified = unify(aim.spec, laid, settled.target.interpreter, store, world, stack)
        inputs = LayoutInputs(
            interpreter=settled.target.interpreter,
            entries=unified.entries,
            name=aim.name,
            generation=str(generation_path(aim.prefix, generation)),
            variables=unified.variables,
            host=unified.host,
            standing=unified.standing,
            activation=render_activation(str(aim.prefix), aim.name, aim.spec.variables),
            compiled=stocked.bytecode,
            conflicts=aim.spec.conflicts,
            elsewhere=elsewhere,
        )
        view, clusters = fold_clusters(
            without_absent_bytecode(lay_out(inputs, world.report)),
            unified.entries,
            inputs.interpreter,
            store,
            world.report,
            stack,
        )
        unified = replace(unified, clusters=clusters)
        record = _record(aim, settled, packages, stocked, generation, view, unified, world)
        carried = _switch(aim, view, record, store, world)
        touch_entries(_places(stocked, unified))
    for note in told_of_runtimes(unified.note, record):
        world.report(Warned(note))
    for note in (*view.notes, *stray_links(aim.spec.link, packages, elsewhere)):
        world.report(Warned(note))
    tell_of_carried(carried, world.report)
    return record


def _places(stocked: Stocked, unified: Unified) -> tuple[Path, ...]:
    """Return where the entries stand that a view links to, composed ones last."""
    return (*(entry.path for entry in stocked.entries.values()), *unified.places)


def _switch(
    aim: Aim, view: Layout, record: GenerationRecord, store: Store, world: World
) -> Carried:
    """Write a generation and switch to it, or leave nothing of it."""
    try:
        write_generation(aim.prefix, view, record, world.report)
        carried = carry_written(aim.prefix, record.id)
        write_identity(aim.prefix, aim.name, aim.spec.source)
        root_prefix(aim.prefix, store)
        switch_generation(aim.prefix, record.id)
    except BaseException:
        abandon_generation(aim.prefix, record.id)
        raise
    prune_generations(aim.prefix, aim.spec.keep)
    return carried


def _record(
    aim: Aim,
    settled: Settled,
    packages: tuple[LockedPackage, ...],
    stocked: Stocked,
    generation: GenerationId,
    view: Layout,
    unified: Unified,
    world: World,
) -> GenerationRecord:
    interpreter = settled.target.interpreter
    record = GenerationRecord(
        id=generation,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        name=aim.name,
        environment_file=str(aim.spec.source),
        lock_sha256=settled.sha256,
        resolution_digest=resolution_digest(aim.spec),
        view_digest=view_digest(aim.spec),
        activation_digest=activation_digest(aim.spec),
        groups=aim.groups,
        packages=package_records(packages),
        python=interpreter.executable,
        python_version=interpreter.version_text,
        variables=aim.spec.variables,
        compiled=stocked.compiled,
        entries=view.entries,
        taken=view.taken_names(interpreter.site_packages),
        programs=view.programs,
        settings=view.settings,
        envmgr_version=__version__,
        prefix=str(aim.prefix),
        stores=tuple(sorted({str(path.parent) for path in _places(stocked, unified)})),
        lock=aim.lock_text,
        python_wish=aim.python,
        composed=unified.keys,
        recipes=added_recipes(world.settings),
        host=named(unified.mpi),
        runtimes=runtime_records(unified.plan),
    )
    return with_cause(aim.prefix, record, aim.before)


def _outcome(
    aim: Aim,
    settled: Settled,
    packages: tuple[LockedPackage, ...],
    world: World,
    made: Made,
    record: GenerationRecord | None = None,
    stocked: Stocked | None = None,
    new_store: Path | None = None,
) -> Created:
    shown = record or (aim.before if made == "unchanged" else None)
    before = {each.name: each.version for each in aim.before.packages} if aim.before else {}
    after = {package.name: package.version for package in packages}
    return Created(
        name=aim.name,
        prefix=aim.prefix,
        generation=shown.id if shown else None,
        made=made,
        dry_run=record is None and made != "unchanged",
        python=settled.target.interpreter.version_text,
        groups=aim.groups,
        packages=len(packages),
        changes=tuple(Change(*difference) for difference in compare(before, after)),
        lock=settled.path,
        lock_written=settled.written,
        fetched=stocked.fetched if stocked else 0,
        fetched_bytes=stocked.fetched_bytes if stocked else 0,
        unpacked=stocked.unpacked if stocked else 0,
        copied=stocked.copied if stocked else 0,
        entries=shown.entries if shown else 0,
        runtimes=shared_runtimes(shown) if shown else (),
        new_store=new_store,
        seconds=world.timings(),
    )
