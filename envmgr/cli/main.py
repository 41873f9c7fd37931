"""From a command line to an exit code.

Light at import on purpose: ``envmgr --help`` and ``envmgr run`` are started many
times a day. Nothing here imports a command before it is asked for.
"""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, cast

from envmgr.cli.menu import COMMANDS, INSTEAD, render_help
from envmgr.cli.output import is_coloured, write_err, write_out
from envmgr.cli.session import Session
from envmgr.cli.words import GLOBAL_VALUED, nearest, split_at_word
from envmgr.errors import EnvmgrError, ExitCode, UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from envmgr.cli.parser import CommandParser


class CommandModule(Protocol):
    """What a module below ``envmgr.cli.commands`` offers."""

    USAGE: str
    """What follows the command's name, in short."""
    EXAMPLE: str
    """Whole lines to type."""

    def add_arguments(self, parser: "CommandParser") -> None:
        """Add the command's own arguments."""

    def execute(self, arguments: "Namespace", session: Session) -> int:
        """Do it; returns the exit code. Raises EnvmgrError."""


COLLECT_AFTER = 300_000
"""New objects before the garbage collector looks: a process this short leaves hardly any cycles,
and looking through the tables of a resolution costs a tenth of it (*measured*)."""


def program() -> int:
    """Run the command that this process was started for, and return its exit code."""
    gc.set_threshold(COLLECT_AFTER)
    if os.environ.get("PYTHONPATH"):
        sys.path[:] = own_packages_first(sys.path, os.environ["PYTHONPATH"])
    code = main(sys.argv[1:])
    gc.freeze()  # or the interpreter would look once more through all that ends with it
    return code


def main(words: Sequence[str]) -> int:
    """Run one command and return its exit code; never raises."""
    environ = dict(os.environ)
    try:
        return _dispatch(list(words), environ)
    except EnvmgrError as error:
        return _fail(error, words, environ)
    except KeyboardInterrupt:
        return _interrupted(words)
    except Exception as error:  # noqa: BLE001 - the one place where a bug is told as one
        return _confess(error, words)


def own_packages_first(path: Sequence[str], pythonpath: str) -> list[str]:
    """Return ``path`` with what PYTHONPATH put into it last, so that it hides nothing of ours.

    The directory that envmgr itself came from stays where it is; and what is
    found nowhere else is still found.
    """
    own = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
    try:
        later = {os.path.abspath(entry) for entry in pythonpath.split(os.pathsep)} - {own}  # noqa: PTH100
    except FileNotFoundError:  # a relative entry, and the current directory was removed
        return list(path)
    return [entry for entry in path if entry not in later] + [
        entry for entry in path if entry in later
    ]


def refused_platform(platform: str) -> UsageError | None:
    """Why envmgr does not start on a platform (``sys.platform``), if it does not."""
    if platform in {"win32", "cygwin"}:
        return UsageError("envmgr does not run on Windows; use it inside WSL 2")
    return None


def _dispatch(words: list[str], environ: Mapping[str, str]) -> int:
    refusal = refused_platform(sys.platform)
    if refusal is not None:
        raise refusal
    options, rest = split_at_word(words, GLOBAL_VALUED)
    if not rest:
        return _without_command(options)
    name, *own = rest
    if name not in COMMANDS:
        raise unknown_command(name)
    return _execute(name, [*options, *own], environ)


def _execute(name: str, words: list[str], environ: Mapping[str, str]) -> int:
    from envmgr.cli.parser import CommandParser, HelpWanted

    command = COMMANDS[name]
    # With a fromlist it returns the module itself; importlib is not there yet and need not be.
    found = __import__(f"envmgr.cli.commands.{command.module}", fromlist=["execute"])
    module = cast("CommandModule", found)
    parser = CommandParser(name, command.summary, module.USAGE, module.EXAMPLE)
    module.add_arguments(parser)
    parser.add_global_options()
    try:
        arguments = parser.read(words)
    except HelpWanted as wanted:
        return _show_help(name, wanted.text, as_json=wants_json([name, *words]))
    return module.execute(arguments, _session(name, arguments, environ))


def _session(name: str, arguments: "Namespace", environ: Mapping[str, str]) -> Session:
    return Session(
        command=name,
        environ=environ,
        home=os.path.expanduser("~"),  # noqa: PTH111 - pathlib is not imported for `run -p`
        as_json=arguments.json,
        progress=arguments.progress,
        quiet=arguments.quiet,
        verbose=arguments.verbose,
    )


def _without_command(options: list[str]) -> int:
    if "--version" in options or "-V" in options:
        write_out(_render_version(as_json=wants_json(options)))
        return ExitCode.DONE
    if "-h" in options or "--help" in options:
        return _show_help("help", render_help(), as_json=wants_json(options))
    if options:
        raise UsageError("no command was given", "see `envmgr --help`")
    write_err(render_help())
    return ExitCode.USAGE


def _show_help(command: str, text: str, *, as_json: bool) -> int:
    if as_json:
        from envmgr.cli.document import result_document

        text = result_document(command, {"help": text})
    write_out(text)
    return ExitCode.DONE


def _render_version(*, as_json: bool) -> str:
    from envmgr import __version__

    if not as_json:
        return f"envmgr {__version__}\n"
    from envmgr.cli.document import result_document

    return result_document("version", {"version": __version__})


def unknown_command(name: str) -> UsageError:
    """Say what to do instead of a command that does not exist."""
    if name in INSTEAD:
        return UsageError(f"there is no command {name!r}", INSTEAD[name])
    meant = nearest(name, list(COMMANDS))
    hint = f"did you mean `envmgr {meant}`?" if meant else "see `envmgr --help`"
    return UsageError(f"there is no command {name!r}", hint)


def wants_json(words: Sequence[str]) -> bool:
    """Whether ``--json`` is ours, told from the words alone: the line may be unreadable."""
    options, rest = split_at_word(words, GLOBAL_VALUED)
    if rest[:1] == ["run"]:
        from envmgr.cli.commands.run import VALUED

        return _has_json(options) or _has_json(split_at_word(rest[1:], VALUED).before)
    return _has_json(words)


def _has_json(words: Sequence[str]) -> bool:
    return any(word == "--json" or word.startswith("--json=") for word in words)


def _fail(error: EnvmgrError, words: Sequence[str], environ: Mapping[str, str]) -> int:
    from envmgr.cli.failure import failure_document, render_failure

    if wants_json(words):
        _write_document(failure_document(error))
    else:
        write_err(render_failure(error, coloured=is_coloured(sys.stderr, environ)))
    return error.exit_code


def _interrupted(words: Sequence[str]) -> int:
    if wants_json(words):
        from envmgr.cli.failure import error_document

        _write_document(error_document("Interrupted", ExitCode.INTERRUPTED, "interrupted"))
    return ExitCode.INTERRUPTED


def _confess(error: Exception, words: Sequence[str]) -> int:
    import traceback

    from envmgr import __version__
    from envmgr.cli.failure import error_document

    write_err("".join(traceback.format_exception(error)))
    write_err(f"this is a bug in envmgr {__version__}: please report it, with the lines above\n")
    if wants_json(words):
        name = type(error).__name__
        _write_document(error_document(name, ExitCode.BUG, f"a bug in envmgr: {error}"))
    return ExitCode.BUG


def _write_document(document: dict[str, object]) -> None:
    from envmgr.cli.document import render_json

    try:
        write_out(render_json(document))
    except UsageError as error:
        write_err(f"error: {error}\n")
