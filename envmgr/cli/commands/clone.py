"""``envmgr clone``."""

import os
import sys
from argparse import Namespace
from pathlib import Path

from envmgr.cli.configured import settings_of
from envmgr.cli.document import result_document
from envmgr.cli.output import is_coloured, write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.progress import open_reporter
from envmgr.cli.selection import absolute, add_selection, current_directory, parse_name
from envmgr.cli.selection import parse_selection as parse_target
from envmgr.cli.session import Session
from envmgr.errors import ExitCode, UsageError
from envmgr.pipeline.types import ByName, ByPrefix, Selector

USAGE = "SOURCE (-n NAME | -p PREFIX)"
EXAMPLE = """\
envmgr clone climate -n trial
envmgr clone ./env -p ../copy"""


def add_arguments(parser: CommandParser) -> None:
    """Add ``clone``'s own arguments."""
    parser.add_argument(
        "source", metavar="SOURCE", help="the environment to copy: its name, or PREFIX with a slash"
    )
    add_selection(parser, positional=False, name_help="what to call the new one")


def execute(arguments: Namespace, session: Session) -> int:
    """Make another environment with the same packages."""
    from envmgr.cli.generations import render_cloned
    from envmgr.pipeline.copies import clone

    directory = current_directory()
    source = _source(arguments.source, directory)
    target = parse_target(arguments, directory)
    if target is None:
        raise UsageError("the new environment has no name yet", "add -n NAME, or -p PREFIX")
    with open_reporter(session) as report:
        cloned = clone(source, target, settings_of(session), report)
    if session.as_json:
        write_out(result_document(session.command, cloned))
    elif not session.quiet:
        coloured = is_coloured(sys.stdout, session.environ)
        write_out(render_cloned(cloned, target, coloured=coloured))
    return ExitCode.DONE


def _source(text: str, directory: str | None) -> Selector:
    if os.sep in text or text in (".", ".."):
        return ByPrefix(Path(absolute(text, directory)))
    return ByName(parse_name(text))
