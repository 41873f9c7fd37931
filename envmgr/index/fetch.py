"""Bringing wheels here: several at once, verified, resumed, and only what is not here yet."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from envmgr.events import Reporter, StageAdvanced, StageFinished, StageStarted, silent
from envmgr.index.access import access_from
from envmgr.index.addresses import file_path, is_file
from envmgr.index.clock import SYSTEM_CLOCK, Clock
from envmgr.index.download import Stopped, Wanted, download, find_kept, hash_file
from envmgr.index.failures import HashMismatch, IndexUnreachable
from envmgr.index.network import Network
from envmgr.index.types import Download, FetchedCallback
from envmgr.index.workers import Gate, Once, Workers
from envmgr.spec.types import IndexSpec

CONCURRENT = 8


def fetch_wheels(
    downloads: Sequence[Download],
    destination: Path,
    *,
    environ: Mapping[str, str],
    offline: bool,
    cache: Path,
    report: Reporter = silent,
    on_fetched: FetchedCallback | None = None,
    indexes: tuple[IndexSpec, ...] = (),
    clock: Clock = SYSTEM_CLOCK,
) -> dict[str, Path]:
    """Bring wheels here and return where each is, by sha256.

    A wheel at a ``file://`` URL stays where it is; one that ``destination`` or
    the cache of a catalog has already is not fetched again; others arrive at
    ``destination/<sha256>.whl``, and what was interrupted is resumed, also by a
    later run. ``indexes`` are looked at for their logins. ``on_fetched`` is
    called from several threads, once per wheel; what it raises ends everything,
    and it is not called any more once this function has raised.
    Raises IndexFailure, HashMismatch, CacheUnwritable; the first failure stops
    the others, whose beginnings are kept.
    """
    network = Network(access_from(environ, indexes), offline=offline, clock=clock, report=report)
    fetching = _Fetching(network, destination, cache / "wheels", clock, report, on_fetched)
    return fetching.run({wheel.sha256: wheel for wheel in downloads})


@dataclass(slots=True)
class _Fetching:
    network: Network
    destination: Path
    kept: Path
    clock: Clock
    report: Reporter
    on_fetched: FetchedCallback | None
    gate: Gate = field(default_factory=Gate)
    """Shut once something failed: then no wheel is handed on any more."""

    def run(self, downloads: Mapping[str, Download]) -> dict[str, Path]:
        started = self.clock.now()
        sizes = [wheel.size for wheel in downloads.values() if not is_file(wheel.url)]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        self.report(StageStarted("fetch", total))
        finished: SimpleQueue[str] = SimpleQueue()
        workers = Workers("fetch", CONCURRENT, self.network.close)
        wheels = {sha256: Once(partial(self._fetch, wheel)) for sha256, wheel in downloads.items()}
        try:
            for sha256 in _both_ends(sorted(wheels, key=lambda key: -(downloads[key].size or 0))):
                workers.submit(partial(_ask, wheels[sha256], sha256, finished.put))
            for _ in wheels:
                wheels[finished.get()].get()
        except BaseException:
            self.gate.shut()
            raise
        finally:
            workers.close()
        seconds = max(self.clock.now() - started, 0.0)
        self.report(StageFinished("fetch", len(wheels), seconds))
        return {sha256: wheels[sha256].get() for sha256 in downloads}

    def _fetch(self, wheel: Download) -> Path:
        if self.gate.is_shut:
            raise Stopped
        path = self._bring(wheel)
        with self.gate.passing() as admitted:
            if not admitted:
                raise Stopped
            if self.on_fetched is not None:
                self.on_fetched(wheel, path)
        return path

    def _bring(self, wheel: Download) -> Path:
        if is_file(wheel.url):
            return _verified(wheel)
        wanted = Wanted(
            filename=wheel.filename,
            url=wheel.url,
            index=wheel.index,
            sha256=wheel.sha256,
            size=wheel.size,
        )
        for directory in (self.destination, self.kept):
            here = find_kept(directory, wanted)
            if here is not None:
                self._advance(wheel, here.size)
                return here.path
        client = self.network.client(wheel.index, wheel.url)
        return download(
            client,
            wanted,
            self.destination,
            partial(self._advance, wheel),
            lambda: self.gate.is_shut,
        ).path

    def _advance(self, wheel: Download, count: int) -> None:
        self.report(StageAdvanced("fetch", count, wheel.filename))


def _both_ends(largest_first: Sequence[str]) -> Iterator[str]:
    """Yield the largest, the smallest, the second largest, ...

    The largest take longest and must not come last; but whoever unpacks has
    nothing to do until something has come.
    """
    waiting = deque(largest_first)
    while waiting:
        yield waiting.popleft()
        if waiting:
            yield waiting.pop()


def _ask(wheel: Once[Path], sha256: str, finished: Callable[[str], None]) -> None:
    try:
        wheel.get()
    except Stopped:
        pass
    finally:
        finished(sha256)


def _verified(wheel: Download) -> Path:
    try:
        path = Path(file_path(wheel.url))
        found = hash_file(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise IndexUnreachable(wheel.index, wheel.url, reason or str(error)) from None
    if found != wheel.sha256:
        raise HashMismatch(wheel.filename, wheel.url, wheel.sha256, found)
    return path
