"""``envmgr rollback``."""

import sys
from argparse import Namespace

from envmgr.cli.configured import settings_of
from envmgr.cli.document import result_document
from envmgr.cli.output import is_coloured, write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.progress import open_reporter
from envmgr.cli.selection import add_selection, current_directory, require_selection
from envmgr.cli.session import Session
from envmgr.errors import ExitCode, UsageError

USAGE = "(NAME | -n NAME | -p PREFIX) [N]"
EXAMPLE = """\
envmgr rollback climate
envmgr rollback climate 3
envmgr rollback -p ./env 3"""


def add_arguments(parser: CommandParser) -> None:
    """Add ``rollback``'s own arguments."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="NAME, N",
        help="the environment, and the number of a generation as `envmgr history` "
        "shows it (default: the one before the current)",
    )
    add_selection(parser, positional=False)


def execute(arguments: Namespace, session: Session) -> int:
    """Make an earlier generation the current one."""
    from envmgr.cli.generations import render_rolled_back
    from envmgr.pipeline.generations import rollback

    number = take_number(arguments)
    selector = require_selection(arguments, current_directory())
    with open_reporter(session) as report:
        done = rollback(selector, number, settings_of(session), report)
    if session.as_json:
        write_out(result_document(session.command, done))
    elif not session.quiet:
        coloured = is_coloured(sys.stdout, session.environ)
        write_out(render_rolled_back(done, verbose=session.verbose, coloured=coloured))
    return ExitCode.DONE


def take_number(arguments: Namespace) -> int | None:
    """Tell the number of a generation from the name before it. Raises UsageError."""
    words = list(arguments.words)
    if words and arguments.name is None and arguments.prefix is None:
        arguments.bare_name = words.pop(0)
    if len(words) > 1:
        raise UsageError("one generation at a time", "give its number alone")
    if not words:
        return None
    text = words[0]
    if not (text.isascii() and text.isdecimal() and int(text[:9]) > 0):
        raise UsageError(
            f"{text!r} is no number of a generation", "see `envmgr history` for the numbers"
        )
    return int(text)
