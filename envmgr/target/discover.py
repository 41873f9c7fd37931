"""Find the interpreters of a machine, and choose the one a specification asks for."""

import heapq
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

from msgspec import Struct, field
from packaging.specifiers import SpecifierSet

from envmgr.errors import MachineError
from envmgr.hardware.host import Host
from envmgr.spec.types import PythonPath, PythonSpec
from envmgr.target.guess import Guess, guess_version, may_admit
from envmgr.target.installation import base_interpreter
from envmgr.target.probe import InterpreterUnusable
from envmgr.target.types import Interpreter

VARIABLE: Final = "ENVMGR_PYTHONS"

Source: TypeAlias = Literal[
    "ENVMGR_PYTHONS", "PATH", "pyenv", "uv", "mise", "asdf", "system", "envmgr"
]
"""Where an interpreter was found; ``envmgr`` is the one that runs envmgr."""

Probe: TypeAlias = Callable[[str], Interpreter]
"""Tells everything about the interpreter at a path, or raises InterpreterUnusable."""

_SYSTEM = (
    "/usr/bin",
    "/usr/local/bin",
    "/opt/python*/bin",
    "/opt/python/*/bin",
    "/opt/local/bin",
    "/opt/homebrew/bin",
    "/Library/Frameworks/Python.framework/Versions/*/bin",
)
"""Linux distributions, sites and container images; MacPorts, Homebrew and python.org on macOS."""

_EXECUTABLE = re.compile(r"(?:python|pypy)(?:[23](?:\.\d+t?d?)?)?", re.ASCII)
_BEGINNINGS = ("python", "pypy")
_NUMBERS = re.compile(r"\d+", re.ASCII)


class FoundInterpreter(Struct, frozen=True):
    """An interpreter that may be usable. ``path`` has no links in it and is no environment's."""

    path: str
    source: Source
    guess: Guess = field(default_factory=Guess)


class Rejected(Struct, frozen=True):
    """An interpreter that will not do; ``version`` is ``None`` where it could not be told."""

    path: str
    source: Source | None
    version: str | None
    reason: str

    def __str__(self) -> str:
        source = f" ({self.source})" if self.source else ""
        version = f"Python {self.version}" if self.version else "Python"
        return f"{version} at {self.path}{source}: {self.reason}"


class NoInterpreter(MachineError):
    """No interpreter satisfies ``wanted``; ``rejected`` is every one that was found."""

    def __init__(self, wanted: PythonSpec, rejected: tuple[Rejected, ...]) -> None:
        super().__init__(wanted, rejected)
        self.wanted = wanted
        self.rejected = rejected

    def __str__(self) -> str:
        if isinstance(self.wanted, PythonPath):
            return f"{self.wanted.path} is no interpreter an environment can have"
        wanted = f"{self.wanted.specifier}".replace(",", ", ")
        asked = f"Python {wanted}" if wanted else "Python"
        count = len(self.rejected)
        if count == 0:
            return f"{asked} was asked for, and no interpreter was found"
        which = "the one interpreter found is not" if count == 1 else f"none of {count} found is"
        return f"{asked} was asked for, and {which} usable for it"

    @property
    def hint(self) -> str:
        """What to install or to set."""
        if isinstance(self.wanted, PythonPath):
            return "give the path of a Python interpreter, or of the directory it is installed in"
        which = f" that satisfies {self.wanted.specifier}" if str(self.wanted.specifier) else ""
        return f"install a Python{which}, or set {VARIABLE} to one or to a directory of them"

    def details(self) -> tuple[str, ...]:
        """One line for every interpreter that was found."""
        return tuple(map(str, self.rejected))


def discover_interpreters(host: Host, extra: tuple[Path, ...] = ()) -> tuple[FoundInterpreter, ...]:
    """List the machine's interpreters, each once, under the first place that has it.

    The order is that of the places: ``extra`` (ENVMGR_PYTHONS: files, or
    directories that hold interpreters or installations), PATH, version
    managers, the system, envmgr's own. Nothing is run.
    """
    found: dict[str, FoundInterpreter] = {}
    seen: set[str] = set()
    for source, path, named in _candidates(host, extra):
        linked = host.real_path(path)
        if linked in seen:
            continue
        seen.add(linked)
        stamp = host.stamp(linked)
        if not named and (stamp is None or not stamp.executable):
            continue
        real = base_interpreter(host, linked)
        if real not in found and (named or not _is_shim(real)):
            found[real] = FoundInterpreter(real, source, guess_version(host, real))
    return tuple(found.values())


def _candidates(host: Host, extra: tuple[Path, ...]) -> Iterator[tuple[Source, str, bool]]:
    """Yield source, path, and whether somebody named that very file: then it is listed anyhow."""
    for path in map(str, extra):
        inside = tuple(_below(host, path))
        yield from ((VARIABLE, each, not inside) for each in inside or (path,))
    listed: set[str] = set()
    for source, directory in _directories(host):
        real = host.real_path(directory)
        if real in listed:
            continue
        listed.add(real)
        yield from ((source, each, False) for each in _interpreters(host, directory))
    if host.own_interpreter:
        yield ("envmgr", host.own_interpreter, False)


def _directories(host: Host) -> Iterator[tuple[Source, str]]:
    for directory in host.environ.get("PATH", "").split(":"):
        if posixpath.isabs(directory) and not _is_shim(posixpath.join(directory, "python")):
            yield "PATH", directory
    for source, root in _version_managers(host):
        yield from ((source, directory) for directory in _expanded(host, f"{root}/*/bin"))
    for pattern in _SYSTEM:
        yield from (("system", directory) for directory in _expanded(host, pattern))


