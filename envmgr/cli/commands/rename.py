"""``envmgr rename``."""

from argparse import Namespace

from envmgr.cli.configured import settings_of
from envmgr.cli.document import result_document
from envmgr.cli.output import write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.progress import open_reporter
from envmgr.cli.selection import parse_name
from envmgr.cli.session import Session
from envmgr.errors import ExitCode
from envmgr.pipeline.types import ByName

USAGE = "OLD NEW"
EXAMPLE = """\
envmgr rename climate climate-2025"""


def add_arguments(parser: CommandParser) -> None:
    """Add ``rename``'s own arguments."""
    parser.add_argument("old", metavar="OLD", help="its name")
    parser.add_argument("new", metavar="NEW", help="its name from now on")


def execute(arguments: Namespace, session: Session) -> int:
    """Give a named environment another name."""
    from envmgr.cli.generations import render_renamed
    from envmgr.pipeline.copies import rename

    old, new = ByName(parse_name(arguments.old)), ByName(parse_name(arguments.new))
    with open_reporter(session) as report:
        renamed = rename(old, new, settings_of(session), report)
    if session.as_json:
        write_out(result_document(session.command, renamed))
    elif not session.quiet:
        write_out(render_renamed(renamed))
    return ExitCode.DONE
