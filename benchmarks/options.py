"""What the command line of the benchmarks says, checked before anything is measured."""

import argparse
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure, how often, and where."""

    runs: int
    only: tuple[str, ...]
    """Names of jobs, each once."""
    where: Path | None
    """A directory that is there; ``None`` for the system's temporary one."""
    json: Path | None
    """A file that can be written."""


def parse_options(arguments: Sequence[str], jobs: Iterable[str], about: str | None) -> Options:
    """Read the command line and make the directories it names. Exits with 2 where it is wrong."""
    known = list(jobs)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=about)
    parser.add_argument("--runs", type=_runs, default=3, help="runs of each contestant (3)")
    parser.add_argument("--only", nargs="+", choices=known, default=known)
    parser.add_argument("--where", type=Path, help="directory to work in (a temporary one)")
    parser.add_argument("--json", type=Path, help="also write the rows here")
    said = parser.parse_args(arguments)
    try:
        where = None if said.where is None else _directory(said.where)
        json = None if said.json is None else _file(said.json)
    except OSError as error:
        parser.error(f"{error.filename}: {error.strerror}")
    return Options(said.runs, tuple(dict.fromkeys(said.only)), where, json)


def _runs(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of runs, from 1 on")
    return int(text)


def _directory(path: Path) -> Path:
    """Make a directory to write in, unless it is there. Raises OSError."""
    path = path.absolute()
    path.mkdir(parents=True, exist_ok=True)
    _check_writable(path)
    return path


def _file(path: Path) -> Path:
    """Make the directory of a file that will be written. Raises OSError."""
    path = _directory(path.parent) / path.name
    if path.is_dir():
        raise IsADirectoryError(0, "it is a directory", str(path))
    if path.exists():
        _check_writable(path)
    return path


def _check_writable(path: Path) -> None:
    if not os.access(path, os.W_OK):
        raise PermissionError(0, "it cannot be written", str(path))
