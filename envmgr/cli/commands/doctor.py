"""``envmgr doctor``."""

import sys
from argparse import Namespace

from envmgr.cli.configured import settings_of
from envmgr.cli.doctor_page import render_diagnosis
from envmgr.cli.document import result_document
from envmgr.cli.output import is_coloured, write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.progress import open_reporter
from envmgr.cli.selection import add_selection, current_directory, parse_selection
from envmgr.cli.session import Session
from envmgr.errors import DefinitionError, ExitCode
from envmgr.pipeline.health.doctor import Diagnosis, Scope, diagnose, without_settings

USAGE = "[all | NAME | -n NAME | -p PREFIX] [--online]"
EXAMPLE = """\
envmgr doctor
envmgr doctor climate
envmgr doctor all --online"""


def add_arguments(parser: CommandParser) -> None:
    """Add ``doctor``'s own arguments."""
    parser.add_argument("--online", action="store_true", help="ask every index whether it answers")
    add_selection(
        parser,
        positional=True,
        name_help="look at this one, and every file of its packages (`all`, without -n: at all)",
    )


def execute(arguments: Namespace, session: Session) -> int:
    """Look everything through; exit 1 if there is a problem."""
    diagnosis = _diagnose(arguments, session)
    if session.as_json:
        write_out(result_document(session.command, diagnosis))
    elif diagnosis.complaints or not session.quiet:
        coloured = is_coloured(sys.stdout, session.environ)
        write_out(render_diagnosis(diagnosis, verbose=session.verbose, coloured=coloured))
    return ExitCode.DONE if diagnosis.healthy else ExitCode.FINDING


def _diagnose(arguments: Namespace, session: Session) -> Diagnosis:
    scope: Scope = "all"
    if (arguments.bare_name, arguments.name, arguments.prefix) != ("all", None, None):
        scope = parse_selection(arguments, current_directory())
    try:
        settings = settings_of(session)
    except DefinitionError as error:
        return without_settings(error, session.environ)
    with open_reporter(session) as report:
        return diagnose(scope, settings, session.environ, report, online=arguments.online)
