"""Threads that work ahead, and values that are computed once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count
from queue import SimpleQueue
from typing import Generic, TypeVar

from envmgr.errors import EnvmgrError
from envmgr.threads import begin_thread

Value = TypeVar("Value")

THREADS = 12
"""Run ahead of the resolver."""
ASKING_AT_ONCE = THREADS + 2
"""With the resolver itself, and whoever closes a catalog."""


class Once(Generic[Value]):
    """A value computed by the first who asks; others wait for it.

    A failure that is an EnvmgrError is remembered and raised to everybody.
    Anything else is a bug, and is raised to whoever asks, each time.
    """

    def __init__(self, compute: Callable[[], Value]) -> None:
        self._compute = compute
        self._lock = threading.Lock()
        self._value: tuple[Value] | None = None
        self._error: EnvmgrError | None = None

    @property
    def begun(self) -> bool:
        """Whether somebody asked already; never waits."""
        return self._value is not None or self._error is not None or self._lock.locked()

    @property
    def running(self) -> bool:
        """Whether somebody computes it just now, so that asking would wait."""
        return self._value is None and self._lock.locked()

    def get(self) -> Value:
        """Return the value, computing it if nobody has."""
        if self._value is not None:
            return self._value[0]
        with self._lock:
            if self._value is None:
                if self._error is not None:
                    raise self._error
                try:
                    self._value = (self._compute(),)
                except EnvmgrError as error:
                    self._error = error
                    raise
            return self._value[0]


class Gate:
    """Lets threads through until it is shut; whoever shuts it waits for those inside."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._shut = False

    @property
    def is_shut(self) -> bool:
        """Whether nobody gets in any more."""
        return self._shut

    @contextmanager
    def passing(self) -> Iterator[bool]:
        """Go through, if the context says that one may."""
        with self._changed:
            admitted = not self._shut
            self._inside += admitted
        try:
            yield admitted
        finally:
            with self._changed:
                self._inside -= admitted
                self._changed.notify_all()

    def shut(self) -> None:
        """Let nobody in any more, and wait until nobody is inside."""
        with self._changed:
            self._shut = True
            self._changed.wait_for(lambda: not self._inside)


class Workers:
    """A pool of daemon threads for work whose results nobody must wait for.

    ``close`` forgets what has not begun and does not wait for what has: a
    stalled server must not delay the end of the program. Failures that are
    EnvmgrErrors are dropped; whoever needs the result meets them again. Where
    no thread is to be had, fewer work, or none.
    """

    def __init__(self, name: str, size: int, at_end: Callable[[], None]) -> None:
        """``at_end`` is called once, when the pool is closed and nothing runs any more."""
        self._at_end = at_end
        self._name = name
        self._size = size
        self._tasks: list[tuple[int, int, Callable[[], object]]] = []
        self._numbers = count()
        self._tokens: SimpleQueue[bool] = SimpleQueue()
        # No PriorityQueue: an interrupt within its put leaves it locked for good.
        self._lock = threading.Lock()
        self._running = 0
        self._idle = 0
        self._closed = False

    def submit(self, task: Callable[[], object], turn: int = 0) -> None:
        """Let a thread do ``task`` some time; after ``close`` nothing happens.

        Tasks of a lower ``turn`` go first, and those of the same as they came.
        """
        with self._lock:
            if self._closed:
                return
            if self._idle > 0:
                self._idle -= 1
            elif self._running < self._size:
                self._running += 1  # first: an interrupt may come while a thread begins
                if begin_thread(f"{self._name}-{self._running}", self._work) is None:
                    self._running -= 1
                    self._size = self._running
            heappush(self._tasks, (turn, next(self._numbers), task))
        self._tokens.put(True)

    @property
    def closed(self) -> bool:
        """Whether work in progress had better stop."""
        return self._closed

    def close(self) -> None:
        """Begin nothing more, and return at once."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            running = self._running
        for _ in range(running):
            self._tokens.put(False)
        if not running:
            self._at_end()

    def _work(self) -> None:
        while self._tokens.get():
            with self._lock:
                _, _, task = heappop(self._tasks)
            try:
                if not self._closed:
                    task()
            except EnvmgrError:
                pass
            finally:
                with self._lock:
                    self._idle += 1
        with self._lock:
            self._running -= 1
            last = not self._running
        if last:
            self._at_end()


class Backlog:
    """One thread that does small things later; ``close`` lends it a hand until all are done.

    Where no thread is to be had, ``close`` does them.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._begun = False
        self._closed = False

    def submit(self, task: Callable[[], object]) -> None:
        """Do ``task`` some time; after ``close`` nothing happens."""
        with self._lock:
            if self._closed:
                return
            if not self._begun:
                self._begun = True
                self._thread = begin_thread(self._name, self._work)
            self._tasks.put(task)

    def close(self) -> None:
        """Finish everything that was submitted."""
        with self._lock:
            self._closed = True
            thread = self._thread
        self._tasks.put(None)
        self._tasks.put(None)
        self._work()
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
