"""``envmgr which``."""

from argparse import Namespace

from envmgr.cli.configured import settings_of
from envmgr.cli.document import result_document
from envmgr.cli.output import write_err, write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.progress import open_reporter
from envmgr.cli.selection import absolute, add_selection, current_directory, require_selection
from envmgr.cli.session import Session
from envmgr.errors import ExitCode

USAGE = "WHAT (-n NAME | -p PREFIX)"
EXAMPLE = """\
envmgr which libgomp -n science
envmgr which numpy.linalg -n science
envmgr which 'numpy/linalg/_umath_linalg*.so' -n science
envmgr which bin/f2py -n science"""


def add_arguments(parser: CommandParser) -> None:
    """Add ``which``'s own arguments."""
    parser.add_argument(
        "what",
        metavar="WHAT",
        help="a library (libgomp, libgomp.so.1), module (numpy.linalg), program, package, or a "
        "path: below the prefix or site-packages, with * if need be, or absolute",
    )
    add_selection(parser, positional=False)


def execute(arguments: Namespace, session: Session) -> int:
    """Tell whose something is; exit 1 where nothing goes by that name."""
    from envmgr.cli.which_page import render_nothing, render_owners
    from envmgr.pipeline.which import find_owners

    directory = current_directory()
    selector = require_selection(arguments, directory)
    what = arguments.what
    if what.startswith((".", "/")) and "/" in what:
        what = absolute(what, directory)
    with open_reporter(session) as report:
        owners = find_owners(what, selector, settings_of(session), report)
    if session.as_json:
        write_out(result_document(session.command, owners))
    elif owners.found:
        write_out(render_owners(owners))
    else:
        write_err(render_nothing(owners))
    return ExitCode.DONE if owners.found else ExitCode.FINDING
