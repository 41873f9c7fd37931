"""``envmgr wheel``: the commands about wheels as files."""

from argparse import Namespace
from pathlib import Path

from envmgr.cli.document import result_document
from envmgr.cli.output import write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.progress import open_reporter
from envmgr.cli.session import Session
from envmgr.errors import ExitCode

USAGE = "link (DIRECTORY | WHEEL) [OPTION ...]"
EXAMPLE = """\
envmgr wheel link foo-1.0-py3-none-manylinux_2_28_x86_64.whl -o linked
envmgr wheel link unpacked/foo-1.0"""


def add_arguments(parser: CommandParser) -> None:
    """Add what there is to do, with what, and where to."""
    parser.add_argument(
        "action",
        choices=["link"],
        metavar="ACTION",
        help="link: make a wheel in which each library stands once, its further names as links",
    )
    parser.add_argument(
        "source", metavar="DIRECTORY|WHEEL", help="a wheel, or what one was unpacked into"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        default=".",
        help="the directory for the new wheel, or its path; the current directory by default",
    )
    parser.add_argument(
        "--pep778-strict",
        dest="strict",
        action="store_true",
        help="say Wheel-Version 2.0, as PEP 778 has it: other installers then refuse the wheel",
    )


def execute(arguments: Namespace, session: Session) -> int:
    """Do one thing with a wheel."""
    from envmgr.cli.timestamps import source_date
    from envmgr.cli.wheel_page import render_linked
    from envmgr.pipeline.wheel_link import LinkRequest, link_wheel

    request = LinkRequest(
        source=Path(arguments.source),
        output=Path(arguments.output),
        timestamp=source_date(session.environ),
        strict=arguments.strict,
    )
    with open_reporter(session) as report:
        linked = link_wheel(request, report)
    if session.as_json:
        write_out(result_document(session.command, linked))
    elif not session.quiet:
        write_out(render_linked(linked))
    return ExitCode.DONE
