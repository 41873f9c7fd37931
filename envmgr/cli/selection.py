"""Which environment a command line means. Light: ``run`` and ``prefix`` import it."""

import os
from argparse import Namespace
from typing import TYPE_CHECKING

from envmgr.errors import UsageError

if TYPE_CHECKING:
    from envmgr.cli.parser import CommandParser
    from envmgr.names import EnvironmentName
    from envmgr.pipeline.selectors import Selector


def add_selection(
    parser: "CommandParser", *, positional: bool, name_help: str = "its name"
) -> None:
    """Add ``-n`` and ``-p``, and a bare NAME where ``positional``."""
    group = parser.add_argument_group("the environment")
    if positional:
        group.add_argument("bare_name", nargs="?", metavar="NAME", help=name_help)
    group.add_argument("-n", "--name", metavar="NAME", help=name_help)
    group.add_argument(
        "-p", "--prefix", metavar="PREFIX", help="its directory, for one that has no name"
    )


def parse_selection(arguments: Namespace, directory: str | None) -> "Selector | None":
    """Return what ``-n``, ``-p`` or a bare NAME select; ``None`` where none was given.

    ``directory`` is what a relative PREFIX stands against, ``None`` if there is nothing.
    Raises UsageError.
    """
    from pathlib import Path

    from envmgr.pipeline.selectors import ByName, ByPrefix

    bare = getattr(arguments, "bare_name", None)
    given = [text for text in (bare, arguments.name, arguments.prefix) if text is not None]
    if len(given) > 1:
        raise UsageError("one environment at a time", "give its name, or -p PREFIX")
    if not given:
        return None
    if arguments.prefix is not None:
        return ByPrefix(Path(absolute(arguments.prefix, directory)))
    return ByName(parse_name(given[0]))


def require_selection(arguments: Namespace, directory: str | None) -> "Selector":
    """Return the same where a command cannot do without. Raises UsageError."""
    selector = parse_selection(arguments, directory)
    if selector is None:
        raise UsageError(
            "no environment was named", "give its name, or -p PREFIX; `envmgr list` shows all"
        )
    return selector


def parse_name(text: str) -> "EnvironmentName":
    """Check an environment's name. Raises UsageError."""
    from envmgr.names import InvalidName, environment_name

    try:
        return environment_name(text)
    except InvalidName as error:
        hint = f"for a directory: -p {text}" if "/" in text else None
        raise UsageError(str(error), hint) from error


def absolute(text: str, directory: str | None) -> str:
    """``text`` as an absolute path, ``.`` and ``..`` removed, links kept. Raises UsageError."""
    if not text:
        raise UsageError("an empty path names nothing")
    if os.path.isabs(text):  # noqa: PTH117 - pathlib is not imported for `run -p`
        return os.path.normpath(text)
    if directory is None:
        raise UsageError("the current directory does not exist any more", "change to another one")
    return os.path.normpath(os.path.join(directory, text))


def current_directory() -> str | None:
    """Where the person stands; ``None`` where that directory was removed or is hidden."""
    try:
        return os.getcwd()  # noqa: PTH109 - pathlib is not imported for `run -n`
    except OSError:
        return None
