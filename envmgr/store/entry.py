"""One entry of a store: an unpacked wheel, read-only, and the facts about it.

::

    entries/<key>/
      site-packages/  data/  scripts/  headers/
      manifest-3.msgpack           what envmgr.wheel.manifest describes
      SOURCES.txt                  the files, for importlib.metadata
      wheel-name                   the wheel's file name: all that its files do not tell
      compiled-<tag>-<magic>       all bytecode of one interpreter is there
"""

from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from envmgr.errors import IntegrityError
from envmgr.files import write_atomically
from envmgr.names import StoreKey
from envmgr.wheel.manifest import (
    MANIFEST_VERSION,
    Manifest,
    ManifestUnreadable,
    decode_manifest,
    encode_manifest,
)

MANIFEST = f"manifest-{MANIFEST_VERSION}.msgpack"
WHEEL_NAME = "wheel-name"
FILE_MODE = 0o444
PROGRAM_MODE = 0o555
DIRECTORY_MODE = 0o555
ATTEMPTS = 20
"""How often a directory is opened for writing anew when another process closes it meanwhile."""


class Entry(Struct, frozen=True):
    """Where an entry stands. That it stands there says that it is whole."""

    key: StoreKey
    path: Path


class EntryDamaged(IntegrityError):
    """An entry whose files or facts cannot be read; ``reason`` is one clause."""

    def __init__(self, entry: Entry, reason: str) -> None:
        super().__init__(entry, reason)
        self.entry = entry
        self.reason = reason

    def __str__(self) -> str:
        return f"the store entry {self.entry.path} is damaged: {self.reason}"

    @property
    def hint(self) -> str:
        """The store can always be filled again."""
        return "run `envmgr store repair`; for an entry of a site's store, its owner has to"


def wheel_of(entry: Entry) -> str:
    """Return the file name of an entry's wheel; its key where it has lost that."""
    try:
        return (entry.path / WHEEL_NAME).read_text("utf-8").strip()
    except (OSError, ValueError):
        return entry.key


def read_manifest(entry: Entry) -> Manifest:
    """Read the facts of an entry; computed again where they are missing, old or unreadable.

    Raises EntryDamaged where the entry itself cannot be read.
    """
    try:
        return decode_manifest((entry.path / MANIFEST).read_bytes())
    except (OSError, ManifestUnreadable):
        return _recompute(entry)


def _recompute(entry: Entry) -> Manifest:
    from envmgr.store.facts import survey_entry

    manifest = survey_entry(entry)
    with suppress(OSError):
        write_into(entry, MANIFEST, encode_manifest(manifest))
    return manifest


def write_into(entry: Entry, name: str, data: bytes) -> None:
    """Put a file directly into a finished entry, which is read-only again afterwards.

    Raises OSError where this user may not.
    """
    path = entry.path
    try:
        for attempt in range(ATTEMPTS):
            path.chmod(0o755)
            try:
                write_atomically(path / name, data, FILE_MODE)
            except PermissionError:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return
    finally:
        with suppress(OSError):
            path.chmod(DIRECTORY_MODE)
