"""Making a damaged entry whole, file by file, while environments go on linking to it.

Each file is put in place by one rename: who has the old one open keeps it, and no
path is ever missing that was there. What is interrupted is found by the next check.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from envmgr.files import remove_tree
from envmgr.store.entry import (
    DIRECTORY_MODE,
    FILE_MODE,
    MANIFEST,
    PROGRAM_MODE,
    WHEEL_NAME,
    Entry,
)
from envmgr.store.sources import SOURCES
from envmgr.store.staging import make_staging
from envmgr.store.unpack import unpack_into
from envmgr.store.verify import Checked
from envmgr.wheel.archive import open_wheel
from envmgr.wheel.manifest import Manifest

_FROM_THE_WHEEL = frozenset({"missing", "changed", "facts", "unreadable"})


@dataclass(frozen=True, slots=True)
class Source:
    """A wheel at hand, verified, of the same sha256 as the entry's key."""

    wheel: Path
    filename: str


def needs_wheel(checked: Checked) -> bool:
    """Tell whether an entry can only be made whole from its wheel."""
    return any(finding.kind in _FROM_THE_WHEEL for finding in checked.findings)


def heal_in_place(checked: Checked) -> None:
    """Take away what does not belong, and set modes right. Raises OSError."""
    entry = checked.entry
    for finding in checked.findings:
        if finding.kind in ("extra", "bytecode"):
            _remove(entry, finding.path)
    if any(finding.kind == "bytecode" for finding in checked.findings):
        for stamp in entry.path.glob("compiled-*"):
            _remove(entry, stamp.name)
    executable = _executables(checked.manifest)
    for finding in checked.findings:
        if finding.kind == "mode":
            _set_mode(entry.path / finding.path, finding.path in executable)


def heal_from_wheel(checked: Checked, source: Source) -> None:
    """Put back what is missing or changed. Raises BrokenWheel, UnsafeWheel, OSError."""
    entry = checked.entry
    staging = make_staging(os.fspath(entry.path.parent))
    try:
        with open_wheel(source.wheel, source.filename) as archive:
            manifest = unpack_into(archive, staging)
        for path in _wanted(checked, manifest):
            _replace(entry, path, f"{staging}/{path}")
    finally:
        remove_tree(staging)


def _wanted(checked: Checked, manifest: Manifest) -> list[str]:
    """Say which files to take: those found wrong, or all where nothing is known of any."""
    files = {each.path for each in manifest.files_and_links}
    if checked.manifest is None or any(f.kind == "unreadable" for f in checked.findings):
        found: Iterable[str] = files
    else:
        found = (finding.path for finding in checked.findings if finding.kind in _FROM_THE_WHEEL)
    return [*sorted(files.intersection(found)), SOURCES, WHEEL_NAME, MANIFEST]


def _replace(entry: Entry, path: str, staged: str) -> None:
    target = entry.path / path
    _ensure_directory(entry, target.parent)
    if target.is_dir() and not target.is_symlink():
        _remove(entry, path)
    with _opened(target.parent), _opened(Path(staged).parent):
        os.rename(staged, target)  # noqa: PTH104 - both are strings of many


def _ensure_directory(entry: Entry, directory: Path) -> None:
    if directory.is_dir() and not directory.is_symlink():
        return
    if directory == entry.path:
        directory.mkdir(DIRECTORY_MODE)
        return
    _ensure_directory(entry, directory.parent)
    with _opened(directory.parent):
        remove_tree(directory)
        directory.mkdir()
        directory.chmod(DIRECTORY_MODE)


def _remove(entry: Entry, path: str) -> None:
    target = entry.path / path
    with suppress(FileNotFoundError), _opened(target.parent):
        remove_tree(target)


def _executables(manifest: Manifest | None) -> frozenset[str]:
    files = () if manifest is None else manifest.files
    return frozenset(file.path for file in files if file.executable)


def _set_mode(path: Path, executable: bool) -> None:
    if path.is_dir():
        path.chmod(DIRECTORY_MODE)
    else:
        path.chmod(PROGRAM_MODE if executable else FILE_MODE)


@contextmanager
def _opened(directory: Path) -> Iterator[None]:
    """Have a directory writable while the block runs."""
    directory.chmod(0o755)
    try:
        yield
    finally:
        with suppress(OSError):
            directory.chmod(DIRECTORY_MODE)
