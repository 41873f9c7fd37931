"""What can go wrong between the stages."""

from pathlib import Path

from envmgr.errors import DefinitionError, PrefixError, UsageError
from envmgr.names import GroupName


class NoEnvironmentFile(UsageError):
    """``create`` or ``lock`` without a file, where none of the default names exists."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"there is no environment.yaml in {directory}",
            "name the file: -f FILE",
        )


class UnknownGroup(UsageError):
    """A group that the environment file does not have."""

    def __init__(self, group: GroupName, known: tuple[GroupName, ...], file: Path) -> None:
        self.group = group
        self.known = known
        hint = f"choose among {', '.join(known)}" if known else "list it under `groups` there"
        super().__init__(f"{file} has no group {group!r}", hint)


class NoSuchEnvironment(PrefixError):
    """No environment of that name, or none at that prefix."""

    def __init__(self, wanted: str, near: tuple[str, ...] = ()) -> None:
        super().__init__(wanted, near)
        self.wanted = wanted
        self.near = near

    def __str__(self) -> str:
        return f"there is no environment {self.wanted}"

    @property
    def hint(self) -> str | None:
        """The nearest names, or how to make one."""
        if self.near:
            return f"did you mean {' or '.join(self.near)}?"
        return "see `envmgr list`, or make it: `envmgr create -f FILE`"


class EnvironmentOfAnotherFile(PrefixError):
    """The name or prefix belongs to an environment that another file made."""

    def __init__(self, prefix: Path, theirs: Path, ours: Path) -> None:
        super().__init__(prefix, theirs, ours)
        self.prefix = prefix
        self.theirs = theirs
        self.ours = ours

    def __str__(self) -> str:
        return f"{self.prefix} is the environment of {self.theirs}, not of {self.ours}"

    @property
    def hint(self) -> str:
        """Both ways on."""
        return "choose another name with -n, or delete it first with `envmgr delete`"


class EnvironmentFileGone(DefinitionError):
    """The file that an environment was made from is no longer where it was."""

    def __init__(self, prefix: Path, file: Path, selection: str) -> None:
        super().__init__(prefix, file, selection)
        self.prefix = prefix
        self.file = file
        self.selection = selection

    def __str__(self) -> str:
        return f"the environment at {self.prefix} was made from {self.file}, which is gone"

    @property
    def hint(self) -> str:
        """Where it went, only its owner knows."""
        return f"say where it is now: `envmgr create -f FILE {self.selection}`"


class PythonNotUnderstood(UsageError):
    """``--python`` with something that is neither a version nor a path."""
