"""Another process of envmgr's own, for work that must not share an interpreter's lock.

Calls go in and answers come out as pickles through two pipes. A helper ends
with whoever started it, however that one ends: the end of the pipe is the end
of the helper.
"""

import gc
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from threading import Lock, Thread
from typing import IO, Any, ParamSpec, Self, TypeVar, cast

from envmgr.errors import EnvmgrError, MachineError

Parameters = ParamSpec("Parameters")
Value = TypeVar("Value")

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
    """A bug met in a helper; its text is the traceback there."""


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
        self._reader = Thread(target=self._read, name="helper", daemon=True)
        self._reader.start()

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
        while True:
            try:
                number, value, error = pickle.load(self._out)  # noqa: S301 - our own process
            except (EOFError, pickle.UnpicklingError):
                break
            with self._mutex:
                future = self._waiting.pop(number)
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)
        status = self._process.wait()
        with self._mutex:
            self._ended = True
            left, self._waiting = self._waiting, {}
        for future in left.values():
            with suppress(InvalidStateError):
                future.set_exception(HelperDied(status))


def serve(threads: int) -> None:
    """Answer calls until nobody is there any more to make them. Runs in the helper."""
    from concurrent.futures import ThreadPoolExecutor

    gc.disable()  # it lives too shortly to be worth it
    calls, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not print among the answers
    lock = Lock()

    def answer(number: int, function: Callable[..., object], args: Any, kwargs: Any) -> None:
        reply = _reply(number, function, args, kwargs)
        with lock:
            answers.write(reply)
            answers.flush()

    with ThreadPoolExecutor(threads) as pool:
        while True:
            try:
                call = pickle.load(calls)  # noqa: S301 - from the process that started this one
            except EOFError:
                os._exit(0)
            if threads == 1:
                answer(*call)
            else:
                pool.submit(answer, *call)


def _reply(number: int, function: Callable[..., object], args: Any, kwargs: Any) -> bytes:
    from traceback import format_exc

    value: object = None
    error: Exception | None = None
    try:
        value = function(*args, **kwargs)
    except (EnvmgrError, OSError) as raised:
        error = raised
    except Exception:  # noqa: BLE001 - told to whoever called
        error = FailedInHelper(format_exc())
    return pickle.dumps((number, value, error), pickle.HIGHEST_PROTOCOL)
