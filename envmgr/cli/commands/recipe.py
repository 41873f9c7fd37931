"""``envmgr recipe``: the commands about recipes."""

from argparse import Namespace
from pathlib import Path

from envmgr.cli.configured import settings_of
from envmgr.cli.document import result_document
from envmgr.cli.output import write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.progress import open_reporter
from envmgr.cli.session import Session
from envmgr.errors import ExitCode

USAGE = "build FILE [NAME ...] [OPTION ...]"
EXAMPLE = """\
envmgr recipe build recipes/runtimes/openmp.yaml
envmgr recipe build openmp.yaml shared-intel-openmp -o wheels"""


def add_arguments(parser: CommandParser) -> None:
    """Add what there is to do, with what, and where to."""
    parser.add_argument(
        "action",
        choices=["build"],
        metavar="ACTION",
        help="build: make the wheels of `build:`, from wheels of the indexes or host libraries",
    )
    parser.add_argument("recipe", metavar="FILE", help="the recipe")
    parser.add_argument("names", nargs="*", default=(), metavar="NAME", help="only these wheels")
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIRECTORY",
        default=".",
        help="where the wheels go; the current directory by default",
    )
    parser.add_argument("--offline", action="store_true", help="use the cache alone")


def execute(arguments: Namespace, session: Session) -> int:
    """Do one thing with a recipe."""
    from envmgr.cli.timestamps import source_date
    from envmgr.cli.wheel_page import render_built
    from envmgr.pipeline.recipe_build import BuildRequest, build_recipe
    from envmgr.pipeline.world import World

    request = BuildRequest(
        recipe=Path(arguments.recipe),
        names=tuple(arguments.names),
        output=Path(arguments.output),
        timestamp=source_date(session.environ),
    )
    settings = settings_of(session, offline=arguments.offline)
    with open_reporter(session) as report:
        built = build_recipe(request, World(settings, session.environ, report))
    if session.as_json:
        write_out(result_document(session.command, built))
    elif not session.quiet:
        write_out(render_built(built))
    return ExitCode.DONE
