"""A view as the loader meets it: what its paths lead to, and whose that is."""

import mmap
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from envmgr.audit.static import ViewLibrary
from envmgr.audit.types import Found, Identity, Owner
from envmgr.names import PackageName
from envmgr.wheel.elf import parse_elf
from envmgr.wheel.manifest import ElfFacts, Manifest

_CONFIGURED = "/etc/ld.so.conf"
_DEPTH = 4
"""How deep ``include`` of ``ld.so.conf`` is followed."""


class ViewedEntry(NamedTuple):
    """A package of the view: its entry's directory, absolute, and its manifest."""

    root: str
    manifest: Manifest


class ViewFiles:
    """Answers what a path leads to; each path is looked at once."""

    def __init__(self, generation: Path, entries: Iterable[ViewedEntry], stores: Iterable[Path]):
        self.generation = os.fspath(generation)
        self.prefix = os.fspath(generation.parents[2])
        self.site = next(
            (f"{path.relative_to(generation)}" for path in generation.glob("lib/*/site-packages")),
            "",
        )
        self.entries = tuple(entries)
        self._ours = tuple(
            f"{os.path.realpath(each)}/" for each in (*stores, generation.parents[2])
        )
        self._known: dict[str, Found | None] = {}
        self._directories: dict[str, str | None] = {}
        self._facts: dict[Identity, ElfFacts] = {}
        self._owners: dict[Identity, PackageName] = {}
        for root, manifest in self.entries:
            for facts in manifest.elf:
                identity = _identity(f"{root}/{facts.path}")
                if identity is not None:
                    self._facts[identity] = facts
                    self._owners.setdefault(identity, manifest.name)

    def lookup(self, path: str) -> Found | None:
        """Look at the regular file that a path leads to; ``None`` where there is none."""
        if path not in self._known:
            identity = _identity(path)
            self._known[path] = (
                None
                if identity is None
                else Found(identity, os.path.realpath(path), self._facts_of(identity, path))
            )
        return self._known[path]

    def _facts_of(self, identity: Identity, path: str) -> ElfFacts | None:
        if identity not in self._facts:
            facts = read_elf(path)
            if facts is None:
                return None
            self._facts[identity] = facts
        return self._facts[identity]

    def real_directory(self, path: str) -> str | None:
        """Follow every link of a directory; ``None`` where there is none."""
        if path not in self._directories:
            real = os.path.realpath(path)
            self._directories[path] = real if os.path.isdir(real) else None  # noqa: PTH112
        return self._directories[path]

    def owner_of(self, found: Found) -> Owner:
        """Tell whose file it is."""
        package = self._owners.get(found.identity)
        if package is not None:
            return Owner("package", package)
        return Owner("envmgr" if found.real.startswith(self._ours) else "system")

    def place_of(self, path: str) -> str | None:
        """Return where a file of an entry stands in the view, relative; ``None`` for headers."""
        part, _, below = path.partition("/")
        match part:
            case "site-packages":
                return f"{self.site}/{below}"
            case "data":
                return below
            case "scripts":
                return f"bin/{below}"
        return None

    def libraries(self) -> Iterator[ViewLibrary]:
        """Yield what stands in the view where a package has a dynamic ELF file."""
        for _, manifest in self.entries:
            for facts in manifest.elf:
                place = self.place_of(facts.path)
                if place is None:
                    continue
                path = f"{self.generation}/{place}"
                found = self.lookup(path)
                if found is not None and found.facts is not None:
                    yield ViewLibrary(manifest.name, path, found)

    def shared_names(self) -> tuple[str, ...]:
        """Name the libraries that stand directly in the prefix's ``lib``."""
        try:
            names = os.listdir(f"{self.generation}/lib")
        except OSError:
            return ()
        return tuple(sorted(name for name in names if ".so" in name))

    def shown(self, path: str) -> str:
        """Return a path relative to the prefix where it is below it."""
        plain = os.path.normpath(path)
        return plain.removeprefix(f"{self.generation}/").removeprefix(f"{self.prefix}/")

    def whole(self, shown: str) -> str:
        """Return the absolute path of one that is shown."""
        return shown if shown.startswith("/") else f"{self.generation}/{shown}"

    def real(self, path: str) -> str:
        """Follow every link of a path."""
        return os.path.realpath(path)


def _identity(path: str) -> Identity | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - many of them
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return Identity(status.st_dev, status.st_ino)


def read_elf(path: str) -> ElfFacts | None:
    """Read the dynamic section of a file; ``None`` where it has none, or cannot be read."""
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as content:
            return parse_elf(content, path)
    except (OSError, ValueError):
        return None


def read_head(path: str) -> bytes:
    """Read the first bytes of a file; none where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(64)
    except OSError:
        return b""


def read_system_directories(machine: str) -> tuple[str, ...]:
    """Name the directories that the system's loader searches: ``ld.so.conf``, then the usual."""
    usual = (f"/lib/{machine}-linux-gnu", f"/usr/lib/{machine}-linux-gnu")
    plain = ("/lib64", "/usr/lib64", "/lib", "/usr/lib")
    return tuple(dict.fromkeys((*_configured(Path(_CONFIGURED), _DEPTH), *usual, *plain)))


def _configured(file: Path, depth: int) -> Iterator[str]:
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        text = line.partition("#")[0].strip()
        if text.startswith("include ") and depth:
            for pattern in text.split()[1:]:
                below = pattern.removeprefix("/") if pattern.startswith("/") else None
                base = Path("/") if below is not None else file.parent
                for found in sorted(base.glob(below or pattern)):
                    yield from _configured(found, depth - 1)
        elif text.startswith("/"):
            yield text
