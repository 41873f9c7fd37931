"""``envmgr diff``."""

import os
import sys
from argparse import Namespace
from pathlib import Path

from envmgr.cli.configured import settings_of
from envmgr.cli.document import result_document
from envmgr.cli.output import is_coloured, write_err, write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.progress import open_reporter
from envmgr.cli.selection import absolute, current_directory, parse_name
from envmgr.cli.session import Session
from envmgr.errors import ExitCode, UsageError
from envmgr.pipeline.differences import Comparable, OfEnvironment, OfLock
from envmgr.pipeline.types import ByName, ByPrefix

USAGE = "A [B]"
EXAMPLE = """\
envmgr diff climate
envmgr diff climate weather
envmgr diff climate@3
envmgr diff old/pylock.toml pylock.toml"""


def add_arguments(parser: CommandParser) -> None:
    """Add ``diff``'s own arguments."""
    parser.add_argument(
        "first",
        metavar="A",
        help="NAME, or PREFIX (with a slash), either with @N for a generation; or a lock (.toml)",
    )
    parser.add_argument(
        "second",
        nargs="?",
        metavar="B",
        help="the same (default: the lock of an environment, the current one of a generation)",
    )


def execute(arguments: Namespace, session: Session) -> int:
    """Say what the second has that the first has not; exit 1 where they differ."""
    from envmgr.cli.generations import render_difference
    from envmgr.pipeline.differences import compare_sides

    directory = current_directory()
    one = parse_comparable(arguments.first, directory)
    other = parse_comparable(arguments.second, directory) if arguments.second else None
    with open_reporter(session) as report:
        found = compare_sides(one, other, settings_of(session), report)
    if session.as_json:
        write_out(result_document(session.command, found))
    else:
        write_out(render_difference(found, coloured=is_coloured(sys.stdout, session.environ)))
        if found.same and not session.quiet:
            write_err(f"{found.before} and {found.after} are the same\n")
    return ExitCode.DONE if found.same else ExitCode.FINDING


def parse_comparable(text: str, directory: str | None) -> Comparable:
    """Read ``NAME``, ``NAME@3``, ``./PREFIX@3`` or ``pylock.toml``. Raises UsageError."""
    if text.endswith(".toml"):
        return OfLock(Path(absolute(text, directory)))
    name, at, number = text.rpartition("@")
    if at and not (number.isascii() and number.isdecimal() and int(number[:9])):
        raise UsageError(f"{text!r} names no generation", "write NAME@N, as in climate@3")
    which = name if at else text
    if os.sep in which or which in (".", ".."):
        return OfEnvironment(
            ByPrefix(Path(absolute(which, directory))), int(number) if at else None
        )
    return OfEnvironment(ByName(parse_name(which)), int(number) if at else None)
