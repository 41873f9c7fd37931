"""A copy of an entry of another store, each file checked against the manifest on its way.

What is checked is the copy itself, as it was written: whatever happens to the other
entry meanwhile, the copy is right or there is none.
"""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from envmgr.errors import IntegrityError
from envmgr.files import remove_file, write_all, write_new
from envmgr.store.bytecode import STAMP
from envmgr.store.entry import FILE_MODE, Entry, EntryDamaged, read_manifest
from envmgr.store.facts import PARTS
from envmgr.store.pyc import CACHE, bytecode_fault
from envmgr.store.tree import Tree
from envmgr.store.unpack import describe
from envmgr.store.verify import links_of, record_disagreements
from envmgr.wheel.central_directory import path_problem
from envmgr.wheel.links import LINKS, InvalidLinks
from envmgr.wheel.manifest import FileFacts, Manifest

PIECE = 1024 * 1024
_SOURCE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OURS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""What only the file system that is written to can say."""


class NotCopied(IntegrityError):
    """An entry of another store that cannot be copied faithfully; ``reason`` is one clause."""

    def __init__(self, entry: Entry, reason: str) -> None:
        super().__init__(entry, reason)
        self.entry = entry
        self.reason = reason

    def __str__(self) -> str:
        return f"the store entry {self.entry.path} cannot be copied: {self.reason}"

    @property
    def hint(self) -> str:
        """The entry is somebody else's."""
        return "tell its owner, whose `envmgr store repair` mends it"


def copy_into(entry: Entry, root: str, stamps: Collection[str] | None = None) -> Manifest:
    """Make a copy of ``entry`` in the empty directory ``root``, read-only throughout.

    Bytecode comes along for the interpreters whose ``stamps`` the entry has, ``None``
    for all of them, where every file of it is envmgr's and of these sources. Raises
    NotCopied, and OSError where ``root`` cannot be written; what is there then is
    worth nothing.
    """
    try:
        manifest = read_manifest(entry)
    except EntryDamaged as error:
        raise NotCopied(entry, error.reason) from error
    _check_paths(entry, manifest)
    tree = Tree(root)
    for facts in manifest.files:
        _copy_file(entry, facts, tree)
    for path in record_disagreements(root, manifest):
        raise NotCopied(entry, f"{path} is not what the wheel's RECORD says")
    _copy_links(entry, manifest, root, tree)
    complete = [
        (stamp, counts)
        for stamp in _stamps(entry, stamps)
        if (counts := _copy_bytecode(entry, manifest, stamp, root, tree)) is not None
    ]
    describe(root, manifest)
    for stamp, counts in complete:
        write_new(f"{root}/{stamp}", json.dumps(counts).encode() + b"\n", FILE_MODE)
    tree.close()
    return manifest


def _check_paths(entry: Entry, manifest: Manifest) -> None:
    """Refuse paths that lead out of an entry: the manifest is somebody else's word."""
    for facts in manifest.files:
        part, _, below = facts.path.partition("/")
        problem = path_problem(facts.path) if part in PARTS and below else "it is in no part"
        if problem:
            raise NotCopied(entry, f"the manifest has {facts.path!r}: {problem}")


def _copy_links(entry: Entry, manifest: Manifest, root: str, tree: Tree) -> None:
    """Make the links that the wheel's own LINKS asks for, by all the rules for wheels.

    The manifest must say the same; it alone would let a link lead anywhere.
    """
    try:
        links = links_of(root, manifest)
    except (OSError, UnicodeDecodeError, InvalidLinks) as error:
        if not manifest.links:
            return  # a file like any other: the wheel was unpacked without links
        raise NotCopied(entry, f"its links cannot be told: {error}") from error
    if sorted(links, key=lambda link: link.path) != [*manifest.links]:
        raise NotCopied(entry, f"the manifest has other links than {LINKS}")
    for link in links:
        tree.link(link.path, link.text)


