"""Bring what a lock names into the store: fetch, unpack and compile, overlapping."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from queue import SimpleQueue
from threading import Lock as Mutex
from time import perf_counter

from msgspec import Struct

from envmgr.events import Reporter, StageAdvanced, StageFinished, StageStarted, Warned
from envmgr.files import remove_file
from envmgr.helper import Helper
from envmgr.index.types import Download
from envmgr.lock.locations import downloads
from envmgr.lock.types import LockedPackage
from envmgr.names import StoreKey
from envmgr.pipeline.mend import sound_entries
from envmgr.pipeline.site import bring
from envmgr.pipeline.world import World
from envmgr.spec.indexes import IndexSpec
from envmgr.store.bytecode import Compiler, is_compiled, needs_compiling, stamp_name
from envmgr.store.entry import Entry, read_manifest
from envmgr.store.errors import NoRoomForBytecode
from envmgr.store.store import Store
from envmgr.target.types import Interpreter

UNPACKERS = 2
"""Wheels that are unpacked at a time: more only wait for the file system."""
HELPED_FROM = 24 * 1024 * 1024
"""Bytes of wheels from which helpers unpack: theirs is an interpreter's lock that fetching,
with its many small pieces, does not ask for. Starting them costs a tenth of a second."""


class Stocked(Struct, frozen=True, kw_only=True):
    """Every package's entry, and what it took to have them."""

    entries: Mapping[StoreKey, Entry]
    fetched: int
    fetched_bytes: int
    unpacked: int
    copied: int
    """Entries of the site's that may go, and were copied into the user's own store."""
    compiled: bool
    """Whether no entry that is ours to compile lacks the bytecode."""
    bytecode: bool
    """Whether any entry holds the interpreter's bytecode."""


def store_key(package: LockedPackage) -> StoreKey:
    """Name the entry of a locked wheel."""
    return StoreKey(package.wheel.sha256)


def stock(
    packages: Sequence[LockedPackage],
    lock_directory: Path,
    indexes: Sequence[IndexSpec],
    store: Store,
    interpreter: Interpreter,
    world: World,
    *,
    compiling: bool,
) -> Stocked:
    """Make sure every package has its entry, and its bytecode where that is asked for.

    What is there already costs a few stats; what a program changed there is fetched
    again, and what a site may take away is copied. Raises IndexFailure, IntegrityError,
    PrefixError; entries that were finished stay.
    """
    found = {store_key(package): store.find(store_key(package)) for package in packages}
    with ExitStack() as stack:
        entries = sound_entries(found, store, world.report, stack)
        entries, copied = bring(entries, store, stamp_name(interpreter), world.report)
        missing = [package for package in packages if store_key(package) not in entries]
        wanted = downloads(missing, str(lock_directory), indexes)
        compiler = _Compiling(interpreter if compiling else None, store, world, stack)
        for entry in entries.values():
            compiler.take(entry)
        added, fetched_bytes = _add(wanted, indexes, store, compiler, world)
        entries.update({entry.key: entry for entry in added})
    compiler.tell_of_no_room()
    remote = [download for download in wanted if not download.url.startswith("file:")]
    return Stocked(
        entries=entries,
        fetched=len(remote),
        fetched_bytes=fetched_bytes,
        unpacked=len(wanted),
        copied=copied,
        compiled=not any(needs_compiling(entry, store, interpreter) for entry in entries.values()),
        bytecode=any(is_compiled(entry, interpreter) for entry in entries.values()),
    )


class _WheelGone(Exception):
    """Another process that shares the cache took a wheel between finding and naming it."""


def _add(
    wanted: Sequence[Download],
    indexes: Sequence[IndexSpec],
    store: Store,
    compiler: "_Compiling",
    world: World,
) -> tuple[list[Entry], int]:
    """Fetch and unpack into our own store, and count the bytes that came from elsewhere.

    What is taken away meanwhile is fetched again.
    """
    store = store.alone()
    added: list[Entry] = []
    while wanted:
        try:
            entries, fetched = _fetch_and_unpack(wanted, indexes, store, compiler, world)
            return added + entries, fetched
        except _WheelGone:
            there = {each.sha256: store.find(StoreKey(each.sha256)) for each in wanted}
            added += [entry for entry in there.values() if entry is not None]
            wanted = [each for each in wanted if there[each.sha256] is None]
    return added, 0


class _Compiling:
    """A compiler that is started by the first entry that needs it, from whichever thread."""

    def __init__(
        self, interpreter: Interpreter | None, store: Store, world: World, stack: ExitStack
    ) -> None:
        self._interpreter = interpreter
        self._store = store
        self._report = world.report
        self._stack = stack
        self._mutex = Mutex()
        self._compiler: Compiler | None = None

    def take(self, entry: Entry) -> None:
        """Have an entry compiled, unless it is or nobody asked."""
        interpreter = self._interpreter
        if interpreter is None or not needs_compiling(entry, self._store, interpreter):
            return
        with self._mutex:
            if self._compiler is None:
                self._compiler = self._stack.enter_context(Compiler(interpreter, self._report))
        self._compiler.submit(entry, read_manifest(entry))

    def tell_of_no_room(self) -> None:
        """Wait for the compiler, and warn where bytecode did not fit: all works without it."""
        if self._compiler is not None and self._interpreter is not None:
            left = self._compiler.finish().crowded_out
            version = self._interpreter.version_text
            if left:
                self._report(Warned(str(NoRoomForBytecode(self._store.path, version, left))))


