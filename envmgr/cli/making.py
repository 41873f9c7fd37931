"""The call in the middle of ``create`` and ``sync``."""

import sys

from envmgr.cli.configured import settings_of
from envmgr.cli.document import result_document
from envmgr.cli.output import is_coloured, write_out
from envmgr.cli.progress import open_reporter
from envmgr.cli.session import Session
from envmgr.cli.summary import render_created
from envmgr.errors import ExitCode
from envmgr.pipeline.types import ByName, CreateRequest


def execute_making(request: CreateRequest, session: Session, *, offline: bool) -> int:
    """Make what is asked for and say what was made."""
    from envmgr.pipeline.create import create

    settings = settings_of(session, offline=offline)
    with open_reporter(session) as report:
        created = create(request, settings, session.environ, report)
    if session.as_json:
        write_out(result_document(session.command, created))
    elif not session.quiet:
        write_out(
            render_created(
                created,
                request.selector or ByName(created.name),
                shell=session.environ.get("SHELL", ""),
                verbose=session.verbose,
                coloured=is_coloured(sys.stdout, session.environ),
            )
        )
    return ExitCode.DONE
