"""Why a store could not take a wheel."""

import errno
from pathlib import Path

from envmgr.errors import PrefixError

_FULL = {errno.ENOSPC, errno.EDQUOT}


class StoreNotWritable(PrefixError):
    """The store that new entries go to cannot be written; ``reason`` is one clause."""

    def __init__(self, store: Path, reason: str) -> None:
        super().__init__(store, reason)
        self.store = store
        self.reason = reason

    def __str__(self) -> str:
        return f"the store {self.store} cannot be written: {self.reason}"

    @property
    def hint(self) -> str:
        """A store of one's own is always possible."""
        return "set ENVMGR_HOME to a directory of yours, or make that one writable for you"


class StoreUnreadable(PrefixError):
    """What stands in a store cannot be read by this user; ``reason`` is one clause."""

    def __init__(self, store: Path, reason: str) -> None:
        super().__init__(store, reason)
        self.store = store
        self.reason = reason

    def __str__(self) -> str:
        return f"the store {self.store} cannot be read: {self.reason}"

    @property
    def hint(self) -> str:
        """Only its owner can change that."""
        return "ask its owner to make entries, roots and leases readable for you"


class StoreFull(PrefixError):
    """No space, or no inode, or no quota is left where the store lies."""

    def __init__(self, store: Path, wheel: str) -> None:
        super().__init__(store, wheel)
        self.store = store
        self.wheel = wheel

    def __str__(self) -> str:
        return f"there is no space left in the store {self.store} to unpack {self.wheel}"

    @property
    def hint(self) -> str:
        """Both ways on."""
        return "free space, inodes or quota there, or set ENVMGR_HOME to a larger file system"


def store_failure(store: Path, wheel: str, error: OSError) -> PrefixError:
    """Say in our words why writing into a store failed."""
    if error.errno in _FULL:
        return StoreFull(store, wheel)
    return StoreNotWritable(store, (error.strerror or str(error)).lower())