class _Unpacking:
    """Wheels on their way from the network into the store, a few at a time.

    Of those that wait the largest is next: what is begun last is over quickly, and
    no processor waits for another at the end.
    """

    def __init__(
        self,
        store: Store,
        compiler: _Compiling,
        wanted: Sequence[Download],
        report: Reporter,
    ) -> None:
        self._store = store
        self._compiler = compiler
        self._report = report
        self._helpers = _helpers(wanted)
        self._free = SimpleQueue[Helper]()
        for helper in self._helpers:
            self._free.put(helper)
        self._pool = ThreadPoolExecutor(UNPACKERS, thread_name_prefix="unpack")
        self.fetched = 0
        """Bytes of the wheels that came from elsewhere."""
        self._mutex = Mutex()
        self._waiting: list[tuple[int, str, Callable[[], Entry]]] = []
        self._pending: list[Future[Entry]] = []
        self._began = perf_counter()
        report(StageStarted("unpack", len(wanted)))

    def take(self, download: Download, wheel: Path, *, temporary: bool) -> None:
        """Queue a fetched wheel; called from the fetching threads.

        A temporary one gets a name of our own at once: another process that shares
        the cache may have found the same file, and removes it when it is done.
        """
        if temporary:
            own = wheel.with_name(f".{wheel.name}.{os.urandom(4).hex()}")
            with suppress(OSError):
                wheel = wheel.replace(own)
        unpack: Callable[[], Entry] = partial(self._unpack, download, wheel, temporary)
        size = download.size or _size_of(wheel)  # not every index tells it
        with self._mutex:
            self.fetched += size if temporary else 0
            heappush(self._waiting, (-size, download.sha256, unpack))
            self._pending.append(self._pool.submit(self._unpack_largest))

    def _unpack_largest(self) -> Entry:
        with self._mutex:
            _, _, unpack = heappop(self._waiting)
        return unpack()

    def _unpack(self, download: Download, wheel: Path, temporary: bool) -> Entry:
        try:
            entry = self._add(wheel, download)
        except FileNotFoundError as error:
            if temporary and not wheel.exists():
                raise _WheelGone from error
            raise
        finally:
            if temporary:
                remove_file(wheel)
        self._compiler.take(entry)
        self._report(StageAdvanced("unpack", 1, download.filename))
        return entry

    def _add(self, wheel: Path, download: Download) -> Entry:
        helper = self._free.get() if self._helpers else None
        try:
            return self._store.add_wheel(
                wheel, download.filename, download.sha256, helper, self._report
            )
        finally:
            if helper is not None:
                self._free.put(helper)

    def finish(self) -> list[Entry]:
        """Wait for all of them; the first failure is raised. Nothing queued is left running."""
        try:
            entries = [future.result() for future in self._pending]
        finally:
            self.abandon()
        self._report(StageFinished("unpack", len(entries), perf_counter() - self._began))
        return entries

    def abandon(self) -> None:
        """Drop what was not begun, end what helpers have begun, and wait for the rest."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for helper in self._helpers:
            helper.kill()
        for helper in self._helpers:
            helper.end()
        self._pool.shutdown(wait=True)
        if self._helpers:
            with suppress(OSError):
                self._store.sweep()


def _size_of(wheel: Path) -> int:
    try:
        return wheel.stat().st_size
    except OSError:  # whoever unpacks it will say why
        return 0


def _helpers(wanted: Sequence[Download]) -> list[Helper]:
    """Start helpers where they are worth it and may be started."""
    if sum(download.size or 0 for download in wanted) >= HELPED_FROM:
        with suppress(OSError):
            return [Helper() for _ in range(UNPACKERS)]
    return []


def _fetch_and_unpack(
    wanted: Sequence[Download],
    indexes: Sequence[IndexSpec],
    store: Store,
    compiler: _Compiling,
    world: World,
) -> tuple[list[Entry], int]:
    from envmgr.index.fetch import fetch_wheels

    shelf = world.settings.cache / "wheels"
    unpacking = _Unpacking(store, compiler, wanted, world.report)

    def on_fetched(download: Download, path: Path) -> None:
        unpacking.take(download, path, temporary=path.parent == shelf)

    try:
        fetch_wheels(
            wanted,
            shelf,
            indexes=tuple(indexes),
            environ=world.environ,
            offline=world.settings.offline,
            cache=world.settings.cache,
            report=world.report,
            on_fetched=on_fetched,
        )
    except BaseException:
        unpacking.abandon()
        raise
    return unpacking.finish(), unpacking.fetched
