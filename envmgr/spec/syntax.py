"""What a YAML syntax error means for somebody who writes an environment file."""

import re
from typing import TYPE_CHECKING

from envmgr.spec.problems import START, Place

if TYPE_CHECKING:
    import yaml

_QUOTE = "put the value in double quotes"
_VARIABLE = re.compile(r"\$(\{\w*\})?$")
"""What stands before the error where ``${...}`` was taken for the braces of a mapping."""


def explain_syntax(error: "yaml.MarkedYAMLError", text: str) -> tuple[Place, str, str | None]:
    """Return where a syntax error stands, what it is, and what to do.

    libyaml and PyYAML's own scanner word their errors differently; both are
    recognised by what they have in common.
    """
    mark = error.problem_mark or error.context_mark
    at = START if mark is None else Place(mark.line + 1, mark.column + 1)
    problem = error.problem or "invalid YAML"
    lines = re.split(r"\r\n|\r|\n", text)
    line = lines[at.line - 1] if at.line <= len(lines) else ""
    found = line[at.column - 1 : at.column]
    variable = _VARIABLE.search(line[: at.column - 1])
    if variable is not None and (variable[1] or found == "{"):
        return at, "a value with `${...}` must be quoted between braces or brackets", _QUOTE
    if "block scalar" in (error.context or ""):
        return _block_scalar(error, at, line)
    if "cannot start any token" in problem:
        return _bad_start(at, found, line)
    if "mapping values are not allowed" in problem:
        hint = "put text that holds `: ` in double quotes, and indent the keys of a mapping alike"
        return at, "a `:` stands where no key can be", hint
    if "end of stream" in problem or ("quoted scalar" in (error.context or "") and not found):
        return _context_place(error, at), "a quoted text is not closed", "add the closing quote"
    if "simple key" in (error.context or ""):
        return _context_place(error, at), "a key without its `:`", "write `key: value`"
    if "',' or" in problem:
        return _unclosed(error, at, found)
    if "expected '-' indicator" in problem or "block end" in problem or "expected key" in problem:
        if line[: at.column - 1].strip():
            hint = "put the whole value in quotes"
            return at, "this does not belong to the value before it", hint
        hint = "indent the keys of a mapping alike, and the `-` of a list alike"
        return at, "this line is indented unlike the lines it belongs to", hint
    return at, f"this is not YAML: {problem}", None


def _context_place(error: "yaml.MarkedYAMLError", at: Place) -> Place:
    mark = error.context_mark
    return at if mark is None else Place(mark.line + 1, mark.column + 1)


def _block_scalar(
    error: "yaml.MarkedYAMLError", at: Place, line: str
) -> tuple[Place, str, str | None]:
    place = _context_place(error, at)
    if place.line != at.line:
        return at, f"this is not YAML: {error.problem}", None
    value = line[place.column - 1 :].strip()
    message = f"a value that begins with `{value[:1]}` must be quoted"
    return place, message, f'write "{value}"' if '"' not in value else _QUOTE


def _bad_start(at: Place, found: str, line: str) -> tuple[Place, str, str | None]:
    if found == "\t" or line[: at.column].isspace():
        return at, "a tab cannot indent a YAML line", "use spaces"
    return at, f"a value cannot begin with `{found}`", _QUOTE


def _unclosed(
    error: "yaml.MarkedYAMLError", at: Place, found: str
) -> tuple[Place, str, str | None]:
    closing = "]" if "sequence" in (error.context or "") else "}"
    if found == "[":
        message = "a `[` inside a list in brackets"
        return at, message, "put a requirement with extras in double quotes there"
    begin = _context_place(error, at)
    message = f"the bracket of line {begin.line} is not closed here"
    return at, message, f"add `{closing}` or `,`"
