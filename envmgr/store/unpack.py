"""Write the files of a wheel into a directory, with the modes they keep.

Paths are strings here: thirty thousand files pass by.
"""
# ruff: noqa: PTH101, PTH102

import os
from collections.abc import Iterable

from envmgr.files import write_new
from envmgr.store.entry import DIRECTORY_MODE, FILE_MODE, MANIFEST, PROGRAM_MODE, WHEEL_NAME
from envmgr.store.sources import SOURCES, render_sources
from envmgr.wheel.archive import WheelArchive
from envmgr.wheel.manifest import ElfFacts, FileFacts, Manifest, encode_manifest
from envmgr.wheel.unpack import UnpackedMember, manifest_of, unpacked_members

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def unpack_into(wheel: WheelArchive, root: str) -> Manifest:
    """Make an entry of ``wheel`` in the empty directory ``root``, read-only throughout.

    Every file is checked against RECORD as it is written. Raises BrokenWheel,
    UnsafeWheel, OSError; what is there then is worth nothing.
    """
    tree = _Tree(root)
    files: list[FileFacts] = []
    elf: list[ElfFacts] = []
    for member in unpacked_members(wheel):
        facts, dynamic = tree.write(member)
        files.append(facts)
        if dynamic is not None:
            elf.append(dynamic)
    manifest = manifest_of(wheel, files, elf)
    describe(root, manifest)
    tree.close()
    return manifest


def describe(root: str, manifest: Manifest) -> None:
    """Write what stands beside the files of an entry. Raises OSError."""
    write_new(f"{root}/{MANIFEST}", encode_manifest(manifest), FILE_MODE)
    write_new(f"{root}/{SOURCES}", render_sources(manifest).encode(), FILE_MODE)
    write_new(f"{root}/{WHEEL_NAME}", f"{manifest.wheel}\n".encode(), FILE_MODE)


class _Tree:
    """A directory being filled: each directory made once, each file opened with its last mode."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._made = {""}
        self._exact: dict[int, bool] = {}
        self._ensure("site-packages")

    def write(self, member: UnpackedMember) -> tuple[FileFacts, ElfFacts | None]:
        """Write one file."""
        self._ensure(member.path.rpartition("/")[0])
        mode = PROGRAM_MODE if member.executable else FILE_MODE
        descriptor = os.open(f"{self._root}/{member.path}", _NEW, mode)
        try:
            unpacked = member.write_to(descriptor)
            self._settle_mode(descriptor, mode)
        finally:
            os.close(descriptor)
        return unpacked.file, unpacked.elf

    def _settle_mode(self, descriptor: int, mode: int) -> None:
        """Give a file exactly ``mode``; asked once whether a umask or an ACL is in the way."""
        exact = self._exact.get(mode)
        if exact is None:
            exact = os.fstat(descriptor).st_mode & 0o7777 == mode
            self._exact[mode] = exact
        if not exact:
            os.fchmod(descriptor, mode)

    def _ensure(self, directory: str) -> None:
        if directory in self._made:
            return
        self._ensure(directory.rpartition("/")[0])
        os.mkdir(f"{self._root}/{directory}", 0o700)
        self._made.add(directory)

    def close(self) -> None:
        """Make every directory read-only."""
        close_directories(self._root, self._made)


def close_directories(root: str, directories: Iterable[str]) -> None:
    """Make directories below ``root`` read-only; ``""`` is ``root`` itself. Raises OSError."""
    for directory in directories:
        os.chmod(f"{root}/{directory}", DIRECTORY_MODE)
