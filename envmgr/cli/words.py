"""Where options end and words that stand for themselves begin. Light: no argparse."""

from collections.abc import Sequence
from typing import NamedTuple

GLOBAL_VALUED = frozenset({"--progress"})
"""Options of every command that take the next word as their value."""


class Split(NamedTuple):
    """A command line in two: ``before`` holds options alone, ``after`` starts with a word."""

    before: list[str]
    after: list[str]


def split_at_word(words: Sequence[str], valued: frozenset[str]) -> Split:
    """Split before the first word that is neither an option nor the value of one.

    ``valued`` names the options that take a value, ``-n`` and ``--name`` alike.
    A ``--`` ends the options and is dropped.
    """
    position = 0
    while position < len(words):
        word = words[position]
        if word == "--":
            return Split(list(words[:position]), list(words[position + 1 :]))
        if not word.startswith("-") or word == "-":
            break
        position += 2 if _takes_next(word, valued) else 1
    return Split(list(words[:position]), list(words[position:]))


def _takes_next(word: str, valued: frozenset[str]) -> bool:
    if word.startswith("--"):
        return word in valued
    for position, letter in enumerate(word[1:], start=1):
        if f"-{letter}" in valued:
            return position == len(word) - 1
    return False


def nearest(word: str, known: Sequence[str]) -> str | None:
    """Return the known word somebody most likely meant, or ``None``."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return close[0] if close else None
