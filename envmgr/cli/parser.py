"""argparse, with the house's manners: errors are UsageError, help is a value."""

import argparse
import os
from collections.abc import Sequence
from typing import Any, NoReturn

from envmgr.cli.words import nearest, split_at_word
from envmgr.errors import UsageError

WIDEST = 100
"""Columns of help text at most; long lines are hard to read."""


class HelpWanted(Exception):
    """``--help`` stood on the command line; carries the text to print."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class _Help(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **options)

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> NoReturn:
        raise HelpWanted(parser.format_help())


def _formatter(prog: str) -> argparse.HelpFormatter:
    # A given width keeps argparse from importing shutil, once for every option.
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=_width())


def _width() -> int:
    try:
        columns = os.get_terminal_size(1).columns
    except (OSError, ValueError):
        columns = 80
    return max(40, min(columns - 2, WIDEST))


class CommandParser(argparse.ArgumentParser):
    """The parser of one command, with the options that every command has."""

    def __init__(self, command: str, summary: str, usage: str, example: str) -> None:
        super().__init__(
            prog=f"envmgr {command}",
            usage=f"envmgr {command} {usage}".rstrip(),
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog="example:\n" + "\n".join(f"  {line}" for line in example.splitlines()),
            formatter_class=_formatter,
            add_help=False,
            allow_abbrev=False,
        )
        self._program_after: frozenset[str] | None = None

    def leave_program(self, valued: frozenset[str]) -> None:
        """Leave everything from the first word on unread, as ``program``.

        ``valued`` names the command's options that take a value.
        """
        self._program_after = valued

    def add_global_options(self) -> None:
        """Add the options of every command; last, so that help shows them last."""
        group = self.add_argument_group("options of every command")
        group.add_argument("-h", "--help", action=_Help, help="show this page")
        group.add_argument(
            "--json", action="store_true", help="print one JSON document instead of text"
        )
        group.add_argument(
            "--progress",
            choices=("auto", "plain", "json", "none"),
            help="how to show progress on stderr",
        )
        group.add_argument(
            "-q",
            "--quiet",
            action="count",
            default=0,
            help="no progress, no summary; -qq: no warnings",
        )
        group.add_argument("-v", "--verbose", action="count", default=0, help="say more")

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse a command line. Raises UsageError, HelpWanted."""
        program: list[str] = []
        if self._program_after is not None:
            words, program = split_at_word(words, self._program_after)
        arguments, unknown = self.parse_known_args(words)
        if unknown:
            raise self._unknown(unknown[0])
        arguments.program = program
        return arguments

    def _unknown(self, word: str) -> UsageError:
        option = word.partition("=")[0]
        if not option.startswith("-"):
            return UsageError(f"`{self.prog}` does not take {word!r}", self._see_help())
        meant = nearest(option, [*self._option_string_actions])
        hint = f"did you mean {meant}?" if meant else self._see_help()
        return UsageError(f"`{self.prog}` has no option {option}", hint)

    def _see_help(self) -> str:
        return f"see `{self.prog} --help`"

    def error(self, message: str) -> NoReturn:
        """Refuse a line; argparse calls this. Raises UsageError."""
        raise UsageError(message, self._see_help())
