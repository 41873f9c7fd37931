"""Entries that are to be replaced: they stay in their places until what replaces them is whole.

A note of it is an empty file among the entries, by the name of its maker, so that it is
swept like a staging directory when that process is gone.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from envmgr.files import remove_file, remove_tree, write_new
from envmgr.store.entry import Entry
from envmgr.store.staging import PREFIX, make_staging, staging_name


@contextmanager
def condemned(entry: Entry) -> Iterator[None]:
    """Let an entry give way to one that is made while the block runs. Raises OSError."""
    note = f"{entry.path.parent}/{staging_name()}.{entry.key}"
    write_new(note, b"")
    try:
        yield
    finally:
        with suppress(OSError):
            remove_file(note)


def is_condemned(entry: Entry) -> bool:
    """Whether somebody noted that an entry is to be replaced."""
    return any(_notes(entry))


def replace_entry(entry: Entry, staging: str) -> None:
    """Put what was made in a staging directory in the place of an entry, by two renames.

    Notes on the entry go: it was the last one that they are about. Raises OSError.
    """
    aside = make_staging(os.fspath(entry.path.parent))
    try:
        with suppress(FileNotFoundError):
            entry.path.rename(aside)
        os.rename(staging, entry.path)  # noqa: PTH104 - a string
        for note in _notes(entry):
            remove_file(note)
    finally:
        with suppress(OSError):
            remove_tree(aside)


def _notes(entry: Entry) -> Iterator[str]:
    for name in os.listdir(entry.path.parent):
        if name.startswith(PREFIX) and name.endswith(f".{entry.key}"):
            yield f"{entry.path.parent}/{name}"
