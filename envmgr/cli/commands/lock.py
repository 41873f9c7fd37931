"""``envmgr lock``."""

import sys
from argparse import Namespace

from envmgr.cli.configured import settings_of
from envmgr.cli.document import result_document
from envmgr.cli.output import is_coloured, write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.progress import open_reporter
from envmgr.cli.requests import add_file, add_resolving, parse_lock
from envmgr.cli.selection import current_directory
from envmgr.cli.session import Session
from envmgr.cli.summary import render_locked
from envmgr.errors import ExitCode

USAGE = "[-f FILE] [OPTION ...]"
EXAMPLE = """\
envmgr lock -f environment.yaml
envmgr lock --check
envmgr lock --upgrade numpy scipy"""


def add_arguments(parser: CommandParser) -> None:
    """Add ``lock``'s own arguments."""
    add_file(parser)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 7 if the lock is missing or stale"
    )
    parser.add_argument(
        "--upgrade",
        nargs="*",
        metavar="PACKAGE",
        help="take the newest of these packages, or of all, instead of what was locked",
    )
    add_resolving(parser)


def execute(arguments: Namespace, session: Session) -> int:
    """Resolve a file and write its lock."""
    from envmgr.cli.environment_file import find_file
    from envmgr.pipeline.asking_ahead import asking_ahead, listed

    directory = current_directory()
    request = parse_lock(arguments, find_file(arguments.file, directory), directory)
    settings = settings_of(session, offline=arguments.offline)
    wanted = 0 if request.check else listed(request.file)
    with asking_ahead(settings, wanted, refresh=request.refresh) as asking:
        from envmgr.pipeline.lock import lock  # while the other process makes ready

        with open_reporter(session) as report:
            locked = lock(request, settings, session.environ, report, asking)
    if session.as_json:
        write_out(result_document(session.command, locked))
    elif not session.quiet:
        coloured = is_coloured(sys.stdout, session.environ)
        write_out(render_locked(locked, verbose=session.verbose, coloured=coloured))
    return ExitCode.DONE
