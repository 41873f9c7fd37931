"""``store compile``: bytecode ahead, for an interpreter or for all that environments use."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envmgr.errors import EnvmgrError
from envmgr.events import Reporter, Warned
from envmgr.link.generation import read_current
from envmgr.names import StoreKey
from envmgr.pipeline.errors import PythonNotUnderstood
from envmgr.pipeline.machine import target_for
from envmgr.pipeline.upkeep import reach_of
from envmgr.pipeline.world import World
from envmgr.spec.settings import Settings
from envmgr.spec.values import PythonSpecInvalid, parse_python_text
from envmgr.store.bytecode import Compiler, needs_compiling
from envmgr.store.entry import EntryDamaged, read_manifest
from envmgr.store.errors import NoRoomForBytecode
from envmgr.store.store import Store, open_store
from envmgr.target.types import Interpreter


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledFor:
    """What was compiled for one interpreter."""

    python: str
    """Its path."""
    version: str
    entries: int
    """How many lacked its bytecode."""
    compiled: int
    failed: int
    """Modules that are not of this Python."""
    denied: int
    """Entries that this user may not write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledStore:
    """What ``store compile`` did."""

    store: Path
    interpreters: tuple[CompiledFor, ...]


def compile_store(
    python: str | None,
    settings: Settings,
    environ: Mapping[str, str],
    report: Reporter,
    *,
    everything: bool = False,
) -> CompiledStore:
    """Compile every entry for ``python``; without one, what environments use for theirs.

    ``everything`` compiles all entries for every one of these. Raises
    PythonNotUnderstood, NoInterpreter, CannotCompile, StoreNotWritable, NoRoomForBytecode;
    what was compiled before stays.
    """
    store = open_store(settings.stores)
    world = World(settings, environ, report)
    if python is not None:
        wanted = [(_interpreter(python, Path.cwd(), world), _all_keys(store))]
    else:
        wanted = _of_environments(store, world, everything=everything)
    return CompiledStore(
        store=store.path,
        interpreters=tuple(
            _compile(interpreter, keys, store, report) for interpreter, keys in wanted
        ),
    )


def _all_keys(store: Store) -> frozenset[StoreKey]:
    return frozenset(entry.key for entry in store.own_entries())


def _interpreter(python: str, directory: Path, world: World) -> Interpreter:
    try:
        wanted = parse_python_text(python, directory)
    except PythonSpecInvalid as error:
        raise PythonNotUnderstood(str(error), error.hint) from None
    return target_for(wanted, None, world).interpreter


def _of_environments(
    store: Store, world: World, *, everything: bool
) -> list[tuple[Interpreter, frozenset[StoreKey]]]:
    keys: dict[str, frozenset[StoreKey]] = {}
    for prefix in reach_of(store, world.settings).records:
        record = read_current(prefix)
        if record is not None:
            own = frozenset(package.key for package in record.packages)
            keys[record.python] = keys.get(record.python, frozenset()) | own
    wanted = []
    for python, own in sorted(keys.items()):
        try:
            interpreter = _interpreter(python, Path("/"), world)
        except EnvmgrError as error:
            world.report(Warned(str(error)))
            continue
        wanted.append((interpreter, _all_keys(store) if everything else own))
    return wanted


def _compile(
    interpreter: Interpreter, keys: frozenset[StoreKey], store: Store, report: Reporter
) -> CompiledFor:
    with store.leased(keys, report), Compiler(interpreter, report) as compiler:
        entries = [
            entry
            for entry in store.own_entries()
            if entry.key in keys and needs_compiling(entry, store, interpreter)
        ]
        for entry in entries:
            try:
                compiler.submit(entry, read_manifest(entry))
            except EntryDamaged as error:
                report(Warned(f"{error}; run `envmgr store repair`"))
        done = compiler.finish()
    if done.crowded_out:
        raise NoRoomForBytecode(store.path, interpreter.version_text, done.crowded_out)
    return CompiledFor(
        python=interpreter.executable,
        version=interpreter.version_text,
        entries=len(entries),
        compiled=done.compiled,
        failed=done.failed,
        denied=done.denied,
    )
