"""``envmgr create``."""

from argparse import Namespace

from envmgr.cli.making import execute_making
from envmgr.cli.parser import CommandParser
from envmgr.cli.requests import add_file, add_making, parse_create
from envmgr.cli.selection import add_selection, current_directory
from envmgr.cli.session import Session

USAGE = "[-f FILE] [-n NAME | -p PREFIX] [OPTION ...]"
EXAMPLE = """\
envmgr create -f environment.yaml
envmgr create -f environment.yaml -n climate -g plots --python 3.13
envmgr create -p ./env --locked"""


def add_arguments(parser: CommandParser) -> None:
    """Add ``create``'s own arguments."""
    add_file(parser)
    add_selection(parser, positional=False, name_help="its name (default: the file's)")
    add_making(parser)


def execute(arguments: Namespace, session: Session) -> int:
    """Make or update the environment of a file."""
    from envmgr.cli.environment_file import find_file

    directory = current_directory()
    file = find_file(arguments.file, directory)
    request = parse_create(arguments, file, directory)
    return execute_making(request, session, offline=arguments.offline)
