"""``envmgr list``."""

from argparse import Namespace

from envmgr.cli.configured import settings_of
from envmgr.cli.listing import render_environments, render_packages
from envmgr.cli.output import write_err, write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.progress import open_reporter
from envmgr.cli.selection import add_selection, current_directory, parse_selection
from envmgr.cli.session import Session
from envmgr.errors import ExitCode
from envmgr.pipeline.types import Selector

USAGE = "[-n NAME | -p PREFIX]"
EXAMPLE = """\
envmgr list
envmgr list -n climate"""


def add_arguments(parser: CommandParser) -> None:
    """Add ``list``'s own arguments."""
    add_selection(parser, positional=False)


def execute(arguments: Namespace, session: Session) -> int:
    """List environments, or the packages of one."""
    selector = parse_selection(arguments, current_directory())
    return _list_packages(selector, session) if selector else _list_environments(session)


def _list_environments(session: Session) -> int:
    from envmgr.pipeline.environments import list_environments

    with open_reporter(session) as report:
        environments = list_environments(settings_of(session), report)
    if session.as_json:
        _write_document(session, {"environments": environments})
    elif environments:
        write_out(render_environments(environments, verbose=session.verbose))
    else:
        write_err("no environments yet; make one: envmgr create -f FILE\n")
    return ExitCode.DONE


def _list_packages(selector: Selector, session: Session) -> int:
    from envmgr.pipeline.environments import list_packages

    with open_reporter(session) as report:
        packages = list_packages(selector, settings_of(session), report)
    if session.as_json:
        _write_document(session, {"packages": packages})
    else:
        write_out(render_packages(packages, verbose=session.verbose))
    return ExitCode.DONE


def _write_document(session: Session, result: object) -> None:
    from envmgr.cli.document import result_document

    write_out(result_document(session.command, result))
