"""Which prefixes use a store: a small file for each, below ``STORE/v1/roots``.

A root names the prefix, the host it was made on, and the keys it needed then.
A prefix that can be looked into speaks for itself; for one that cannot (not
mounted here, not readable for this user) its root speaks.
"""

import hashlib
import json
import os
import platform
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from envmgr.files import remove_file, write_atomically
from envmgr.names import StoreKey
from envmgr.store.staging import machine_token

ROOTS = "roots"
UNSEEN_FOR = 30 * 24 * 3600
"""Seconds for which a prefix that cannot be looked into counts, from when it was last used."""

Standing: TypeAlias = Literal["seen", "gone", "unseen"]


class Root(Struct, frozen=True, kw_only=True):
    """One prefix as it registered. ``used`` is when it last did, or ran, in seconds (POSIX)."""

    file: Path
    prefix: Path
    host: str
    device: int | None
    """Of the prefix's parent directory, then."""
    used: float
    keys: frozenset[StoreKey]


def root_file(place: Path, prefix: Path) -> Path:
    """Return where the root of a prefix stands; ``place`` is a store's ``v1``."""
    return place / ROOTS / hashlib.sha256(os.fsencode(prefix)).hexdigest()[:32]


def register_root(place: Path, prefix: Path, keys: Collection[StoreKey]) -> Path:
    """Write the root of a prefix, by one rename; returns its file. Raises OSError."""
    file = root_file(place, prefix)
    file.parent.mkdir(parents=True, exist_ok=True)
    facts = {
        "schema": 1,
        "prefix": os.fspath(prefix),
        "host": platform.node(),
        "machine": machine_token(),
        "uid": os.getuid(),
        "device": prefix.parent.stat().st_dev,
        "registered": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "keys": sorted(keys),
    }
    write_atomically(file, json.dumps(facts).encode() + b"\n")
    return file


def forget_root(place: Path, prefix: Path) -> None:
    """Remove the root of a prefix that was deleted, where this user may."""
    with suppress(OSError):
        remove_file(root_file(place, prefix))


def read_roots(place: Path) -> tuple[Root, ...]:
    """Read all roots, sorted by prefix; what is none is passed over. Raises OSError."""
    try:
        names = os.listdir(place / ROOTS)
    except FileNotFoundError:
        return ()
    found = (_read(place / ROOTS / name) for name in names if not name.endswith(".tmp"))
    return tuple(sorted((root for root in found if root), key=lambda root: root.prefix))


def _read(file: Path) -> Root | None:
    try:
        facts = json.loads(file.read_bytes())
        return Root(
            file=file,
            prefix=Path(facts["prefix"]),
            host=str(facts["host"]),
            device=facts.get("device"),
            used=file.stat().st_mtime,
            keys=frozenset(facts["keys"]),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def standing_of(root: Root, state: str) -> Standing:
    """Tell whether a root's prefix is there: ``state`` is the directory in it that is ours.

    ``gone`` only where that is certain: its parent directory is there, on the same
    file system as before, and this is the host it was made on. A directory on which
    nothing is mounted now, or another host's ``/tmp``, makes it ``unseen``.
    """
    try:
        os.listdir(root.prefix / state)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError:
        return "unseen"
    else:
        return "seen"
    try:
        device = root.prefix.parent.stat().st_dev
    except OSError:
        return "unseen"
    return "gone" if device == root.device and root.host == platform.node() else "unseen"
