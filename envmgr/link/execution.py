"""A layout carried out: directories, links, files, copies and hard links, in that order."""

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from envmgr.events import Noted, Reporter
from envmgr.files import write_new
from envmgr.link.inputs import LaidFile, Layout, TakenFile

_UNCHECKED, _CHECKED = b"\1\0\0\0", b"\3\0\0\0"
"""Flags of bytecode that goes by its source's hash (PEP 552), in bytes 4 to 8."""


def without_absent_bytecode(layout: Layout) -> Layout:
    """Leave out the bytecode that no entry holds: modules that do not compile have none.

    To be asked of every layout before it is carried out, and of none twice: there are many.
    """
    exists = os.path.exists
    taken = layout.taken_bytecode
    return replace(
        layout,
        bytecode={path: target for path, target in layout.bytecode.items() if exists(target)},
        taken_bytecode={path: file for path, file in taken.items() if exists(file.source)},
    )


def execute(layout: Layout, path: str, before: str, report: Reporter) -> None:
    """Write a view into the directory ``path``, which exists and is empty.

    ``before`` is the generation whose links may be shared. All bytecode of the layout
    must be there: see ``without_absent_bytecode``. Raises OSError.
    """
    for directory in layout.directories:
        os.mkdir(f"{path}/{directory}")  # noqa: PTH102 - on strings, as there are many
    make_link = _link_maker(path, before)
    for name, target in layout.links.items():
        make_link(name, target)
    for name, target in layout.bytecode.items():
        make_link(name, target)
    written: dict[LaidFile, str] = {}
    for name, file in layout.files.items():
        _write_or_share(f"{path}/{name}", file, written)
    _Taking(path, report).take_all(layout.taken, layout.taken_bytecode)


class _Taking:
    """Files of entries that become the view's own."""

    def __init__(self, path: str, report: Reporter) -> None:
        self._path = path
        self._report = report
        self._refusal = ""
        self._refused = 0

    def take_all(self, files: Mapping[str, TakenFile], bytecode: Mapping[str, TakenFile]) -> None:
        """Copy or hard-link everything; notes once where hard links were not to be had."""
        for name, file in files.items():
            self._take(f"{self._path}/{name}", file)
        for name, file in bytecode.items():
            self._take_bytecode(f"{self._path}/{name}", file)
        if self._refused:
            self._report(
                Noted(
                    f"copied {self._refused} files of which hard links were asked for: "
                    f"the file system refuses them ({self._refusal})"
                )
            )

    def _take(self, target: str, file: TakenFile) -> None:
        if file.copied:
            _copy(file.source, target, 0o755 if file.executable else 0o644)
        else:
            self._link(target, file)

    def _take_bytecode(self, target: str, file: TakenFile) -> None:
        """Let bytecode of a module that may be edited be checked against it."""
        if not file.copied:
            self._link(target, file)
            return
        data = Path(file.source).read_bytes()
        if data[4:8] == _UNCHECKED:
            write_new(target, data[:4] + _CHECKED + data[8:])

    def _link(self, target: str, file: TakenFile) -> None:
        """Make a hard link, or a copy that may not be written either."""
        try:
            os.link(file.source, target)
        except OSError as error:
            if isinstance(error, FileNotFoundError | FileExistsError):
                raise
            _copy(file.source, target, 0o555 if file.executable else 0o444)
            self._refused += 1
            self._refusal = error.strerror or str(error)


def _copy(source: str, target: str, mode: int) -> None:
    shutil.copyfile(source, target)
    os.chmod(target, mode)  # noqa: PTH101 - on strings, as there are many


def _link_maker(path: str, before: str) -> Callable[[str, str], None]:
    """Return what makes a link, or shares the one of the generation before.

    A shared link is a further name of the same inode: generations that differ
    little cost little of an inode quota.
    """

    def make(name: str, target: str) -> None:
        os.symlink(target, f"{path}/{name}")

    def share(name: str, target: str) -> None:
        old = f"{before}/{name}"
        try:
            if os.readlink(old) == target:  # noqa: PTH115 - on strings, as there are many
                os.link(old, f"{path}/{name}", follow_symlinks=False)
                return
        except (OSError, NotImplementedError):
            pass
        make(name, target)

    return share if Path(before).is_dir() else make


def _write_or_share(path: str, file: LaidFile, written: dict[LaidFile, str]) -> None:
    """Write a file; equal files of a view (INSTALLER, a hundred times) are one inode."""
    twin = written.setdefault(file, path)
    if twin != path:
        with suppress(OSError):
            os.link(twin, path)
            return
    write_new(path, file.content, file.mode)
