"""Bytecode files that envmgr made, told from those that a program left (PEP 552)."""

import _imp
from pathlib import Path

CACHE = "__pycache__"
_HEADER = 16
_UNCHECKED = b"\1\0\0\0"
_SAME_HASH_SINCE = 3495
"""The magic number of Python 3.11, since which sources are hashed as this interpreter does."""


def source_of(path: str) -> str | None:
    """Return the source of ``a/__pycache__/b.cpython-312.pyc``, ``a/b.py``."""
    directory, _, name = path.rpartition("/")
    stem, _, rest = name.partition(".")
    if not rest.endswith(".pyc") or rest.count(".") != 1:
        return None
    return f"{directory.removesuffix(CACHE)}{stem}.py"


def bytecode_fault(root: str, path: str, source: str | None) -> str | None:
    """Say in a clause what is wrong with a bytecode file below ``root``; ``None`` for nothing.

    Without ``source`` only its header is looked at. Raises OSError.
    """
    with open(f"{root}/{path}", "rb") as file:
        header = file.read(_HEADER)
        if len(header) < _HEADER or not file.read(1):
            return "is cut short"
    if header[4:8] != _UNCHECKED:
        return "was compiled by a program"
    magic = int.from_bytes(header[:2], "little")
    if source is None or magic < _SAME_HASH_SINCE:
        return None
    try:
        text = Path(root, source).read_bytes()
    except OSError:
        return None  # the source itself is told of
    made_from = _imp.source_hash(int.from_bytes(header[:4], "little"), text)
    return None if made_from == header[8:] else "was compiled from another source"
