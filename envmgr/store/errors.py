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


class NoRoomForBytecode(PrefixError):
    """No space, or no inode, or no quota is left for what ``store compile`` adds."""

    def __init__(self, store: Path, version: str, entries: int) -> None:
        super().__init__(store, version, entries)
        self.store = store
        self.version = version
        """The interpreter's, whose bytecode did not fit."""
        self.entries = entries
        """How many lack some of it."""

    def __str__(self) -> str:
        these = "one entry" if self.entries == 1 else f"{self.entries} entries"
        return (
            f"there is no space left in the store {self.store} "
            f"for the bytecode of {these}, for Python {self.version}"
        )

    @property
    def hint(self) -> str:
        """What is there is whole, and need not be done again."""
        return "free space, inodes or quota there, and say it again: what was compiled stays"


def is_full(number: int | None) -> bool:
    """Tell whether an ``errno`` says that no space or quota is left."""
    return number in _FULL


def store_failure(store: Path, wheel: str, error: OSError) -> PrefixError:
    """Say in our words why writing into a store failed."""
    if is_full(error.errno):
        return StoreFull(store, wheel)
    return StoreNotWritable(store, (error.strerror or str(error)).lower())
