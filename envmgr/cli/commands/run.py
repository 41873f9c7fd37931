"""``envmgr run``. Light: nothing of the pipeline is imported to start a program."""

import os
from argparse import Namespace
from collections.abc import Mapping, Sequence

from envmgr.cli.existing import existing_prefix
from envmgr.cli.launch import Launch, environ_within, find_program, replace_process
from envmgr.cli.output import write_err
from envmgr.cli.parser import CommandParser
from envmgr.cli.selection import add_selection, current_directory, require_selection
from envmgr.cli.session import Session
from envmgr.cli.words import GLOBAL_VALUED
from envmgr.errors import UsageError

USAGE = "(-n NAME | -p PREFIX) PROGRAM [ARGUMENT ...]"
EXAMPLE = """\
envmgr run -n climate python analysis.py
envmgr run -p ./env -- pytest -q"""

VALUED = GLOBAL_VALUED | {"-n", "--name", "-p", "--prefix"}
"""Options whose value is not the program."""


def add_arguments(parser: CommandParser) -> None:
    """Add ``run``'s own arguments; what follows the program belongs to the program."""
    add_selection(parser, positional=False)
    parser.leave_program(VALUED)


def execute(arguments: Namespace, session: Session) -> int:
    """Become the program. Raises EnvmgrError; returns never."""
    if not arguments.program:
        raise UsageError("no program was given", "see `envmgr run --help`")
    selector = require_selection(arguments, current_directory())
    prefix = existing_prefix(selector, session)
    replace_process(prepare(prefix, arguments.program, session.environ))


def prepare(prefix: str, program: Sequence[str], environ: Mapping[str, str]) -> Launch:
    """Find the program and what to start it with, from the generation that stands now.

    Raises PrefixError, ProgramNotFound, ProgramNotExecutable.
    """
    from envmgr.link.prefix import current_generation, read_generation
    from envmgr.link.root import renew_root

    renew_root(prefix)
    generation = os.fspath(current_generation(prefix))
    record = read_generation(generation)
    variables, stores = record.get("variables"), record.get("stores")
    own = variables if isinstance(variables, dict) else {}
    for store in stores if isinstance(stores, list) else ():
        if not os.path.isdir(store):  # noqa: PTH112 - pathlib is not imported for `run -n`
            write_err(
                f"warning: the store {store} is gone, and packages of {prefix} with it; "
                f"see `envmgr doctor -p {prefix}`\n"
            )
    inside = environ_within(environ, prefix, generation, own)
    path = find_program(program[0], prefix, inside["PATH"])
    return Launch(path, list(program), inside)
