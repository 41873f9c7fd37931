"""What an unpacked wheel holds, computed once, numbered, and recomputable.

Everything that decides about a store entry (layout, substitution, audit,
verification) reads its manifest and never the entry itself. All paths are
relative to the entry, with ``/``: ``site-packages/numpy/__init__.py``,
``data/share/jupyter/kernels.json``, ``scripts/f2py``, ``headers/x.h``.
"""

from typing import ClassVar

import msgspec

from envmgr.names import PackageName

MANIFEST_VERSION = 1
"""Raised whenever a manifest of the same wheel would say something else."""


class FileFacts(msgspec.Struct, frozen=True, array_like=True):
    """One file: path, size in bytes, whether it is executable, sha256 in hex."""

    path: str
    size: int
    executable: bool
    sha256: str


class ElfFacts(msgspec.Struct, frozen=True, array_like=True):
    """The dynamic section of one ELF file (gABI chapter 5; ``DT_VERNEED``, ``DT_VERDEF``).

    ``needed_versions`` maps a needed library to the symbol versions wanted of
    it; ``defined_versions`` are the versions this file provides.
    """

    path: str
    machine: str
    """``x86_64``, ``aarch64``, ``i686``, ... or ``e_machine`` as ``0x..``."""
    bits: int
    """32 or 64."""
    soname: str | None
    needed: tuple[str, ...]
    rpath: tuple[str, ...]
    runpath: tuple[str, ...]
    needed_versions: dict[str, tuple[str, ...]]
    defined_versions: tuple[str, ...]


class EntryPoint(msgspec.Struct, frozen=True, array_like=True):
    """One entry point (entry points specification): ``group``, ``name``, ``module:attr``."""

    group: str
    name: str
    value: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one entry. ``files`` is sorted by path."""

    current: ClassVar[int] = MANIFEST_VERSION

    manifest_version: int = MANIFEST_VERSION
    name: PackageName
    version: str
    wheel: str
    """The wheel's file name, which holds its tags and label."""
    root_is_purelib: bool
    dist_info: str
    """Name of the ``.dist-info`` directory inside ``site-packages``."""
    top_level: tuple[str, ...]
    """What stands directly in ``site-packages``, without ``dist_info``; sorted."""
    data: tuple[str, ...]
    """Which of ``data``, ``headers``, ``scripts`` exist beside ``site-packages``; sorted."""
    entry_points: tuple[EntryPoint, ...]
    elf: tuple[ElfFacts, ...]
    reaching: tuple[str, ...]
    """Directories that hold an ELF file whose ``$ORIGIN`` search path leaves this entry; sorted."""
    files: tuple[FileFacts, ...]
