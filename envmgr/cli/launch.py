"""What a program of an environment is started with. Light: ``run`` imports it.

Pure but for ``find_program``, which looks at the directories of PATH.
"""

import errno
import os
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from envmgr.errors import EnvmgrError, ExitCode


class Launch(NamedTuple):
    """A program, ready to replace this process."""

    path: str
    arguments: list[str]
    """The program's own name first, as it was typed."""
    environ: Mapping[str, str]


class ProgramNotFound(EnvmgrError):
    """``run`` was given a program that is neither in the environment nor on PATH."""

    exit_code = ExitCode.PROGRAM_NOT_FOUND

    def __init__(self, program: str, prefix: str, near: str | None = None) -> None:
        super().__init__(program, prefix, near)
        self.program = program
        self.prefix = prefix
        self.near = near

    def __str__(self) -> str:
        if "/" in self.program:
            return f"there is no program {self.program}"
        return f"there is no program {self.program!r} in {self.prefix}, nor on PATH"

    @property
    def hint(self) -> str | None:
        """The nearest program of the environment."""
        return f"did you mean {self.near}?" if self.near else None


class ProgramNotExecutable(EnvmgrError):
    """``run`` found a file that the system does not start."""

    exit_code = ExitCode.PROGRAM_NOT_EXECUTABLE

    def __init__(self, path: str, reason: str, advice: str | None = None) -> None:
        super().__init__(path, reason, advice)
        self.path = path
        self.reason = reason
        self._advice = advice

    def __str__(self) -> str:
        return f"{self.path} cannot be started: {self.reason}"

    @property
    def hint(self) -> str | None:
        """What to do, where that is known."""
        return self._advice


def environ_within(
    environ: Mapping[str, str], prefix: str, generation: str, variables: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables of a program that runs in ``generation`` of ``prefix``.

    The generation's ``bin`` comes first, so that a program keeps the generation it
    started with. Of the environment's ``variables`` those the person set stay theirs.
    """
    path = environ.get("PATH", os.defpath)
    own = f"{generation}/bin"
    inside = {
        **variables,
        **environ,
        "PATH": f"{own}{os.pathsep}{path}" if path else own,
        "VIRTUAL_ENV": generation,
        "ENVMGR_PREFIX": prefix,
    }
    inside.pop("PYTHONHOME", None)
    return inside


def find_program(program: str, prefix: str, path: str) -> str:
    """Return the file that ``program`` names, by PATH as execvp(3) does unless it has a slash.

    The first directory is the environment's own: a program that it has lost is not looked
    for elsewhere. Raises ProgramNotFound, ProgramNotExecutable.
    """
    if not program:
        raise ProgramNotFound("", prefix)
    if "/" in program:
        if not os.path.lexists(program):
            raise ProgramNotFound(program, prefix)
        return program
    forbidden = None
    for position, directory in enumerate(path.split(os.pathsep)):
        candidate = os.path.join(directory or ".", program)
        if not os.path.isfile(candidate):  # noqa: PTH113 - pathlib is not imported for `run`
            if position == 0 and os.path.islink(candidate):  # noqa: PTH114 - the same
                gone = os.path.realpath(candidate)
                raise ProgramNotExecutable(
                    candidate,
                    f"it leads to {gone}, which is gone",
                    f"see `envmgr doctor -p {prefix}`",
                )
            continue
        if os.access(candidate, os.X_OK):
            return candidate
        forbidden = candidate
    if forbidden is not None:
        raise ProgramNotExecutable(forbidden, "it is not executable")
    raise ProgramNotFound(program, prefix, _nearest_program(program, path))


def _nearest_program(program: str, path: str) -> str | None:
    from envmgr.cli.words import nearest

    try:
        names = os.listdir(path.partition(os.pathsep)[0])
    except OSError:
        return None
    return nearest(program, names)


def replace_process(launch: Launch) -> NoReturn:
    """Become the program; a script without ``#!`` is the shell's, as execvp(3) has it.

    Returns only by raising ProgramNotExecutable.
    """
    _restore_signals()
    try:
        try:
            os.execve(launch.path, launch.arguments, dict(launch.environ))  # noqa: S606
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            words = ["sh", launch.path, *launch.arguments[1:]]
            os.execve("/bin/sh", words, dict(launch.environ))  # noqa: S606
    except OSError as error:
        raise ProgramNotExecutable(launch.path, error.strerror or str(error)) from error
    except ValueError as error:
        raise ProgramNotExecutable(launch.path, str(error)) from error


def _restore_signals() -> None:
    """Python ignores these, and what is ignored stays ignored in the program."""
    import signal

    for name in ("SIGPIPE", "SIGXFSZ"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
