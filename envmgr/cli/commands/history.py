"""``envmgr history``."""

import sys
from argparse import Namespace

from envmgr.cli.configured import settings_of
from envmgr.cli.document import result_document
from envmgr.cli.output import is_coloured, write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.selection import add_selection, current_directory, require_selection
from envmgr.cli.session import Session
from envmgr.errors import ExitCode

USAGE = "(NAME | -n NAME | -p PREFIX)"
EXAMPLE = """\
envmgr history climate"""


def add_arguments(parser: CommandParser) -> None:
    """Add ``history``'s own arguments."""
    add_selection(parser, positional=True)


def execute(arguments: Namespace, session: Session) -> int:
    """List the generations that an environment keeps, newest first."""
    from envmgr.cli.generations import render_history
    from envmgr.pipeline.generations import list_history

    selector = require_selection(arguments, current_directory())
    generations = list_history(selector, settings_of(session))
    if session.as_json:
        write_out(result_document(session.command, {"generations": generations}))
    else:
        coloured = is_coloured(sys.stdout, session.environ)
        write_out(render_history(generations, verbose=session.verbose, coloured=coloured))
    return ExitCode.DONE
