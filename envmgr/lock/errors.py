"""What can be wrong with a lock; all of it is exit 7."""

from pathlib import Path

from envmgr.errors import LockError


class LockMissing(LockError):
    """There is no lock where one is wanted."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"there is no lock at {self.path}"

    @property
    def hint(self) -> str:
        """How to get one."""
        return "run `envmgr lock`, or leave out --locked and --frozen"


class LockStale(LockError):
    """The environment file says something else than the lock was made from."""

    def __init__(self, path: Path, reasons: tuple[str, ...]) -> None:
        super().__init__(path, reasons)
        self.path = path
        self.reasons = reasons

    def __str__(self) -> str:
        return f"{self.path} is stale: {_joined(self.reasons)}"

    @property
    def hint(self) -> str:
        """How to go on."""
        return "run `envmgr lock`, or use the lock as it is with --frozen"

    def details(self) -> tuple[str, ...]:
        """Every reason, where the sentence has room for some only."""
        return _rest(self.reasons)


class LockForeign(LockError):
    """The lock was made by another tool, so nothing ties it to the environment file."""

    def __init__(self, path: Path, created_by: str) -> None:
        super().__init__(path, created_by)
        self.path = path
        self.created_by = created_by

    def __str__(self) -> str:
        return f"{self.path} was made by {self.created_by} and is not overwritten"

    @property
    def hint(self) -> str:
        """How to go on."""
        return "use it as it is with --frozen, or name another lock with --lock"


class LockUnfit(LockError):
    """The lock was made for something else than the target."""

    def __init__(self, path: Path, reasons: tuple[str, ...]) -> None:
        super().__init__(path, reasons)
        self.path = path
        self.reasons = reasons

    def __str__(self) -> str:
        return f"{self.path} is not for this machine: {_joined(self.reasons)}"

    @property
    def hint(self) -> str:
        """How to go on."""
        return (
            "choose a fitting interpreter with --python, make a second lock with --lock, "
            "or make this one anew for here by `envmgr lock` with the same -f and --python"
        )

    def details(self) -> tuple[str, ...]:
        """Every reason, where the sentence has room for some only."""
        return _rest(self.reasons)


class LockUnreadable(LockError):
    """A lock that breaks the rules of PEP 751, or those of envmgr.

    ``where`` is the key, ``packages[3].wheels[0].hashes``, or empty for the
    whole file; ``reason`` is one clause.
    """

    def __init__(self, path: Path, where: str, reason: str, hint: str | None = None) -> None:
        super().__init__(path, where, reason, hint)
        self.path = path
        self.where = where
        self.reason = reason
        self._hint = hint

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        return f"{self.path} cannot be used: {where}{self.reason}"

    @property
    def hint(self) -> str | None:
        """How to go on, where that is known."""
        return self._hint


class LockNotWritable(LockError):
    """The lock was made and cannot be put where it belongs; ``reason`` is one clause."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"the lock {self.path} cannot be written: {self.reason}"

    @property
    def hint(self) -> str:
        """Where to go instead."""
        return "name another place with --lock PATH"


class UnknownGroup(LockError):
    """A group was asked for that the lock does not have."""

    def __init__(self, unknown: tuple[str, ...], known: tuple[str, ...]) -> None:
        super().__init__(unknown, known)
        self.unknown = unknown
        self.known = known

    def __str__(self) -> str:
        has = f"it has {', '.join(self.known)}" if self.known else "it has none"
        return f"the lock has no group {', '.join(self.unknown)}; {has}"


_SHOWN = 3


def _joined(reasons: tuple[str, ...]) -> str:
    shown = "; ".join(reasons[:_SHOWN])
    hidden = len(reasons) - _SHOWN
    return f"{shown}; and {hidden} more" if hidden > 0 else shown


def _rest(reasons: tuple[str, ...]) -> tuple[str, ...]:
    return reasons if len(reasons) > _SHOWN else ()
