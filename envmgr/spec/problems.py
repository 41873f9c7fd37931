"""What is wrong with a file, where it stands, and what to do; all of it at once."""

from dataclasses import dataclass
from pathlib import Path

from envmgr.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file; both count from 1, the column in characters."""

    line: int
    column: int


START = Place(1, 1)
"""Where problems of a file as a whole stand."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. ``message`` says what is wrong, ``hint`` what to do, in the imperative."""

    file: Path
    line: int
    column: int
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{hint}"


class Findings:
    """Collects the problems of one file while it is read."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._mistakes: list[Problem] = []
        self._unsupported: list[Problem] = []

    def add(self, at: Place, message: str, hint: str | None = None) -> None:
        """Keep a mistake."""
        self._mistakes.append(Problem(self.file, at.line, at.column, message, hint))

    def unsupported(self, at: Place, what: str, hint: str | None = None) -> None:
        """Keep that the file uses something which is right and not built yet."""
        message = f"{what} is not supported yet"
        problem = Problem(self.file, at.line, at.column, message, hint or _NO_EFFECT)
        self._unsupported.append(problem)

    @property
    def mistakes(self) -> tuple[Problem, ...]:
        """What no version of envmgr would take, in the order of the file."""
        return _in_order(self._mistakes)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything, in the order of the file, each once."""
        return _in_order(self._mistakes + self._unsupported)


_NO_EFFECT = "remove it: this envmgr would not act on it"


def _in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda problem: (problem.line, problem.column)))


class _FileInvalid(DefinitionError):
    """A file with one problem or more."""

    def __init__(self, file: Path, problems: tuple[Problem, ...]) -> None:
        super().__init__(file, problems)
        self.file = file
        self.problems = problems

    def __str__(self) -> str:
        count = len(self.problems)
        return f"{self.file} has {count} problem{'' if count == 1 else 's'}"

    def details(self) -> tuple[str, ...]:
        """One line for each problem: ``file:line:column: message (hint)``."""
        return tuple(map(str, self.problems))


class EnvironmentFileInvalid(_FileInvalid):
    """An environment file that cannot be taken as it is."""


class ConfigurationInvalid(_FileInvalid):
    """A ``config.yaml`` that cannot be taken as it is."""


class RecipeInvalid(_FileInvalid):
    """A data file that envmgr comes with, or one in its place, that cannot be taken as it is."""


class FileUnreadable(DefinitionError):
    """An environment file or a configuration that cannot be read at all."""

    def __init__(self, file: Path, reason: str, hint: str | None = None) -> None:
        super().__init__(file, reason, hint)
        self.file = file
        self.reason = reason
        self._hint = hint

    def __str__(self) -> str:
        return f"{self.file} cannot be read: {self.reason}"

    @property
    def hint(self) -> str | None:
        """What to try next."""
        return self._hint


class VariableInvalid(DefinitionError):
    """One of the ``ENVMGR_*`` or ``XDG_*`` variables holds what it must not."""

    def __init__(self, variable: str, reason: str, hint: str | None = None) -> None:
        super().__init__(variable, reason, hint)
        self.variable = variable
        self.reason = reason
        self._hint = hint

    def __str__(self) -> str:
        return f"the variable {self.variable} {self.reason}"

    @property
    def hint(self) -> str | None:
        """What to set instead."""
        return self._hint
