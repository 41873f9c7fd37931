"""``SOURCES.txt``: what lets ``importlib.metadata`` list a package's files without a RECORD.

A view has no RECORD, so that no other installer removes files through its links
(PEP 627). ``importlib.metadata`` then reads SOURCES.txt: a line per file, relative
to ``site-packages``, which it puts between double quotes and reads as CSV.
"""

from collections.abc import Iterator

from envmgr.wheel.manifest import Manifest

SOURCES = "SOURCES.txt"
"""Beside the manifest in every entry, and linked into the view's ``dist-info``."""

_TO_PREFIX = "../../.."
"""From ``lib/pythonX.Y/site-packages`` to the prefix, as RECORD has it."""
_UNRECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s", SOURCES, "INSTALLER")


def render_sources(manifest: Manifest) -> str:
    """List the files that a view has of an entry, as seen from its ``site-packages``.

    Headers are left out: where they stand depends on the interpreter.
    """
    return "".join(f"{line.replace(chr(34), chr(34) * 2)}\n" for line in _lines(manifest))


def _lines(manifest: Manifest) -> Iterator[str]:
    info = f"site-packages/{manifest.dist_info}/"
    unrecorded = {info + name for name in _UNRECORDED}
    for file in manifest.files_and_links:
        part, _, rest = file.path.partition("/")
        if "\n" in rest or "\r" in rest or file.path in unrecorded:
            continue
        if part == "site-packages":
            yield rest
        elif part == "data":
            yield f"{_TO_PREFIX}/{rest}"
        elif part == "scripts":
            yield f"{_TO_PREFIX}/bin/{rest}"
    for name in ("INSTALLER", SOURCES):
        yield f"{manifest.dist_info}/{name}"
    for point in manifest.entry_points:
        if point.group in ("console_scripts", "gui_scripts"):
            yield f"{_TO_PREFIX}/bin/{point.name}"
