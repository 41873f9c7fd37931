"""A directory that becomes an entry: files with the modes they keep, read-only in the end.

Paths are strings here: thirty thousand files pass by.
"""
# ruff: noqa: PTH101, PTH102

import os
from collections.abc import Iterable

from envmgr.store.entry import DIRECTORY_MODE, FILE_MODE, PROGRAM_MODE

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Tree:
    """A directory being filled: each directory made once, each file opened with its last mode."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._made = {""}
        self._exact: dict[int, bool] = {}
        self.ensure("site-packages")

    def open(self, path: str, *, executable: bool) -> int:
        """Make a file, relative to the entry, and return it open for reading and writing."""
        self.ensure(path.rpartition("/")[0])
        mode = PROGRAM_MODE if executable else FILE_MODE
        descriptor = os.open(f"{self._root}/{path}", _NEW, mode)
        try:
            self._settle_mode(descriptor, mode)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link, once all files are there: none is written through one."""
        self.ensure(path.rpartition("/")[0])
        os.symlink(target, f"{self._root}/{path}")

    def _settle_mode(self, descriptor: int, mode: int) -> None:
        """Give a file exactly ``mode``; asked once whether a umask or an ACL is in the way."""
        exact = self._exact.get(mode)
        if exact is None:
            exact = os.fstat(descriptor).st_mode & 0o7777 == mode
            self._exact[mode] = exact
        if not exact:
            os.fchmod(descriptor, mode)

    def ensure(self, directory: str) -> None:
        """Make a directory, relative to the entry, and those above it."""
        if directory in self._made:
            return
        self.ensure(directory.rpartition("/")[0])
        os.mkdir(f"{self._root}/{directory}", 0o700)
        self._made.add(directory)

    def close(self) -> None:
        """Make every directory read-only."""
        close_directories(self._root, self._made)


def close_directories(root: str, directories: Iterable[str]) -> None:
    """Make directories below ``root`` read-only; ``""`` is ``root`` itself. Raises OSError."""
    for directory in directories:
        os.chmod(f"{root}/{directory}", DIRECTORY_MODE)
