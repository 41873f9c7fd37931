"""The facts of an entry, computed again from its files."""

import hashlib
import mmap
import os
import stat
from collections.abc import Iterator, Set
from pathlib import Path

from envmgr.store.entry import WHEEL_NAME, Entry, EntryDamaged
from envmgr.store.sources import SOURCES
from envmgr.wheel.elf import ELF_MAGIC, parse_elf
from envmgr.wheel.entry_points import InvalidEntryPoints, parse_entry_points
from envmgr.wheel.filename import InvalidWheelFilename, parse_wheel_filename
from envmgr.wheel.manifest import (
    ElfFacts,
    EntryPoint,
    FileFacts,
    LinkFacts,
    Manifest,
    make_manifest,
)
from envmgr.wheel.record import InvalidRecord, parse_record
from envmgr.wheel.unpack import UnknownScheme, destination
from envmgr.wheel.wheel_info import InvalidWheelInfo, parse_wheel_info

PARTS = ("site-packages", "data", "scripts", "headers")


def survey_entry(entry: Entry) -> Manifest:
    """Compute the manifest of an entry from what lies there, bytecode left out.

    Raises EntryDamaged where the wheel's own files cannot be read, or are not all there.
    """
    try:
        paths = list(_walk(entry.path))
        links = [path for path in paths if os.path.islink(entry.path / path)]  # noqa: PTH114
        files = sorted({*paths}.difference(links))
        surveyed = [_survey_file(entry.path, path) for path in files]
        filename = parse_wheel_filename((entry.path / WHEEL_NAME).read_text("utf-8").strip())
        info = _dist_info(entry)
        _check_complete(entry, info, {*paths})
        return make_manifest(
            name=filename.name,
            version=str(filename.version),
            wheel=filename.text,
            root_is_purelib=parse_wheel_info((info / "WHEEL").read_bytes()).root_is_purelib,
            dist_info=info.name,
            entry_points=_entry_points(info),
            files=(facts for facts, _ in surveyed),
            elf=(dynamic for _, dynamic in surveyed if dynamic is not None),
            links=(LinkFacts(path, os.readlink(entry.path / path)) for path in links),  # noqa: PTH115
        )
    except OSError as error:
        raise EntryDamaged(entry, f"{error.filename}: {error.strerror}") from error
    except (InvalidRecord, InvalidWheelFilename, InvalidWheelInfo, InvalidEntryPoints) as error:
        raise EntryDamaged(entry, str(error)) from error
    except ValueError as error:
        raise EntryDamaged(entry, str(error)) from error


def _walk(root: Path) -> Iterator[str]:
    """Yield every file of the wheel, relative to the entry; what compiling added is not of it."""
    for part in PARTS:
        for directory, directories, names in os.walk(root / part):
            below = os.path.relpath(directory, root).replace(os.sep, "/")
            if part == "site-packages" and "__pycache__" in directories:
                directories.remove("__pycache__")
            links = (name for name in directories if Path(directory, name).is_symlink())
            yield from (f"{below}/{name}" for name in (*names, *links))


def _survey_file(root: Path, path: str) -> tuple[FileFacts, ElfFacts | None]:
    with open(root / path, "rb") as file:
        status = os.fstat(file.fileno())
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        facts = FileFacts(path, status.st_size, bool(status.st_mode & stat.S_IXUSR), sha256)
        if os.pread(file.fileno(), len(ELF_MAGIC), 0) != ELF_MAGIC:
            return facts, None
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as content:
            return facts, parse_elf(content, path)


def _dist_info(entry: Entry) -> Path:
    found = list((entry.path / "site-packages").glob("*.dist-info"))
    if len(found) != 1:
        raise EntryDamaged(entry, f"it has {len(found)} .dist-info directories")
    return found[0]


def _check_complete(entry: Entry, info: Path, there: Set[str]) -> None:
    """Compare with RECORD: what is deleted now must not be forgotten. Raises EntryDamaged.

    A wheel may list files that it never held; SOURCES.txt, where it is left, knows.
    """
    data = f"{info.name.removesuffix('.dist-info')}.data"
    held = _held(entry)
    missing = []
    for row in parse_record((info / "RECORD").read_text("utf-8")):
        try:
            path = destination(row.path, data)
        except UnknownScheme:
            continue
        part, _, below = path.partition("/")
        is_held = held is None or part != "site-packages" or below in held
        if is_held and path not in there and "/__pycache__/" not in path:
            missing.append(path)
    if missing:
        more = f" and {len(missing) - 1} more files are" if len(missing) > 1 else " is"
        raise EntryDamaged(entry, f"{missing[0]}{more} gone")


def _held(entry: Entry) -> frozenset[str] | None:
    """Return the files in site-packages that were unpacked; ``None`` where that is lost."""
    try:
        text = (entry.path / SOURCES).read_text("utf-8")
    except OSError:
        return None
    return frozenset(line.replace('""', '"') for line in text.split("\n"))


def _entry_points(info: Path) -> tuple[EntryPoint, ...]:
    try:
        text = (info / "entry_points.txt").read_text("utf-8-sig")
    except FileNotFoundError:
        return ()
    return parse_entry_points(text)
