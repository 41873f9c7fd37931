"""``envmgr config show``."""

from argparse import Namespace

from envmgr.cli.configured import settings_of
from envmgr.cli.output import write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.session import Session
from envmgr.errors import ExitCode

USAGE = "show"
EXAMPLE = """\
envmgr config show"""


def add_arguments(parser: CommandParser) -> None:
    """Add the one thing to do with settings."""
    parser.add_argument("action", choices=["show"], help="print every setting and its origin")


def execute(_arguments: Namespace, session: Session) -> int:
    """Print each setting, its value, and where it came from."""
    from envmgr.cli.settings_page import render_settings, settings_rows

    rows = settings_rows(settings_of(session))
    if session.as_json:
        from envmgr.cli.document import result_document

        write_out(result_document(session.command, {"settings": rows}))
    else:
        write_out(render_settings(rows))
    return ExitCode.DONE
