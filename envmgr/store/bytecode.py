"""Bytecode of an interpreter, compiled into the entries: nobody else ever need write there.

Workers are processes of the interpreter itself (``-I -S -B``). Each takes one
directory of one entry at a time: a line of JSON in, a line out. Modules that do
not compile (templates, other Pythons' syntax) are counted and left alone.
"""

import errno
import json
import subprocess
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heappop, heappush
from threading import Condition
from time import perf_counter
from types import TracebackType
from typing import IO, Self, cast

from msgspec import Struct

from envmgr.errors import MachineError
from envmgr.events import Reporter, StageAdvanced, StageFinished, StageStarted, silent
from envmgr.store.bytecode_worker import SCRIPT
from envmgr.store.entry import Entry, write_into
from envmgr.store.errors import is_full
from envmgr.store.processes import processors
from envmgr.store.store import Store
from envmgr.target.types import Interpreter
from envmgr.wheel.manifest import Manifest

STAMP = "compiled-"
AHEAD = 3
"""Directories a worker knows of in advance, so that it never waits for us."""

_TEST_DIRECTORIES = frozenset({"test", "tests"})


class CannotCompile(MachineError):
    """The interpreter does not run as a compiler; ``reason`` is one clause."""

    def __init__(self, executable: str, reason: str) -> None:
        super().__init__(executable, reason)
        self.executable = executable
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.executable} cannot compile bytecode: {self.reason}"

    @property
    def hint(self) -> str:
        """It works without, only slower at every start."""
        return "run the command again with --no-compile"


class Compiled(Struct, frozen=True, kw_only=True):
    """What a compiler did, of modules and of entries."""

    compiled: int
    failed: int
    """Modules that are not of this Python."""
    denied: int
    """Entries that are not ours."""
    crowded_out: int
    """Entries for whose bytecode there was no space."""
    seconds: float


def stamp_name(interpreter: Interpreter) -> str:
    """Name the file of an entry that says: all bytecode of this interpreter is there."""
    return f"{STAMP}{interpreter.cache_tag}-{interpreter.magic}"


def needs_compiling(entry: Entry, store: Store, interpreter: Interpreter) -> bool:
    """Tell whether an entry lacks bytecode that we could add; a site's entries are left alone."""
    return store.owns(entry) and not is_compiled(entry, interpreter)


def is_compiled(entry: Entry, interpreter: Interpreter) -> bool:
    """Tell whether all bytecode of this interpreter is there; one stat."""
    return (entry.path / stamp_name(interpreter)).exists()


class _Work(Struct):
    """An entry on its way: how many of its directories are still out."""

    entry: Entry
    name: str
    left: int = 0
    failed: int = 0
    compiled: int = 0
    trouble: int = 0
    """The ``errno`` of a bytecode that could not be put in."""


@dataclass(frozen=True, slots=True, order=True)
class _Unit:
    """One directory to compile; those of tests come last, the others as they were submitted."""

    last: bool
    number: int
    work: _Work = field(compare=False)
    directory: str = field(compare=False)
    modules: tuple[str, ...] = field(compare=False)


