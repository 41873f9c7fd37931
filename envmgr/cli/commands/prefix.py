"""``envmgr prefix``."""

from argparse import Namespace

from envmgr.cli.existing import existing_prefix
from envmgr.cli.output import write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.selection import add_selection, current_directory, require_selection
from envmgr.cli.session import Session
from envmgr.errors import ExitCode

USAGE = "(NAME | -n NAME | -p PREFIX)"
EXAMPLE = """\
source "$(envmgr prefix climate)/bin/activate\""""


def add_arguments(parser: CommandParser) -> None:
    """Add ``prefix``'s own arguments."""
    add_selection(parser, positional=True)


def execute(arguments: Namespace, session: Session) -> int:
    """Print the directory of an environment, alone on its line."""
    prefix = existing_prefix(require_selection(arguments, current_directory()), session)
    if session.as_json:
        from envmgr.cli.document import result_document

        write_out(result_document(session.command, {"prefix": prefix}))
    else:
        write_out(f"{prefix}\n")
    return ExitCode.DONE