def _version_managers(host: Host) -> Iterator[tuple[Source, str]]:
    """Name the directories in which version managers keep a directory for each installation."""
    environ, home = host.environ, host.home
    data = environ.get("XDG_DATA_HOME") or f"{home}/.local/share"
    yield "pyenv", f"{environ.get('PYENV_ROOT') or f'{home}/.pyenv'}/versions"
    yield "uv", environ.get("UV_PYTHON_INSTALL_DIR") or f"{data}/uv/python"
    yield "mise", f"{environ.get('MISE_DATA_DIR') or f'{data}/mise'}/installs/python"
    yield "asdf", f"{environ.get('ASDF_DATA_DIR') or f'{home}/.asdf'}/installs/python"


def _below(host: Host, path: str) -> Iterator[str]:
    """Interpreters in a directory that holds them, an installation, or several installations."""
    for directory in (path, f"{path}/bin", *_expanded(host, f"{path}/*/bin")):
        yield from _interpreters(host, directory)


def _interpreters(host: Host, directory: str) -> Iterator[str]:
    """Files in a directory that are called like an interpreter, newest version first."""
    names = [name for name in host.list_directory(directory) if name.startswith(_BEGINNINGS)]
    for name in sorted(filter(_EXECUTABLE.fullmatch, names), key=_order, reverse=True):
        yield posixpath.join(directory, name)


def _expanded(host: Host, pattern: str) -> Iterator[str]:
    """Directories that fit a pattern with at most one ``*``, newest version first."""
    parent, star, tail = pattern.partition("*")
    if not star:
        yield pattern
        return
    top, beginning = posixpath.split(parent)
    names = [name for name in host.list_directory(top) if name.startswith(beginning)]
    for name in sorted(names, key=_order, reverse=True):
        yield f"{posixpath.join(top, name)}{tail}"


def _order(name: str) -> tuple[tuple[int, ...], str]:
    """By the numbers in a name, so that 3.10 comes after 3.9; the same on every machine."""
    return tuple(map(int, _NUMBERS.findall(name))), name


def _is_shim(path: str) -> bool:
    """Whether a version manager put a script here that looks for the interpreter anew each time."""
    return posixpath.basename(posixpath.dirname(path)) == "shims"


def choose_interpreter(
    spec: PythonSpec, found: Iterable[FoundInterpreter], probe: Probe
) -> Interpreter:
    """Give the interpreter a specification asks for, running as few as possible.

    Among those that satisfy it: ENVMGR_PYTHONS before all else, a release
    before a pre-release, plain CPython before free-threaded and debug builds
    and PyPy, the newest minor version, then the order found. Raises NoInterpreter.
    """
    if isinstance(spec, PythonPath):
        return _at(spec, probe)
    likely: list[tuple[_Rank, FoundInterpreter]] = []
    unlikely: list[tuple[_Rank, FoundInterpreter]] = []
    for place, each in enumerate(found):
        minor = each.guess.minor
        fits = minor is None or may_admit(spec.specifier, minor)
        (likely if fits else unlikely).append((_guessed_rank(each, place), each))
    rejected: dict[int, Rejected] = {}
    for group in (likely, unlikely):
        chosen = _first(spec.specifier, group, probe, rejected)
        if chosen is not None:
            return chosen
    raise NoInterpreter(spec, tuple(rejected[place] for place in sorted(rejected)))


def _at(spec: PythonPath, probe: Probe) -> Interpreter:
    try:
        return probe(str(spec.path))
    except InterpreterUnusable as error:
        rejected = Rejected(error.path, None, error.version, error.reason)
        raise NoInterpreter(spec, (rejected,)) from None


_Rank: TypeAlias = tuple[bool, bool, bool, float, float, int]
"""Lower is better; the last part, the place in the order found, is unique."""


def _first(
    specifier: SpecifierSet,
    ranked: list[tuple[_Rank, FoundInterpreter]],
    probe: Probe,
    rejected: dict[int, Rejected],
) -> Interpreter | None:
    """Probe in the order guessed until one that satisfies is known to be no worse than the rest."""
    queue: list[tuple[_Rank, FoundInterpreter, Interpreter | None]]
    queue = [(rank, each, None) for rank, each in ranked]
    heapq.heapify(queue)
    while queue:
        rank, each, known = heapq.heappop(queue)
        if known is not None:
            return known
        place = rank[-1]
        try:
            interpreter = probe(each.path)
        except InterpreterUnusable as error:
            rejected[place] = Rejected(each.path, each.source, error.version, error.reason)
            continue
        version = interpreter.markers["python_full_version"]
        if specifier.contains(version.removesuffix("+"), prereleases=True):
            heapq.heappush(queue, (_rank(each, interpreter, place), each, interpreter))
        else:
            reason = f"does not satisfy {specifier}"
            rejected[place] = Rejected(each.path, each.source, version, reason)
    return None


def _guessed_rank(found: FoundInterpreter, place: int) -> _Rank:
    """Give the best rank an interpreter can turn out to have."""
    guess = found.guess
    major, minor = guess.minor or (float("inf"), float("inf"))
    elsewhere, prerelease = found.source != VARIABLE, guess.release is False
    return (elsewhere, prerelease, not guess.ordinary, -major, -minor, place)


def _rank(found: FoundInterpreter, interpreter: Interpreter, place: int) -> _Rank:
    number = interpreter.markers["python_full_version"].removesuffix("+")
    ordinary = (
        interpreter.implementation == "cpython"
        and not interpreter.free_threaded
        and not interpreter.debug
    )
    major, minor, _ = interpreter.version
    prerelease = number != interpreter.version_text
    return (found.source != VARIABLE, prerelease, not ordinary, -major, -minor, place)
