"""From parsed arguments to what the pipeline is asked. Pure: no disk, no environment variables."""

import os
from argparse import BooleanOptionalAction, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from envmgr.cli.parser import CommandParser
from envmgr.cli.selection import absolute, parse_selection, require_selection
from envmgr.errors import UsageError
from envmgr.names import GroupName, InvalidName, PackageName, group_name, package_name
from envmgr.pipeline.types import CreateRequest, LockRequest, LockUse
from envmgr.spec.source import is_handed_over


def add_making(parser: CommandParser) -> None:
    """Add what ``create`` and ``sync`` have in common."""
    group = parser.add_argument_group("what to make")
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "-g",
        "--group",
        action="append",
        dest="groups",
        metavar="GROUP",
        help="a group of the file, besides its dependencies; may be repeated "
        "(default: the groups the environment has)",
    )
    which.add_argument("--no-groups", action="store_true", help="the dependencies alone")
    use = group.add_mutually_exclusive_group()
    use.add_argument("--locked", action="store_true", help="fail if the lock is missing or stale")
    use.add_argument("--frozen", action="store_true", help="use the lock as it is, stale or not")
    group.add_argument(
        "--compile",
        action=BooleanOptionalAction,
        default=None,
        help="compile bytecode ahead, or leave it (default: as the settings say)",
    )
    group.add_argument(
        "--discard-installed",
        action="store_true",
        help="leave behind what pip or uv put into the environment, instead of stopping",
    )
    add_resolving(parser)


def add_resolving(parser: CommandParser) -> None:
    """Add what everything that may resolve has in common."""
    group = parser.add_argument_group("how to resolve")
    group.add_argument(
        "--python",
        metavar="SPEC|PATH",
        help="a version (3.12, '>=3.12') or an interpreter, in place of the file's",
    )
    group.add_argument(
        "--lock", metavar="PATH", help="the lock (default: pylock.toml beside the file)"
    )
    group.add_argument("--offline", action="store_true", help="use only what is cached")
    group.add_argument(
        "--refresh", action="store_true", help="ask the indexes again, however fresh the cache"
    )
    group.add_argument("--dry-run", action="store_true", help="only say what would be done")


def add_file(parser: CommandParser) -> None:
    """Add ``-f``."""
    parser.add_argument(
        "-f",
        "--file",
        metavar="FILE",
        help="the environment file (default: environment.yaml or environment.yml here)",
    )


def parse_create(arguments: Namespace, file: Path, directory: str | None) -> CreateRequest:
    """Return the request of ``create``. Raises UsageError."""
    return CreateRequest(
        file=file,
        selector=parse_selection(arguments, directory),
        groups=parse_groups(arguments),
        python=parse_python(arguments.python, directory),
        lock_use=parse_lock_use(arguments),
        lock=parse_lock_path(arguments.lock, file, directory),
        dry_run=arguments.dry_run,
        compile=arguments.compile,
        refresh=arguments.refresh,
        discard_installed=arguments.discard_installed,
    )


def parse_sync(arguments: Namespace, directory: str | None) -> CreateRequest:
    """Return the request of ``sync``: the environment knows its file. Raises UsageError."""
    return CreateRequest(
        file=None,
        selector=require_selection(arguments, directory),
        groups=parse_groups(arguments),
        python=parse_python(arguments.python, directory),
        lock_use=parse_lock_use(arguments),
        lock=parse_path(arguments.lock, directory),
        dry_run=arguments.dry_run,
        compile=arguments.compile,
        refresh=arguments.refresh,
        discard_installed=arguments.discard_installed,
    )


def parse_lock(arguments: Namespace, file: Path, directory: str | None) -> LockRequest:
    """Return the request of ``lock``. Raises UsageError."""
    upgrade = parse_upgrade(arguments.upgrade)
    if arguments.check and upgrade:
        raise UsageError("--check only looks, --upgrade changes the lock", "give one of the two")
    return LockRequest(
        file=file,
        lock=parse_lock_path(arguments.lock, file, directory),
        python=parse_python(arguments.python, directory),
        check=arguments.check,
        upgrade=upgrade,
        dry_run=arguments.dry_run,
        refresh=arguments.refresh,
    )


def parse_groups(arguments: Namespace) -> tuple[GroupName, ...] | None:
    """``-g test -g plots,docs``: each once, in order. Raises UsageError."""
    if arguments.no_groups:
        return ()
    if arguments.groups is None:
        return None
    names = (name.strip() for text in arguments.groups for name in text.split(","))
    try:
        return tuple(dict.fromkeys(group_name(name) for name in names))
    except InvalidName as error:
        raise UsageError(str(error)) from error


def parse_upgrade(words: Iterable[str] | None) -> frozenset[PackageName] | Literal["all"]:
    """``--upgrade`` alone lets go of everything. Raises UsageError."""
    if words is None:
        return frozenset()
    try:
        names = frozenset(package_name(word) for word in words)
    except InvalidName as error:
        raise UsageError(
            str(error), "give names alone; versions belong into the environment file"
        ) from error
    return names or "all"


def parse_python(text: str | None, directory: str | None) -> str | None:
    """Make a path absolute; anything else is a specifier and stays. Raises UsageError."""
    if text is None:
        return None
    if not text.strip():
        raise UsageError("--python is empty", "give a version or the path of an interpreter")
    return absolute(text, directory) if os.sep in text else text


def parse_path(text: str | None, directory: str | None) -> Path | None:
    """Make a path absolute. Raises UsageError."""
    return None if text is None else Path(absolute(text, directory))


def parse_lock_path(text: str | None, file: Path, directory: str | None) -> Path | None:
    """Return what ``--lock`` names; ``None`` is beside the file. Raises UsageError."""
    if text is None and is_handed_over(file):
        raise UsageError(f"there is no place for a lock beside {file}", "name one with --lock PATH")
    return parse_path(text, directory)


def parse_lock_use(arguments: Namespace) -> LockUse:
    """Return what ``--locked`` and ``--frozen`` say."""
    if arguments.locked:
        return LockUse.LOCKED
    return LockUse.FROZEN if arguments.frozen else LockUse.UPDATE
