"""Another process of envmgr's own, for work that must not share an interpreter's lock.

Calls go in and answers come out as pickles through two pipes. A helper ends
with whoever started it, however that one ends: the end of the pipe is the end
of the helper.
"""

import errno
import gc
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Semaphore
from typing import IO, Any, ParamSpec, Self, TypeAlias, TypeVar, cast

from envmgr.errors import EnvmgrError, MachineError
from envmgr.threads import begin_thread

Parameters = ParamSpec("Parameters")
Value = TypeVar("Value")
_Call: TypeAlias = tuple[int, Callable[..., object], Any, Any]

_START = "import sys; sys.path[:] = {path!r}; from envmgr.helper import serve; serve({threads})"


class HelperDied(MachineError):
    """A helper ended before it answered; ``status`` is what the system says of its end."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        how = f"by signal {-self.status}" if self.status < 0 else f"with status {self.status}"
        return f"a process that envmgr started was ended {how}"

    @property
    def hint(self) -> str:
        """What usually ends processes."""
        return "see that there is memory enough, and run the command again: what was done stays"


class FailedInHelper(Exception):
    """A bug met in a helper, in a line; its note is the traceback there."""


class Helper:
    """One such process. From any thread; leave the context to end it."""

    def __init__(self, threads: int = 1) -> None:
        """Start it, to work on ``threads`` calls at a time. Raises OSError."""
        start = _START.format(path=sys.path, threads=threads)
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, this package
            [sys.executable, "-I", "-S", "-B", "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # an interrupt is for us; the end of our pipe is for it
        )
        self._in = cast("IO[bytes]", self._process.stdin)
        self._out = cast("IO[bytes]", self._process.stdout)
        self._mutex = Lock()
        self._writing = Lock()
        self._number = 0
        self._waiting: dict[int, Future[Any]] = {}
        self._ended = False
        reader = begin_thread("helper", self._read)
        if reader is None:
            with self._process:
                self._process.kill()
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        self._reader = reader

    def submit(
        self,
        function: Callable[Parameters, Value],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> "Future[Value]":
        """Let it call ``function``, which it finds by its name, with arguments that pickle.

        The future raises what the function raises, if that is an EnvmgrError or
        OSError; HelperDied; and FailedInHelper for anything else.
        """
        future: Future[Value] = Future()
        future.set_running_or_notify_cancel()
        with self._mutex:
            self._number += 1
            number = self._number
        call = pickle.dumps((number, function, args, kwargs), pickle.HIGHEST_PROTOCOL)
        with self._mutex:
            if self._ended:
                future.set_exception(HelperDied(self._process.wait()))
                return future
            self._waiting[number] = future
        with self._writing, suppress(BrokenPipeError):  # the reader notices too, and tells
            self._in.write(call)
            self._in.flush()
        return future

    def kill(self) -> None:
        """Have it end at once, whatever it is doing; ``end`` waits until it has."""
        self._process.kill()

    def end(self) -> None:
        """End it at once, whatever it is doing; whoever still waits is told HelperDied."""
        self.kill()
        self._reader.join()
        with suppress(BrokenPipeError):
            self._in.close()
        self._out.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.end()

    def _read(self) -> None:
        try:
            while True:
                number, value, error = pickle.load(self._out)  # noqa: S301 - our own process
                with self._mutex:
                    future = self._waiting.pop(number)
                if error is None:
                    future.set_result(value)
                else:
                    future.set_exception(error)
        except (EOFError, pickle.UnpicklingError):
            pass  # it has ended, maybe in the middle of an answer
        except BaseException:
            self.kill()
            raise
        finally:
            self._tell_who_waits()

    def _tell_who_waits(self) -> None:
        status = self._process.wait()
        with self._mutex:
            self._ended = True
            left, self._waiting = self._waiting, {}
        for future in left.values():
            with suppress(InvalidStateError):
                future.set_exception(HelperDied(status))


def serve(threads: int) -> None:
    """Answer calls until nobody is there any more to make them. Runs in the helper."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # whoever started it gets them too, and ends it
    gc.disable()  # it lives too shortly to be worth it
    calls, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not print among the answers
    lock = Lock()

    def answer(call: _Call) -> None:
        reply = _reply(*call)
        with lock:
            answers.write(reply)
            answers.flush()

    serving = _Serving(threads, answer)
    while True:
        try:
            call = pickle.load(calls)  # noqa: S301 - from the process that started this one
        except (EOFError, pickle.UnpicklingError):  # the latter: it was ended while it wrote
            os._exit(0)
        serving.take(call)


class _Serving:
    """Threads that answer: at most ``size``; fewer, or none but this one, where that is all."""

    def __init__(self, size: int, answer: Callable[[_Call], None]) -> None:
        self._size = size
        self._answer = answer
        self._calls = SimpleQueue[_Call]()
        self._idle = Semaphore(0)
        self._begun = 0

    def take(self, call: _Call) -> None:
        """Have a call answered. From one thread."""
        if not self._idle.acquire(blocking=False) and self._begun < self._size:
            if begin_thread("serving", self._serve) is None:
                self._size = self._begun
            else:
                self._begun += 1
        if self._begun:
            self._calls.put(call)
        else:
            self._answer(call)

    def _serve(self) -> None:
        try:
            while True:
                self._answer(self._calls.get())
                self._idle.release()
        finally:
            os._exit(1)  # or whoever called would wait for ever


def _reply(number: int, function: Callable[..., object], args: Any, kwargs: Any) -> bytes:
    from traceback import format_exc

    error: Exception
    try:
        value = function(*args, **kwargs)
        return pickle.dumps((number, value, None), pickle.HIGHEST_PROTOCOL)
    except (EnvmgrError, OSError) as raised:
        error = raised
    except Exception as raised:  # noqa: BLE001 - told to whoever called
        error = FailedInHelper(f"{type(raised).__name__}: {raised}")
        error.add_note(format_exc())
    return pickle.dumps((number, None, error), pickle.HIGHEST_PROTOCOL)
