"""Ask an interpreter what it is, once."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from envmgr.errors import MachineError
from envmgr.hardware.host import CommandFailed, Host, Ran
from envmgr.target.executable import Executable, fits_manylinux, parse_executable
from envmgr.target.installation import locate
from envmgr.target.remembered import Learnt, read_remembered, write_remembered
from envmgr.target.tags import architectures
from envmgr.target.types import MARKER_VARIABLES, Glibc, Interpreter, Libc, MacOS, Musl

if TYPE_CHECKING:
    from envmgr.target.answer import Answer

TIMEOUT = 30.0
"""Seconds: a first start from a busy network file system takes ten and more."""

_EXECUTABLE_LIMIT = 64 * 1024
"""Bytes of an executable that hold its headers and its loader's name."""
_CHANGES = {"SYSTEM_VERSION_COMPAT": "0"}
"""So that macOS tells its version even to an interpreter built for an older one."""
_FLAGS = ("-I", "-S", "-B")
"""Neither variables, user directory, ``site`` nor new bytecode: the bare interpreter."""
_IMPLEMENTATIONS: Mapping[str, Literal["cpython", "pypy"]] = {"cpython": "cpython", "pypy": "pypy"}
_LONGEST_WORDS = 200
_TELLING = 16
"""Characters of a line that nobody else would write."""
_NUMBER = re.compile(r"(\d+)\.(\d+)")
_VERSION_LINE = re.compile(r"Python (\d+\.\d+(?:\.\d+)?)")


class InterpreterUnusable(MachineError):
    """One interpreter an environment cannot have. ``version`` is ``None`` where it is not known."""

    def __init__(self, path: str, reason: str, version: str | None = None) -> None:
        super().__init__(path, reason, version)
        self.path = path
        self.reason = reason
        self.version = version

    def __str__(self) -> str:
        number = f" {self.version}" if self.version else ""
        return f"Python{number} at {self.path} cannot be used: {self.reason}"


def probe_interpreter(path: str | Path, host: Host, cache: Path | None) -> Interpreter:
    """Tell everything about the interpreter a path stands for (see ``locate``).

    What was told before is kept in the directory ``cache`` and believed as long as the
    interpreter, its C library and the kernel are the same. Raises InterpreterUnusable.
    """
    real = locate(host, str(path))
    interpreter = _recall_or_ask(real, host, cache)
    if interpreter.executable == real:
        return interpreter
    try:
        return _recall_or_ask(interpreter.executable, host, cache)
    except InterpreterUnusable as error:
        reason = f"it starts {error.path}, which does not run by itself: {error.reason}"
        raise InterpreterUnusable(real, reason, interpreter.version_text) from None


def _recall_or_ask(path: str, host: Host, cache: Path | None) -> Interpreter:
    stamp = host.stamp(path)
    if stamp is None:
        raise InterpreterUnusable(path, "no interpreter is there")
    if not stamp.executable:
        raise InterpreterUnusable(path, "you may not run it")
    known = read_remembered(cache, path, stamp, host) if cache else None
    if known is not None:
        return known
    answer = _ask(path, host)
    executable = host.real_path(answer.executable) if answer.executable else path
    facts = parse_executable(host.read_bytes(executable, _EXECUTABLE_LIMIT) or b"")
    interpreter = _described(answer, executable, facts, host)
    if cache:
        loader = facts.loader if facts else None
        write_remembered(cache, Learnt(path, stamp, loader, interpreter), host)
    return interpreter


def _ask(path: str, host: Host) -> "Answer":
    """Run the interpreter. Raises InterpreterUnusable."""
    from envmgr.target.answer import QUESTION, TooOld, Unanswered, parse_answer

    try:
        ran = host.run((path, *_FLAGS, "-c", QUESTION), TIMEOUT, _CHANGES)
        answer = parse_answer(ran.output)
    except CommandFailed as error:
        raise InterpreterUnusable(path, error.reason) from None
    except TooOld as error:
        raise InterpreterUnusable(path, str(error), error.version) from None
    except Unanswered as error:
        raise _explained(path, ran, error, host) from None
    missing = [name for name in MARKER_VARIABLES if name not in answer.markers]
    if missing:
        raise InterpreterUnusable(path, f"it does not tell its {missing[0]}")
    return answer


