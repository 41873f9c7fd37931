"""``wheel link``: a wheel in which each library stands once, and its further names are links."""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from envmgr.errors import IntegrityError
from envmgr.events import Reporter, Warned
from envmgr.pipeline.wheel_output import Written, write_wheel
from envmgr.wheel.archive import WheelArchive, open_wheel, refused_links
from envmgr.wheel.filename import InvalidWheelFilename, parse_wheel_filename
from envmgr.wheel.linked import link_libraries
from envmgr.wheel.links import LINKS, InvalidLinks, LinkRow, parse_links
from envmgr.wheel.manifest import LinkFacts
from envmgr.wheel.unpack import (
    UnknownScheme,
    UnpackedMember,
    destination,
    entry_links,
    unpacked_links,
    unpacked_members,
)
from envmgr.wheel.wheel_info import InvalidWheelInfo, parse_wheel_info
from envmgr.wheel.writing import UNRECORDED, NewWheel, Part, PartLink, with_wheel_version

_BYTECODE = "__pycache__"
_BUILD_LINE = re.compile(r"^Build:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """What ``wheel link`` is asked for."""

    source: Path
    """A wheel, or a directory that one was unpacked into."""
    output: Path
    """A directory, or the path of a wheel."""
    timestamp: int
    """Seconds since the epoch: the time of every member."""
    strict: bool = False
    """Whether to say Wheel-Version 2.0, as PEP 778 wants; other installers then refuse it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedWheel:
    """What ``wheel link`` made; sizes in bytes."""

    wheel: Written
    unpacked_before: int
    """Of the files of the source, where a link counts nothing."""
    links: tuple[PartLink, ...]
    notes: tuple[str, ...]


class NoUnpackedWheel(IntegrityError):
    """A directory, or something in it, of which no wheel can be made; ``path`` is to blame."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"no wheel can be made of {self.path}: {self.reason}"


@dataclass(frozen=True, slots=True)
class _Content:
    """A wheel as it was found."""

    filename: str
    dist_info: str
    parts: tuple[Part, ...]
    links: tuple[PartLink, ...]


def link_wheel(request: LinkRequest, report: Reporter) -> LinkedWheel:
    """Make the wheel and put it in its place, where nothing else may stand.

    Raises RefusedWheel, NoUnpackedWheel, UsageError, OutputUnwritable; nothing is left then.
    """
    try:
        found = _read(request.source)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise NoUnpackedWheel(Path(error.filename or request.source), reason) from None
    linked = link_libraries(found.parts, found.links)
    version = "2.0" if request.strict and linked.links else "1.0"
    wheel = NewWheel(
        filename=found.filename,
        dist_info=found.dist_info,
        parts=tuple(_with_version(part, found.dist_info, version) for part in linked.parts),
        links=linked.links,
    )
    written = write_wheel(wheel, request.output, request.timestamp, str(request.source), report)
    for note in linked.notes:
        report(Warned(note))
    return LinkedWheel(
        wheel=written,
        unpacked_before=sum(len(part.data) for part in found.parts),
        links=tuple(sorted(linked.links, key=lambda link: link.path)),
        notes=linked.notes,
    )


def _with_version(part: Part, dist_info: str, version: str) -> Part:
    if part.path != f"{dist_info}/WHEEL":
        return part
    return Part(part.path, with_wheel_version(part.data, version), part.executable)


def _read(source: Path) -> _Content:
    if source.is_dir():
        return _read_directory(source)
    with open_wheel(source, source.name) as wheel:
        return _read_wheel(wheel)


def _read_wheel(wheel: WheelArchive) -> _Content:
    """Take a wheel apart, every file checked against RECORD."""
    links = tuple(_part_links(wheel))
    unpacked_members(wheel)  # refuses files that would be in each other's way
    left_out = {f"{wheel.dist_info}/{name}" for name in UNRECORDED}
    parts = tuple(
        Part(member.name, UnpackedMember(wheel, member, member.name).data, member.executable)
        for member in wheel.members
        if not member.is_directory and member.name not in left_out
    )
    return _Content(wheel.filename.text, wheel.dist_info, parts, links)


def _part_links(wheel: WheelArchive) -> Iterator[PartLink]:
    return _archived(unpacked_links(wheel), wheel.link_rows, wheel.data_directory)


def _archived(
    links: Iterable[LinkFacts], rows: Iterable[LinkRow], data_directory: str
) -> Iterator[PartLink]:
    """Give links the paths that they have in the archive, as LINKS wrote them."""
    names = {
        destination(path, data_directory): path for row in rows for path in (row.first, row.second)
    }
    for link in links:
        yield PartLink(names[link.path], names[link.target])


def _read_directory(root: Path) -> _Content:
    found = sorted(path.name for path in root.iterdir() if path.name.endswith(".dist-info"))
    if len(found) != 1:
        listed = f": {', '.join(found)}" if found else ""
        raise NoUnpackedWheel(root, f"it has {len(found)} .dist-info directories{listed}")
    left_out = {f"{found[0]}/{name}" for name in UNRECORDED}
    parts: list[Part] = []
    links: list[PartLink] = []
    for path in _walk(root):
        name = path.relative_to(root).as_posix()
        if name in left_out:
            continue
        if path.is_symlink():
            links.append(_tree_link(root, path, name))
        else:
            parts.append(_tree_part(path, name))
    filename = _filename(root, found[0])
    there = [*(part.path for part in parts), *(link.path for link in links)]
    links += _written_links(root, found[0], there, filename)
    return _Content(filename, found[0], tuple(parts), tuple(links))


def _written_links(
    root: Path, dist_info: str, there: list[str], filename: str
) -> Iterator[PartLink]:
    """Read the LINKS of a directory; links that it speaks of and that were made count once."""
    try:
        text = (root / dist_info / LINKS).read_text("utf-8-sig")
    except FileNotFoundError:
        return
    data_directory = f"{dist_info.removesuffix('.dist-info')}.data"
    try:
        rows = [row for row in parse_links(text) if not {row.first, row.second} <= {*there}]
        files = [destination(path, data_directory) for path in there]
        links = entry_links(rows, files, dist_info)
    except InvalidLinks as error:
        raise refused_links(filename, dist_info, error) from None
    except (UnknownScheme, UnicodeDecodeError) as error:
        raise NoUnpackedWheel(root, str(error)) from None
    yield from _archived(links, rows, data_directory)


def _walk(root: Path) -> Iterator[Path]:
    """Yield files and links, in an order of their own; bytecode is not of a wheel."""
    for directory, directories, names in os.walk(root):
        linked = [name for name in directories if Path(directory, name).is_symlink()]
        directories[:] = sorted({*directories} - {*linked, _BYTECODE})
        yield from (Path(directory, name) for name in sorted((*names, *linked)))


def _tree_part(path: Path, name: str) -> Part:
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode):
        raise NoUnpackedWheel(path, "it is neither a file nor a directory nor a link")
    return Part(name, path.read_bytes(), bool(facts.st_mode & stat.S_IXUSR))


def _tree_link(root: Path, path: Path, name: str) -> PartLink:
    """Read a link, which may lead to what is in the directory and nowhere else."""
    text = os.fspath(path.readlink())
    if text.startswith("/"):
        raise NoUnpackedWheel(path, f"it leads to the absolute path {text}")
    target = os.path.normpath(f"{name}/../{text}")
    if target == ".." or target.startswith("../"):
        raise NoUnpackedWheel(path, f"it leads out of {root}, to {text}")
    try:
        end = path.resolve(strict=True)
    except (OSError, RuntimeError):
        raise NoUnpackedWheel(path, f"it leads to nothing, by {text}") from None
    if not end.is_relative_to(root.resolve()):
        raise NoUnpackedWheel(path, f"it leads out of {root}, to {end}")
    above = root.resolve() / target
    if above.parent.resolve() != above.parent:  # by way of another link
        target = end.relative_to(root.resolve()).as_posix()
    return PartLink(name, target)


def _filename(root: Path, dist_info: str) -> str:
    """Return the file name of the wheel that a directory was, by what WHEEL says."""
    file = root / dist_info / "WHEEL"
    try:
        data = file.read_bytes()
        tags = parse_wheel_info(data, linked=True).tags
    except FileNotFoundError:
        raise NoUnpackedWheel(file, "it is missing") from None
    except InvalidWheelInfo as error:
        raise NoUnpackedWheel(file, error.reason) from None
    build = _BUILD_LINE.search(data.decode("utf-8", "replace"))
    middle = f"-{build[1]}" if build else ""
    stem = dist_info.removesuffix(".dist-info")
    name = f"{stem}{middle}-{_compressed(tags, file)}.whl"
    try:
        parse_wheel_filename(name)
    except InvalidWheelFilename as error:
        raise NoUnpackedWheel(file, f"its wheel would be {name}: {error.reason}") from None
    return name


def _compressed(tags: tuple[str, ...], file: Path) -> str:
    """Put tags together into the three sets of a file name (PEP 425)."""
    split = [tag.split("-") for tag in tags]
    if not split or any(len(each) != 3 for each in split):
        raise NoUnpackedWheel(file, "it has no tags of three parts")
    sets = [dict.fromkeys(each[place] for each in split) for place in range(3)]
    if len(sets[0]) * len(sets[1]) * len(sets[2]) != len({*tags}):
        raise NoUnpackedWheel(file, "no file name stands for exactly its tags")
    return "-".join(".".join(each) for each in sets)
