"""Putting a wheel that was made into its place, once it was seen to be one."""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from envmgr.errors import PrefixError, UsageError
from envmgr.events import Reporter, StageAdvanced, StageFinished, StageStarted
from envmgr.files import remove_file, write_new
from envmgr.wheel.archive import open_wheel
from envmgr.wheel.filename import InvalidWheelFilename, parse_wheel_filename
from envmgr.wheel.unpack import unpacked_links, unpacked_members
from envmgr.wheel.writing import NewWheel, render_wheel


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A wheel in its place; sizes in bytes."""

    path: Path
    sha256: str
    size: int
    unpacked: int
    """Of its files, links not counted."""


class OutputUnwritable(PrefixError):
    """A wheel that cannot be written where it shall stand."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} cannot be written: {self.reason}"

    @property
    def hint(self) -> str:
        """Somewhere else."""
        return "name another place with -o"


def write_wheel(
    wheel: NewWheel, output: Path, timestamp: int, source: str, report: Reporter
) -> Written:
    """Write a wheel to ``output``, a directory or a path ending in ``.whl``.

    It is read back as whoever installs it would. One that stands there already is left if
    it is the same, and refused otherwise; ``source`` is what the refusal calls the input.
    Raises RefusedWheel, UsageError, OutputUnwritable.
    """
    path = _place(wheel, output)
    data = _packed(wheel, timestamp, report)
    try:
        _write(path, data, source)
    except OSError as error:
        raise OutputUnwritable(path, (error.strerror or str(error)).lower()) from error
    sha256 = hashlib.sha256(data).hexdigest()
    return Written(path=path, sha256=sha256, size=len(data), unpacked=wheel.size)


def _packed(wheel: NewWheel, timestamp: int, report: Reporter) -> bytes:
    began, count = perf_counter(), len(wheel.parts) + 1 + bool(wheel.links)  # RECORD and LINKS
    report(StageStarted("pack", count))
    data = render_wheel(wheel, timestamp, lambda part: report(StageAdvanced("pack", 1, part.path)))
    report(StageFinished("pack", count, perf_counter() - began))
    return data


def _write(path: Path, data: bytes, source: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    try:
        write_new(temporary, data)
        _check(temporary, path.name)
        _put(temporary, path, data, source)
    finally:
        remove_file(temporary)


def _place(wheel: NewWheel, output: Path) -> Path:
    if output.suffix != ".whl" or output.is_dir():
        return output / wheel.filename
    own = parse_wheel_filename(wheel.filename)
    with suppress(InvalidWheelFilename):
        wanted = parse_wheel_filename(output.name)
        if (wanted.name, wanted.version, {*wanted.tags}) == (own.name, own.version, {*own.tags}):
            return output
    raise UsageError(
        f"{output.name} is no name for {wheel.filename}",
        "name a directory, or keep the project, the version and the tags",
    )


def _check(path: Path, filename: str) -> None:
    with open_wheel(path, filename) as archive:
        unpacked_links(archive)
        for member in unpacked_members(archive):
            member.sha256  # noqa: B018 - it raises where RECORD says otherwise


def _put(temporary: Path, path: Path, data: bytes, source: str) -> None:
    """Make the wheel appear whole, and never over another one."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        if path.is_file() and path.read_bytes() == data:
            return
        raise UsageError(
            f"{path} is there already, and is not what {source} gives",
            "remove it, or name another place with -o",
        ) from None
    except OSError:  # no hard links here
        if path.exists():
            raise UsageError(f"{path} is there already", "remove it, or use -o") from None
        temporary.rename(path)
