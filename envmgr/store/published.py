"""Which entries of a site's store stay: those whose owner says so, or will hear of us.

What keeps an entry there is a root that its owner made, since only the owner collects
it and can be held to that; or one of our own, where the site takes roots and leases
of everybody. Anything else lasts as long as an age that is not ours to renew.
"""

import os
from pathlib import Path

from msgspec import Struct

from envmgr.names import StoreKey
from envmgr.store.entry import Entry
from envmgr.store.leases import LEASES
from envmgr.store.roots import ROOTS, Root, read_roots, standing_of

ROOT_USER = 0


class Published(Struct, frozen=True):
    """The keys that roots at a site name, by the user (uid) who made these roots."""

    keys: dict[int, frozenset[StoreKey]]

    def covers(self, entry: Entry) -> bool:
        """Whether a root of the entry's owner, or of root, reaches it."""
        try:
            owner = entry.path.stat().st_uid
        except OSError:
            return False
        return any(entry.key in self.keys.get(user, ()) for user in (owner, ROOT_USER))


def takes_roots(place: Path) -> bool:
    """Tell whether this user's roots and leases are heard at ``place``, a store's ``v1``."""
    return all(
        os.access(place / name, os.W_OK | os.X_OK) and (place / name).is_dir()
        for name in (ROOTS, LEASES)
    )


def read_published(place: Path, state: str) -> Published:
    """Read the roots that were published at a site; none where they cannot be read.

    ``state`` is the directory in a prefix that is ours. A prefix that is certainly gone
    publishes nothing; one that we may not look into does, as its owner may.
    """
    try:
        roots = [root for root in read_roots(place) if standing_of(root, state) != "gone"]
    except OSError:
        return Published({})
    keys: dict[int, frozenset[StoreKey]] = {}
    for root in roots:
        owner = _owner(root)
        if owner is not None:
            keys[owner] = keys.get(owner, frozenset()) | root.keys
    return Published(keys)


def _owner(root: Root) -> int | None:
    try:
        return root.file.stat().st_uid
    except OSError:
        return None
