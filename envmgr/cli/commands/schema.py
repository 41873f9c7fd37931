"""``envmgr schema``."""

from argparse import Namespace

from envmgr.cli.output import write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.session import Session
from envmgr.errors import ExitCode

USAGE = ""
EXAMPLE = """\
envmgr schema > environment.schema.json"""


def add_arguments(_parser: CommandParser) -> None:
    """Nothing of its own."""


def execute(_arguments: Namespace, session: Session) -> int:
    """Print the JSON Schema of environment files."""
    from envmgr.spec.schema import environment_schema, render_schema

    if session.as_json:
        from envmgr.cli.document import result_document

        write_out(result_document(session.command, environment_schema()))
    else:
        write_out(render_schema())
    return ExitCode.DONE
