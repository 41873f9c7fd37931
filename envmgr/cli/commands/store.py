"""``envmgr store``: the commands about the store."""

from argparse import Namespace

from envmgr.cli.configured import settings_of
from envmgr.cli.document import result_document
from envmgr.cli.output import write_out
from envmgr.cli.parser import CommandParser
from envmgr.cli.progress import open_reporter
from envmgr.cli.selection import add_selection, current_directory, parse_selection
from envmgr.cli.session import Session
from envmgr.errors import ExitCode, UsageError

USAGE = "(gc | verify | repair | du | compile) [OPTION ...]"
EXAMPLE = """\
envmgr store gc --dry-run
envmgr store gc --older-than 7d
envmgr store gc --cache
envmgr store verify --fast
envmgr store du -n climate
envmgr store compile --python 3.13"""

_OPTIONS = {
    "dry_run": ("--dry-run", ("gc", "repair")),
    "older_than": ("--older-than", ("gc",)),
    "cache": ("--cache", ("gc",)),
    "fast": ("--fast", ("verify",)),
    "name": ("-n", ("du",)),
    "prefix": ("-p", ("du",)),
    "python": ("--python", ("compile",)),
    "everything": ("--all", ("compile",)),
}


def add_arguments(parser: CommandParser) -> None:
    """Add what there is to do, and the options of each."""
    parser.add_argument(
        "action",
        choices=["gc", "verify", "repair", "du", "compile"],
        metavar="ACTION",
        help="gc: remove what no environment needs; verify: check every file; repair: what verify "
        "finds; du: what environments take; compile: bytecode ahead",
    )
    parser.add_argument("--dry-run", action="store_true", help="gc, repair: only say what")
    parser.add_argument(
        "--older-than",
        metavar="AGE",
        help="gc: what nobody used for so long: 30d (the default), 12h, 0",
    )
    parser.add_argument(
        "--cache",
        action="store_true",
        help="gc: trim the caches instead, of what nobody used for so long",
    )
    parser.add_argument("--fast", action="store_true", help="verify: names, sizes and modes alone")
    parser.add_argument("--python", metavar="SPEC|PATH", help="compile: for this interpreter")
    parser.add_argument(
        "--all",
        dest="everything",
        action="store_true",
        help="compile: all entries, for every interpreter that environments use",
    )
    add_selection(parser, positional=False, name_help="du: of this environment alone")


def execute(arguments: Namespace, session: Session) -> int:
    """Do one thing with the store."""
    for option, (word, actions) in _OPTIONS.items():
        if getattr(arguments, option) and arguments.action not in actions:
            raise UsageError(
                f"{word} is for `envmgr store {actions[0]}`", "see `envmgr store --help`"
            )
    return _ACTIONS[arguments.action](arguments, session)


def _gc(arguments: Namespace, session: Session) -> int:
    if arguments.cache:
        return _trim(arguments, session)
    from envmgr.cli.ages import parse_age
    from envmgr.cli.upkeep_page import render_collected
    from envmgr.pipeline.upkeep import AGE, collect_store

    age = AGE if arguments.older_than is None else parse_age(arguments.older_than)
    with open_reporter(session) as report:
        collected = collect_store(settings_of(session), report, age=age, dry_run=arguments.dry_run)
    text = render_collected(collected, age, verbose=session.verbose)
    _show(session, collected, text, summary=not arguments.dry_run)
    return ExitCode.DONE


def _trim(arguments: Namespace, session: Session) -> int:
    from envmgr.cli.ages import parse_age
    from envmgr.cli.upkeep_page import render_trimmed
    from envmgr.pipeline.caches import KEPT_FOR, trim_caches

    age = KEPT_FOR if arguments.older_than is None else parse_age(arguments.older_than)
    with open_reporter(session) as report:
        trimmed = trim_caches(settings_of(session), report, age=age, dry_run=arguments.dry_run)
    _show(session, trimmed, render_trimmed(trimmed), summary=not arguments.dry_run)
    return ExitCode.DONE


def _verify(arguments: Namespace, session: Session) -> int:
    from envmgr.cli.upkeep_page import render_verified
    from envmgr.pipeline.upkeep import verify_store

    with open_reporter(session) as report:
        verified = verify_store(settings_of(session), report, fast=arguments.fast)
    text = render_verified(verified, verbose=session.verbose)
    _show(session, verified, text, summary=not verified.damaged)
    return ExitCode.FINDING if verified.damaged else ExitCode.DONE


def _repair(arguments: Namespace, session: Session) -> int:
    from envmgr.cli.upkeep_page import render_repaired
    from envmgr.pipeline.repair import repair_store

    with open_reporter(session) as report:
        repaired = repair_store(
            settings_of(session), session.environ, report, dry_run=arguments.dry_run
        )
    left = any(each.outcome == "left" for each in repaired.entries)
    _show(session, repaired, render_repaired(repaired), summary=not left)
    return ExitCode.FINDING if left else ExitCode.DONE


def _du(arguments: Namespace, session: Session) -> int:
    from envmgr.cli.upkeep_page import render_disk_use
    from envmgr.pipeline.upkeep import disk_use

    selector = parse_selection(arguments, current_directory())
    with open_reporter(session) as report:
        use = disk_use(selector, settings_of(session), report)
    _show(session, use, render_disk_use(use), summary=False)
    return ExitCode.DONE


def _compile(arguments: Namespace, session: Session) -> int:
    from envmgr.cli.upkeep_page import render_compiled
    from envmgr.pipeline.compiling import compile_store

    with open_reporter(session) as report:
        compiled = compile_store(
            arguments.python,
            settings_of(session),
            session.environ,
            report,
            everything=arguments.everything,
        )
    _show(session, compiled, render_compiled(compiled), summary=True)
    return ExitCode.DONE


def _show(session: Session, result: object, text: str, *, summary: bool) -> None:
    """Print a result; ``summary`` is what ``-q`` leaves out."""
    if session.as_json:
        write_out(result_document(session.command, result))
    elif not (summary and session.quiet):
        write_out(text)


_ACTIONS = {
    "gc": _gc,
    "verify": _verify,
    "repair": _repair,
    "du": _du,
    "compile": _compile,
}