class Compiler:
    """Compiles entries in as many processes as there are processors. Leave the context to wait."""

    def __init__(
        self, interpreter: Interpreter, report: Reporter = silent, *, workers: int | None = None
    ) -> None:
        self._interpreter = interpreter
        self._stamp = stamp_name(interpreter)
        self._report = report
        self._wanted = workers or processors()
        self._pool = ThreadPoolExecutor(self._wanted, thread_name_prefix="compile")
        self._serving: list[Future[None]] = []
        self._condition = Condition()
        self._queue: list[_Unit] = []
        self._number = 0
        self._closed = False
        self._suspects: set[int] = set()
        self._done: list[_Work] = []
        self._began = perf_counter()
        self._outcome: Compiled | None = None

    def submit(self, entry: Entry, manifest: Manifest) -> None:
        """Queue an entry; one that is compiled is passed over. From any thread."""
        if is_compiled(entry, self._interpreter):
            return
        work = _Work(entry, str(manifest.name))
        directories = _modules_by_directory(manifest)
        work.left = len(directories)
        if not directories:
            self._finish_work(work)
            return
        with self._condition:
            if not self._serving:
                self._report(StageStarted("compile"))
            for directory, modules in directories.items():
                self._number += 1
                unit = _Unit(_is_test(directory), self._number, work, directory, tuple(modules))
                heappush(self._queue, unit)
            while len(self._serving) < min(self._wanted, self._number):
                self._serving.append(self._pool.submit(self._serve))
            self._condition.notify_all()

    def finish(self) -> Compiled:
        """Wait until everything submitted is compiled; again is fine. Raises CannotCompile."""
        if self._outcome is not None:
            return self._outcome
        self._close()
        for served in self._serving:
            served.result()
        crowded_out = sum(is_full(work.trouble) for work in self._done)
        self._outcome = Compiled(
            compiled=sum(work.compiled for work in self._done),
            failed=sum(work.failed for work in self._done),
            denied=sum(bool(work.trouble) for work in self._done) - crowded_out,
            crowded_out=crowded_out,
            seconds=perf_counter() - self._began,
        )
        if self._serving:
            done = self._outcome
            self._report(StageFinished("compile", done.compiled, done.seconds))
        return self._outcome

    def abandon(self) -> None:
        """Drop what is queued and wait for what is being compiled."""
        self._close(dropping=True)
        self._pool.shutdown(wait=True)

    def _close(self, *, dropping: bool = False) -> None:
        with self._condition:
            self._closed = True
            if dropping:
                self._queue.clear()
            self._condition.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.finish()
        finally:
            self.abandon()

    def _next(self, *, wait: bool) -> _Unit | None:
        with self._condition:
            while wait and not self._queue and not self._closed:
                self._condition.wait()
            return heappop(self._queue) if self._queue else None

    def _serve(self) -> None:
        """Feed one worker process until nothing is left; a process that dies is replaced."""
        out: deque[_Unit] = deque()
        try:
            while not self._feed(out):
                self._judge(out)
        except CannotCompile:
            self._close(dropping=True)
            raise

    def _judge(self, out: deque[_Unit]) -> None:
        """Give up the directory a process died of, if another died of it before."""
        if not out:
            return
        if out[0].number in self._suspects:
            unit = out.popleft()
            self._account(unit, 0, len(unit.modules))
        else:
            self._suspects.add(out[0].number)

    def _feed(self, out: deque[_Unit]) -> bool:
        """Run one worker process until all is done; False if it dies, owing ``out``."""
        with _Worker(self._interpreter.executable) as worker:
            if not worker.is_ready():
                raise CannotCompile(self._interpreter.executable, "it ends before it begins")
            for unit in out:
                if not worker.send(unit):
                    return False
            while True:
                while len(out) < AHEAD:
                    following = self._next(wait=not out)
                    if following is None:
                        break
                    out.append(following)
                    if not worker.send(following):
                        return False
                if not out:
                    return True
                answer = worker.receive()
                if answer is None:
                    return False
                self._account(out.popleft(), *answer)

    def _account(self, unit: _Unit, compiled: int, failed: int, trouble: int = 0) -> None:
        work = unit.work
        with self._condition:
            work.compiled += compiled
            work.failed += failed
            work.trouble = work.trouble or trouble
            work.left -= 1
            finished = work.left == 0
        self._report(StageAdvanced("compile", compiled + failed, work.name))
        if finished:
            self._finish_work(work)

    def _finish_work(self, work: _Work) -> None:
        if not work.trouble:
            facts = json.dumps({"compiled": work.compiled, "failed": work.failed})
            try:
                write_into(work.entry, self._stamp, facts.encode() + b"\n")
            except OSError as error:
                work.trouble = error.errno or errno.EIO
        with self._condition:
            self._done.append(work)


class _Worker:
    """One process of the interpreter that compiles what it is told."""

    def __init__(self, executable: str) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the environment's own interpreter
                [executable, "-I", "-S", "-B", "-W", "ignore", "-c", SCRIPT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt is for us; the end of our pipe is for it
            )
        except OSError as error:
            raise CannotCompile(executable, error.strerror or str(error)) from error
        self._in = cast("IO[bytes]", self._process.stdin)
        self._out = cast("IO[bytes]", self._process.stdout)

    def is_ready(self) -> bool:
        """Wait until it runs; False where it never does."""
        return self._out.readline() == b"ready\n"

    def send(self, unit: _Unit) -> bool:
        """Hand over a directory; False where the process is gone."""
        path = f"{unit.work.entry.path}/{unit.directory}"
        try:
            self._in.write(json.dumps([path, unit.modules]).encode() + b"\n")
            self._in.flush()
        except BrokenPipeError:
            return False
        return True

    def receive(self) -> tuple[int, int, int] | None:
        """Wait for an answer: compiled, failed, errno; ``None`` where the process is gone."""
        line = self._out.readline()
        if not line.endswith(b"\n"):
            return None
        compiled, failed, trouble = json.loads(line)
        return compiled, failed, trouble

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(BrokenPipeError):
            self._in.close()
        self._out.close()
        self._process.wait()


def _modules_by_directory(manifest: Manifest) -> dict[str, list[str]]:
    directories: dict[str, list[str]] = {}
    for file in manifest.files:
        if file.path.endswith(".py") and file.path.startswith("site-packages/"):
            directory, _, name = file.path.rpartition("/")
            directories.setdefault(directory, []).append(name)
    return directories


def _is_test(directory: str) -> bool:
    return not _TEST_DIRECTORIES.isdisjoint(directory.split("/"))
