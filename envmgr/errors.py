"""The tree of failures a person can do something about.

    EnvmgrError
    ├── UsageError          2
    ├── DefinitionError     3   environment file, configuration, recipe
    ├── MachineError        4   interpreter or hardware
    ├── IndexFailure        5   an index is unreachable or refuses
    ├── UnsatisfiableError  6
    ├── LockError           7   missing, stale, or not for this machine
    ├── IntegrityError      8
    └── PrefixError         9   prefix or store

A stage raises a subclass of its own that carries fields; ``str()`` makes the
one sentence of them. Anything that is not an ``EnvmgrError`` is a bug.
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process says when it ends."""

    DONE = 0
    FINDING = 1
    USAGE = 2
    DEFINITION = 3
    MACHINE = 4
    INDEX = 5
    UNSATISFIABLE = 6
    LOCK = 7
    INTEGRITY = 8
    PREFIX = 9
    BUG = 70
    PROGRAM_NOT_EXECUTABLE = 126
    """Of ``run``, as POSIX has it for what starts other programs (env, nice, nohup)."""
    PROGRAM_NOT_FOUND = 127
    """The same."""
    INTERRUPTED = 130


class EnvmgrError(Exception):
    """A failure worth one sentence. Anything else is a bug and keeps its traceback."""

    exit_code: ClassVar[ExitCode]

    @property
    def hint(self) -> str | None:
        """What to try next, in the imperative; ``None`` rather than a platitude."""
        return None

    def details(self) -> tuple[str, ...]:
        """Further lines worth printing below the sentence, none by default."""
        return ()


class UsageError(EnvmgrError):
    """The command line asks for something that cannot be."""

    exit_code = ExitCode.USAGE

    def __init__(self, sentence: str, hint: str | None = None) -> None:
        super().__init__(sentence)
        self._hint = hint

    @property
    def hint(self) -> str | None:
        """What to type instead."""
        return self._hint


class DefinitionError(EnvmgrError):
    """An environment file, a configuration or a recipe is wrong."""

    exit_code = ExitCode.DEFINITION


class MachineError(EnvmgrError):
    """No interpreter or hardware that would do."""

    exit_code = ExitCode.MACHINE


class IndexFailure(EnvmgrError):
    """An index could not be asked, or refused; never taken for "no versions"."""

    exit_code = ExitCode.INDEX


class UnsatisfiableError(EnvmgrError):
    """The requirements contradict each other."""

    exit_code = ExitCode.UNSATISFIABLE


class LockError(EnvmgrError):
    """The lock is missing, stale, or not for this machine."""

    exit_code = ExitCode.LOCK


class IntegrityError(EnvmgrError):
    """A file is not what its hash, its RECORD or its format promises."""

    exit_code = ExitCode.INTEGRITY


class PrefixError(EnvmgrError):
    """A prefix or a store is in the way, damaged, or cannot be written."""

    exit_code = ExitCode.PREFIX