def _copy_file(entry: Entry, facts: FileFacts, tree: Tree) -> None:
    with _opened(entry, facts.path, facts.size) as source:
        target = tree.open(facts.path, executable=facts.executable)
        try:
            _copy_content(entry, facts, source, target)
            if _hash(target) != facts.sha256:
                raise NotCopied(entry, f"{facts.path} has other contents than its manifest says")
        finally:
            os.close(target)


@contextmanager
def _opened(entry: Entry, path: str, size: int) -> Iterator[int]:
    """Open a file of the entry, which is a plain one of this size. Raises NotCopied."""
    try:
        descriptor = os.open(f"{entry.path}/{path}", _SOURCE)
    except OSError as error:
        raise NotCopied(entry, f"{path}: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotCopied(entry, f"{path} is no file")
        if status.st_size != size:
            raise NotCopied(entry, f"{path} has {status.st_size} bytes instead of {size}")
        yield descriptor
    finally:
        os.close(descriptor)


def _copy_content(entry: Entry, facts: FileFacts, source: int, target: int) -> None:
    """Copy inside the kernel, which shares the blocks where the file system can; else by hand."""
    copied = 0
    try:
        while copied < facts.size:
            count = os.copy_file_range(source, target, facts.size - copied)
            if not count:
                break  # cut short meanwhile: the hash tells
            copied += count
    except OSError as error:
        if error.errno in _OURS:
            raise
        os.lseek(target, copied, os.SEEK_SET)
        _copy_rest(entry, facts, source, target, copied)


def _copy_rest(entry: Entry, facts: FileFacts, source: int, target: int, copied: int) -> None:
    while copied < facts.size:
        try:
            piece = os.pread(source, min(PIECE, facts.size - copied), copied)
        except OSError as error:
            raise NotCopied(entry, f"{facts.path}: {error.strerror}") from error
        if not piece:
            return
        write_all(target, piece)
        copied += len(piece)


def _hash(descriptor: int) -> str:
    digest = hashlib.sha256()
    offset = 0
    while piece := os.pread(descriptor, PIECE, offset):
        digest.update(piece)
        offset += len(piece)
    return digest.hexdigest()


def _stamps(entry: Entry, wanted: Collection[str] | None) -> list[str]:
    """Name the interpreters, by their stamps, for which the entry has all bytecode."""
    try:
        there = [name for name in os.listdir(entry.path) if name.startswith(STAMP)]
    except OSError:
        return []
    return sorted(
        name for name in there if not name.endswith(".tmp") and (wanted is None or name in wanted)
    )


def _copy_bytecode(
    entry: Entry, manifest: Manifest, stamp: str, root: str, tree: Tree
) -> dict[str, int] | None:
    """Copy what there is for one interpreter, and count modules; ``None`` if it is not whole."""
    tag, _, magic = stamp.removeprefix(STAMP).rpartition("-")
    compiled, failed, whole = 0, 0, True
    for facts in manifest.files:
        if not (facts.path.startswith("site-packages/") and facts.path.endswith(".py")):
            continue
        directory, _, name = facts.path.rpartition("/")
        path = f"{directory}/{CACHE}/{name[:-3]}.{tag}.pyc"
        data = _read_bytecode(entry, path)
        if data is None:
            failed += 1  # as it did when it was compiled there
            continue
        _write_bytecode(tree, path, data)
        if data[:4].hex() == magic and bytecode_fault(root, path, facts.path) is None:
            compiled += 1
        else:
            whole = False
            remove_file(f"{root}/{path}")
    return {"compiled": compiled, "failed": failed} if whole else None


def _read_bytecode(entry: Entry, path: str) -> bytes | None:
    """Return what stands there, empty where it cannot be read; ``None`` for nothing."""
    try:
        descriptor = os.open(f"{entry.path}/{path}", _SOURCE)
    except FileNotFoundError:
        return None
    except OSError:
        return b""
    with suppress(OSError), open(descriptor, "rb") as file:
        return file.read()
    return b""


def _write_bytecode(tree: Tree, path: str, data: bytes) -> None:
    descriptor = tree.open(path, executable=False)
    try:
        write_all(descriptor, data)
    finally:
        os.close(descriptor)
