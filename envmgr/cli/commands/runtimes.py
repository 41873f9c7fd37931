"""``envmgr runtimes``: what serves OpenMP, BLAS, MPI, and what a process would load twice."""

from argparse import Namespace

from envmgr.cli.configured import settings_of
from envmgr.cli.document import result_document
from envmgr.cli.output import write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.progress import open_reporter
from envmgr.cli.selection import add_selection, current_directory, require_selection
from envmgr.cli.session import Session
from envmgr.errors import ExitCode, UsageError

USAGE = "(list | audit) (-n NAME | -p PREFIX) [--live [PACKAGE ...]] [OPTION ...]"
EXAMPLE = """\
envmgr runtimes list -n science
envmgr runtimes audit -n science
envmgr runtimes audit -n science --live
envmgr runtimes audit -n science --live numpy scipy --isolated"""

_OPTIONS = {
    "isolated": "--isolated",
    "timeout": "--timeout",
}
"""What only ``--live`` takes."""


def add_arguments(parser: CommandParser) -> None:
    """Add what there is to do, and the options of each."""
    parser.add_argument(
        "action",
        choices=list(_ACTIONS),
        metavar="ACTION",
        help="list: tell what serves, and what gave way to it; audit: tell which runtimes one "
        "process would load twice",
    )
    parser.add_argument(
        "--live",
        nargs="*",
        metavar="PACKAGE",
        help="audit: import these packages (none named: all that need a runtime), and see what "
        "is loaded",
    )
    parser.add_argument(
        "--isolated", action="store_true", help="audit --live: once more with `python -I`"
    )
    parser.add_argument(
        "--timeout",
        type=float,
        metavar="SECONDS",
        help="audit --live: how long the imports may take (default: 600)",
    )
    add_selection(parser, positional=False)


def execute(arguments: Namespace, session: Session) -> int:
    """Do one thing about runtimes."""
    return _ACTIONS[arguments.action](arguments, session)


def _list(arguments: Namespace, session: Session) -> int:
    for option, word in {"live": "--live", **_OPTIONS}.items():
        if getattr(arguments, option) not in (None, False):
            raise UsageError(f"{word} is for `envmgr runtimes audit`", f"leave {word} out")
    from envmgr.cli.shared_page import render_runtimes
    from envmgr.pipeline.runtime_records import list_runtimes

    selector = require_selection(arguments, current_directory())
    runtimes = list_runtimes(selector, settings_of(session))
    _show(session, {"runtimes": runtimes}, render_runtimes(runtimes, verbose=session.verbose))
    return ExitCode.DONE


def _audit(arguments: Namespace, session: Session) -> int:
    if arguments.live is not None:
        return _audit_live(arguments, session)
    for option, word in _OPTIONS.items():
        if getattr(arguments, option):
            raise UsageError(f"{word} is for `envmgr runtimes audit --live`", "add --live")
    from envmgr.cli.runtimes_page import render_audited
    from envmgr.pipeline.audit import audit_environment

    selector = require_selection(arguments, current_directory())
    with open_reporter(session) as report:
        audited = audit_environment(selector, settings_of(session), session.environ, report)
    _show(session, audited, render_audited(audited, verbose=session.verbose))
    return ExitCode.FINDING if audited.twice else ExitCode.DONE


def _audit_live(arguments: Namespace, session: Session) -> int:
    from envmgr.cli.runtimes_page import render_live
    from envmgr.names import PackageName, normalized
    from envmgr.pipeline.audit import TIMEOUT, LiveRequest, audit_live

    if arguments.timeout is not None and arguments.timeout <= 0:
        raise UsageError("--timeout takes a number of seconds above 0")
    request = LiveRequest(
        packages=tuple(PackageName(normalized(name)) for name in arguments.live),
        isolated=arguments.isolated,
        timeout=TIMEOUT if arguments.timeout is None else arguments.timeout,
    )
    selector = require_selection(arguments, current_directory())
    with open_reporter(session) as report:
        audited = audit_live(selector, request, settings_of(session), session.environ, report)
    _show(session, audited, render_live(audited, verbose=session.verbose))
    return ExitCode.FINDING if audited.twice else ExitCode.DONE


def _show(session: Session, result: object, text: str) -> None:
    write_out(result_document(session.command, result) if session.as_json else text)


_ACTIONS = {"list": _list, "audit": _audit}
