"""The store: a list of places where unpacked wheels are found, the first of which takes new ones.

An entry appears by one rename, whole and read-only, or not at all. The lock
only keeps two processes from unpacking the same wheel at once; if it fails,
one of them finds the other's entry in its place and throws its own away.
"""

import errno
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import wait
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Lock

from envmgr.events import Noted, Reporter, silent
from envmgr.files import remove_tree
from envmgr.helper import Helper
from envmgr.locks import Holder, held_lock, read_holder, this_process
from envmgr.names import StoreKey
from envmgr.store.composed import Composition, is_composed, write_composed
from envmgr.store.composed_check import is_as_composed
from envmgr.store.condemned import is_condemned, replace_entry
from envmgr.store.entry import Entry, wheel_of
from envmgr.store.errors import store_failure
from envmgr.store.staging import left_behind, make_staging, sweep_staging
from envmgr.wheel.archive import WheelArchive, open_wheel

LAYOUT = "v1"
"""Below each root; a later form of store stands beside it under another number."""

_PATIENCE = 1.0
"""Seconds after which a helper's work is asked for whom it waits."""
_TAKEN = {errno.EEXIST, errno.ENOTEMPTY}


def open_store(roots: tuple[Path, ...]) -> "Store":
    """Open the store of these roots: the user's own, which takes new entries, then the site's.

    Nothing is made on disk before the first entry is added.
    """
    return Store(roots)


def _add_in_helper(
    roots: tuple[Path, ...], wheel: Path, filename: str, sha256: str, holder: Holder
) -> Entry:
    return _shared(roots).add_wheel(wheel, filename, sha256, holder=holder)


@cache
def _shared(roots: tuple[Path, ...]) -> "Store":
    return open_store(roots)