def _described(
    answer: "Answer", executable: str, facts: Executable | None, host: Host
) -> Interpreter:
    """Put together what the interpreter said and what its file says."""
    implementation = _IMPLEMENTATIONS.get(answer.implementation)
    if implementation is None:
        reason = f"{answer.implementation} is neither CPython nor PyPy"
        raise InterpreterUnusable(executable, reason, answer.markers["python_full_version"])
    known = architectures(answer.platform, answer.pointer_bits)
    return Interpreter(
        executable=executable,
        version=answer.version,
        implementation=implementation,
        free_threaded=answer.free_threaded,
        debug=answer.debug,
        pointer_bits=answer.pointer_bits,
        platform=answer.platform,
        libc=_libc(answer.glibc, answer.macos, facts, known, host),
        soabi=answer.soabi,
        cache_tag=answer.cache_tag,
        magic=answer.magic,
        markers=answer.markers,
        site_packages=answer.site_packages,
        headers=answer.headers,
        refused_platforms=answer.refused_platforms,
    )


def _libc(
    glibc: str,
    macos: str,
    executable: Executable | None,
    known: tuple[str, ...],
    host: Host,
) -> Libc | None:
    """Name the C library, if there are wheels for it; no ABI manylinux excludes has any."""
    if number := _NUMBER.match(macos):
        return MacOS(int(number[1]), int(number[2]))
    if number := _NUMBER.match(glibc):
        library = Glibc(int(number[1]), int(number[2]))
        return library if fits_manylinux(executable, known) else None
    loader = executable.loader if executable else None
    return _musl(loader, host) if loader and "musl" in loader else None


def _musl(loader: str, host: Host) -> Musl | None:
    """Ask musl's loader for its version (PEP 656); it writes it where errors go."""
    try:
        return parse_musl(host.run((loader,), TIMEOUT, {}).errors)
    except CommandFailed:
        return None


def parse_musl(text: str) -> Musl | None:
    """Read what musl's loader says without arguments: ``musl libc (x86_64)``, ``Version 1.2.2``."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or not lines[0].startswith("musl"):
        return None
    number = _NUMBER.match(lines[1].removeprefix("Version "))
    return Musl(int(number[1]), int(number[2])) if number else None


def _explained(path: str, ran: Ran, error: ValueError, host: Host) -> InterpreterUnusable:
    """Why there was no answer: an old Python does not know the flags, and says so by ``-V``."""
    from envmgr.target.answer import OLDEST, TooOld

    if ran.status == 0:
        return InterpreterUnusable(path, str(error))
    try:
        said = host.run((path, "-V"), TIMEOUT, {})
    except CommandFailed:
        said = Ran(1, "", "")
    line = _VERSION_LINE.match(said.output) or _VERSION_LINE.match(said.errors)
    version = line[1] if said.status == 0 and line else None
    if version and tuple(map(int, version.split(".")[:2])) < OLDEST:
        return InterpreterUnusable(path, str(TooOld(version)), version)
    last = last_words(ran.errors)
    how = f"signal {-ran.status}" if ran.status < 0 else f"status {ran.status}"
    reason = f"it ended with {how}" + (f" ({last})" if last else "")
    return InterpreterUnusable(path, reason, version)


def last_words(errors: str) -> str:
    """Return the last line a program complained with, cut; nothing where it repeats our question.

    What is no Python takes the question for the name of a file, and quotes it.
    """
    from envmgr.target.answer import QUESTION

    last = next((line.strip() for line in reversed(errors.splitlines()) if line.strip()), "")
    asked = (line.strip() for line in QUESTION.splitlines())
    if any(line in last for line in asked if len(line) >= _TELLING):
        return ""
    return last if len(last) <= _LONGEST_WORDS else f"{last[: _LONGEST_WORDS - 3]}..."
