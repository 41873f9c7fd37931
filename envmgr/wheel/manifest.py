"""What an unpacked wheel holds, computed once, numbered, and recomputable.

Everything that decides about a store entry (layout, substitution, audit,
verification) reads its manifest and never the entry itself. All paths are
relative to the entry, with ``/``: ``site-packages/numpy/__init__.py``,
``data/share/jupyter/kernels.json``, ``scripts/f2py``, ``headers/x.h``.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import msgspec

from envmgr.errors import IntegrityError
from envmgr.names import PackageName

MANIFEST_VERSION = 3
"""Raised whenever a manifest of the same wheel would say something else."""


class FileFacts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One file: path, size in bytes, whether it is executable, sha256 in hex."""

    path: str
    size: int
    executable: bool
    sha256: str


class LinkFacts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One symbolic link (PEP 778). ``text`` is what it says, relative to its own directory."""

    path: str
    text: str

    @property
    def target(self) -> str:
        """The path in the entry that it leads to, another link perhaps."""
        segments = self.path.split("/")[:-1]
        for segment in self.text.split("/"):
            if segment == "..":
                segments = segments[:-1]
            else:
                segments.append(segment)
        return "/".join(segments)


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


class EntryPoint(msgspec.Struct, frozen=True, array_like=True, gc=False):
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
    links: tuple[LinkFacts, ...] = ()
    """Sorted by path; each ends at one of ``files`` or a directory of them."""

    @property
    def files_and_links(self) -> Sequence[FileFacts | LinkFacts]:
        """Everything of the entry that is no directory, sorted by path."""
        if not self.links:
            return self.files
        together: list[FileFacts | LinkFacts] = [*self.files, *self.links]
        return sorted(together, key=lambda each: each.path)


class ManifestUnreadable(IntegrityError):
    """A manifest that is damaged, or of another version than this envmgr writes."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source = source
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.source} cannot be read: {self.reason}"


class _Numbered(msgspec.Struct):
    manifest_version: int


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Manifest)
_NUMBER_DECODER = msgspec.msgpack.Decoder(_Numbered)


def make_manifest(
    *,
    name: PackageName,
    version: str,
    wheel: str,
    root_is_purelib: bool,
    dist_info: str,
    entry_points: tuple[EntryPoint, ...],
    files: Iterable[FileFacts],
    elf: Iterable[ElfFacts],
    links: Iterable[LinkFacts] = (),
) -> Manifest:
    """Put the facts gathered while unpacking into a manifest, in an order of its own."""
    from envmgr.wheel.reach import reaching_directories  # it needs ElfFacts; readers never need it

    ordered = tuple(sorted(files, key=lambda facts: facts.path))
    dynamic = tuple(sorted(elf, key=lambda facts: facts.path))
    linked = tuple(sorted(links, key=lambda facts: facts.path))
    paths = [*(facts.path for facts in ordered), *(facts.path for facts in linked)]
    top_level: set[str] = set()
    parts: set[str] = set()
    for path in paths:
        part, below = path.split("/", 2)[:2]
        if part == "site-packages":
            top_level.add(below)
        else:
            parts.add(part)
    return Manifest(
        name=name,
        version=version,
        wheel=wheel,
        root_is_purelib=root_is_purelib,
        dist_info=dist_info,
        top_level=tuple(sorted(top_level - {dist_info})),
        data=tuple(sorted(parts)),
        entry_points=entry_points,
        elf=dynamic,
        reaching=_with_links(reaching_directories(dynamic, paths), linked),
        files=ordered,
        links=linked,
    )


def _with_links(reaching: tuple[str, ...], links: tuple[LinkFacts, ...]) -> tuple[str, ...]:
    """Add the homes of links to directories that reach out, or that hold some that do.

    Such a link must be the view's own, and lead to the view's own directory.
    """
    ends = link_ends(links)
    homes = {
        path.rpartition("/")[0]
        for path, end in ends.items()
        if any(f"{each}/".startswith(f"{end}/") for each in reaching)
    }
    return tuple(sorted({*reaching, *homes}))


def link_ends(links: Iterable[LinkFacts]) -> dict[str, str]:
    """Map each link to the file or directory that it leads to in the end."""
    targets = {link.path: link.target for link in links}
    ends: dict[str, str] = {}
    for path in targets:
        end, steps = path, 0
        while end in targets and steps <= len(targets):
            end, steps = targets[end], steps + 1
        ends[path] = end
    return ends


def encode_manifest(manifest: Manifest) -> bytes:
    """Write a manifest as msgpack; the same manifest gives the same bytes."""
    return _ENCODER.encode(manifest)


def decode_manifest(data: bytes, source: str = "a manifest") -> Manifest:
    """Read a manifest; ``source`` is what an error calls it. Raises ManifestUnreadable."""
    try:
        number = _NUMBER_DECODER.decode(data).manifest_version
        if number != MANIFEST_VERSION:
            reason = f"it has version {number}, and this envmgr reads {MANIFEST_VERSION}"
            raise ManifestUnreadable(source, reason)
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ManifestUnreadable(source, str(error)) from None
