"""Write the files of a wheel into a directory, with the modes they keep."""

import os

from envmgr.files import write_new
from envmgr.store.entry import FILE_MODE, MANIFEST, WHEEL_NAME
from envmgr.store.sources import SOURCES, render_sources
from envmgr.store.tree import Tree
from envmgr.wheel.archive import WheelArchive
from envmgr.wheel.manifest import ElfFacts, FileFacts, Manifest, encode_manifest
from envmgr.wheel.unpack import manifest_of, unpacked_links, unpacked_members


def unpack_into(wheel: WheelArchive, root: str) -> Manifest:
    """Make an entry of ``wheel`` in the empty directory ``root``, read-only throughout.

    Every file is checked against RECORD as it is written. Raises BrokenWheel,
    UnsafeWheel, OSError; what is there then is worth nothing.
    """
    links = unpacked_links(wheel)
    tree = Tree(root)
    files: list[FileFacts] = []
    elf: list[ElfFacts] = []
    for member in unpacked_members(wheel):
        descriptor = tree.open(member.path, executable=member.executable)
        try:
            unpacked = member.write_to(descriptor)
        finally:
            os.close(descriptor)
        files.append(unpacked.file)
        if unpacked.elf is not None:
            elf.append(unpacked.elf)
    for link in links:
        tree.link(link.path, link.text)
    manifest = manifest_of(wheel, files, elf, links)
    describe(root, manifest)
    tree.close()
    return manifest


def describe(root: str, manifest: Manifest) -> None:
    """Write what stands beside the files of an entry. Raises OSError."""
    write_new(f"{root}/{MANIFEST}", encode_manifest(manifest), FILE_MODE)
    write_new(f"{root}/{SOURCES}", render_sources(manifest).encode(), FILE_MODE)
    write_new(f"{root}/{WHEEL_NAME}", f"{manifest.wheel}\n".encode(), FILE_MODE)
