"""``envmgr delete``."""

import sys
from argparse import Namespace
from pathlib import Path

from envmgr.cli.configured import settings_of
from envmgr.cli.document import result_document
from envmgr.cli.output import is_terminal, write_err, write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.progress import open_reporter
from envmgr.cli.selection import add_selection, current_directory, require_selection
from envmgr.cli.session import Session
from envmgr.cli.summary import render_deleted
from envmgr.errors import ExitCode, UsageError

USAGE = "(NAME | -n NAME | -p PREFIX) [-y]"
EXAMPLE = """\
envmgr delete climate
envmgr delete -p ./env --yes"""


def add_arguments(parser: CommandParser) -> None:
    """Add ``delete``'s own arguments."""
    add_selection(parser, positional=True)
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def execute(arguments: Namespace, session: Session) -> int:
    """Delete an environment, after asking; its file, its lock and the store stay."""
    from envmgr.pipeline.environments import delete, find_removable

    selector = require_selection(arguments, current_directory())
    settings = settings_of(session)
    if not (arguments.yes or _agreed(find_removable(selector, settings))):
        raise KeyboardInterrupt
    with open_reporter(session) as report:
        deleted = delete(selector, settings, report)
    if session.as_json:
        write_out(result_document(session.command, deleted))
    elif not session.quiet:
        write_out(render_deleted(deleted))
    return ExitCode.DONE


def _agreed(prefix: Path) -> bool:
    if not is_terminal(sys.stdin):
        raise UsageError(
            f"nobody is there to agree that {prefix} is deleted", "add --yes if you mean it"
        )
    write_err(f"Delete the environment at {prefix}? [y/N] ")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
