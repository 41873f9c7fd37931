"""``envmgr sync``."""

from argparse import Namespace

from envmgr.cli.making import execute_making
from envmgr.cli.parser import CommandParser
from envmgr.cli.requests import add_making, parse_sync
from envmgr.cli.selection import add_selection, current_directory
from envmgr.cli.session import Session

USAGE = "(NAME | -n NAME | -p PREFIX) [OPTION ...]"
EXAMPLE = """\
envmgr sync climate
envmgr sync -p ./env -g plots"""


def add_arguments(parser: CommandParser) -> None:
    """Add ``sync``'s own arguments."""
    add_selection(parser, positional=True)
    add_making(parser)


def execute(arguments: Namespace, session: Session) -> int:
    """Bring an environment up to its file."""
    request = parse_sync(arguments, current_directory())
    return execute_making(request, session, offline=arguments.offline)