class Store:
    """Finds entries in every root, and adds to the first; for any number of threads."""

    def __init__(self, roots: tuple[Path, ...]) -> None:
        if not roots:
            raise ValueError("a store needs at least one root")
        self._roots = roots
        self._entries = tuple(f"{root}/{LAYOUT}/entries" for root in roots)
        self._mutex = Lock()
        self._prepared = False
        self.path = roots[0] / LAYOUT
        """Where new entries go."""
        self.places = tuple(root / LAYOUT for root in roots)
        """``path``, and the same of the site's."""
        self.made: Path | None = None
        """``path``, once this object has made it; ``None`` where it was there before."""

    def find(self, key: StoreKey) -> Entry | None:
        """Look for an entry; one stat for each root."""
        for entries in self._entries:
            path = f"{entries}/{key}"
            if os.path.isdir(path):  # noqa: PTH112 - one stat and nothing else
                return Entry(key, Path(path))
        return None

    def _find_lasting(self, key: StoreKey) -> Entry | None:
        found = self.find(key)
        return None if found is not None and is_condemned(found) else found

    def own_entries(self) -> tuple[Entry, ...]:
        """List the wheels' entries that stand where this store adds, by key.

        Raises StoreNotWritable.
        """
        return tuple(entry for entry in self._own() if not is_composed(entry.key))

    def own_composed(self) -> tuple[Entry, ...]:
        """List the composed entries that stand where this store adds. Raises StoreNotWritable."""
        return tuple(entry for entry in self._own() if is_composed(entry.key))

    def _own(self) -> tuple[Entry, ...]:
        try:
            names = sorted(os.listdir(self._entries[0]))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise store_failure(self.path, "", error) from error
        return tuple(
            Entry(StoreKey(name), Path(self._entries[0], name))
            for name in names
            if not name.startswith(".")
        )

    def owns(self, entry: Entry) -> bool:
        """Tell whether an entry stands where this store adds, and not at the site's."""
        return entry.path.parent == Path(self._entries[0])

    def alone(self) -> "Store":
        """Return the store without those of the site: it finds what it added itself."""
        return self if len(self._roots) == 1 else Store(self._roots[:1])

    def add_wheel(
        self,
        wheel: Path,
        filename: str,
        sha256: str,
        helper: Helper | None = None,
        report: Reporter = silent,
        holder: Holder | None = None,
    ) -> Entry:
        """Unpack a wheel into the store; one that is there already is returned as it is.

        One that is condemned is replaced, once its successor is whole.
        ``sha256`` is the file's, as whoever fetched it has verified; a ``helper``
        does the work, where there is one. Another process that unpacks the same wheel
        is waited for, and told of; ``holder`` is how this one is told of, if it works for
        another. Raises BrokenWheel, UnsafeWheel,
        StoreNotWritable, StoreFull, which leave nothing behind, and OSError where
        the wheel cannot be read. A helper that is ended leaves what ``sweep`` removes.
        """
        key = StoreKey(sha256)
        found = self._find_lasting(key)
        if found is not None:
            return found
        if helper is not None:
            try:
                self._prepare()
            except OSError as error:
                raise store_failure(self.path, filename, error) from error
            return self._add_by(helper, wheel, filename, key, report)
        with open_wheel(wheel, filename) as archive:
            try:
                self._prepare()
                with self._politely(key, report, holder):
                    return self._find_lasting(key) or self._unpack(key, archive)
            except OSError as error:
                raise store_failure(self.path, filename, error) from error

    def add_composed(self, composition: Composition, contents: Mapping[str, bytes]) -> Entry:
        """Make a composed entry; one that is there and whole is returned as it is.

        ``contents`` are those of its own files. Raises EntryDamaged where a file that it
        should hold is gone, StoreNotWritable, StoreFull, which leave nothing behind.
        """
        key = composition.key
        found = self.find(key)
        if found is not None and is_as_composed(found):
            return found
        try:
            self._prepare()
            return self._make(key, lambda root: write_composed(composition, contents, root))
        except OSError as error:
            raise store_failure(self.path, composition.package, error) from error

    def add_copy(self, entry: Entry, stamps: Collection[str] | None = None) -> Entry:
        """Copy an entry of another store; one that this one has of its own is returned as it is.

        ``stamps`` say which bytecode to take along, ``None`` all. Raises NotCopied,
        StoreNotWritable, StoreFull, which leave nothing behind.
        """
        from envmgr.store.copy import copy_into

        own = self.alone()
        try:
            self._prepare()
            with self._politely(entry.key):
                found = own.find(entry.key)
                return found or self._make(
                    entry.key, lambda staging: copy_into(entry, staging, stamps)
                )
        except OSError as error:
            raise store_failure(self.path, wheel_of(entry), error) from error

    def _add_by(
        self, helper: Helper, wheel: Path, filename: str, key: StoreKey, report: Reporter
    ) -> Entry:
        """Have a helper add a wheel; tell for it whom it waits for."""
        me = this_process()
        future = helper.submit(_add_in_helper, self._roots, wheel, filename, key, me)
        told = False
        while wait([future], None if told else _PATIENCE).not_done:
            holder = read_holder(self._lock(key))
            if holder is not None and not holder.is_same_process(me):
                report(Noted(f"waiting for {holder}, which is {_doing(self.path)}"))
                told = True
        return future.result()

    def _unpack(self, key: StoreKey, archive: WheelArchive) -> Entry:
        from envmgr.store.unpack import unpack_into

        return self._make(key, lambda staging: unpack_into(archive, staging))

    def _make(self, key: StoreKey, fill: Callable[[str], object]) -> Entry:
        """Make an entry of what ``fill`` puts into a staging directory."""
        final = f"{self._entries[0]}/{key}"
        staging = make_staging(self._entries[0])
        try:
            fill(staging)
            _rename_in(staging, final)
        except BaseException:
            remove_tree(staging)
            raise
        return Entry(key, Path(final))

    def _prepare(self) -> None:
        """Make the store where it is absent, and sweep it, once for each object."""
        with self._mutex:
            if self._prepared:
                return
            absent = not self.path.is_dir()
            for name in ("entries", "locks"):
                (self.path / name).mkdir(parents=True, exist_ok=True)
            self.sweep()
            self.made = self.path if absent else None
            self._prepared = True

    @contextmanager
    def leased(self, keys: Collection[StoreKey], report: Reporter = silent) -> Iterator[None]:
        """Keep ``keys`` from being collected while the block runs, there already or not.

        In site stores only as far as they take our word.
        """
        from envmgr.store.leases import LEASES, hold_lease

        with ExitStack() as stack:
            with suppress(OSError):
                self._prepare()
                stack.enter_context(hold_lease(self.path, keys, report))
            for place in self.places[1:]:
                if (place / LEASES).is_dir():
                    stack.enter_context(hold_lease(place, keys, report))
            yield

    def sweep(self) -> int:
        """Remove what dead processes left unfinished, and say how many. Raises OSError."""
        return sweep_staging(self._entries[0])

    def leftovers(self) -> int:
        """Count what ``sweep`` would remove; none where nothing can be seen."""
        try:
            return len(left_behind(self._entries[0]))
        except OSError:
            return 0

    def _lock(self, key: StoreKey) -> Path:
        return self.path / "locks" / f"{key[:2]}.lock"

    @contextmanager
    def _politely(
        self, key: StoreKey, report: Reporter = silent, holder: Holder | None = None
    ) -> Iterator[None]:
        """Wait while somebody else unpacks the same wheel, where locks work at all."""
        with ExitStack() as stack:
            with suppress(OSError):
                stack.enter_context(held_lock(self._lock(key), _doing(self.path), report, holder))
            yield


def _doing(store: Path) -> str:
    return f"unpacking into {store}"


def _rename_in(staging: str, final: str) -> None:
    """Put a finished entry into its place, or drop it where another got there first.

    One that is condemned gives way, and a composed one that stands there damaged.
    """
    entry = Entry(StoreKey(os.path.basename(final)), Path(final))  # noqa: PTH119 - as strings
    try:
        if os.path.lexists(final) and (_is_damaged(entry) or is_condemned(entry)):
            replace_entry(entry, staging)
        else:
            Path(staging).rename(final)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        remove_tree(staging)


def _is_damaged(entry: Entry) -> bool:
    return is_composed(entry.key) and not is_as_composed(entry)
