"""Values as TOML 1.0 text, the same text for the same value."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

Value: TypeAlias = "str | int | datetime | Mapping[str, Value] | tuple[Value, ...]"
"""What a lock is made of. A datetime is aware; a mapping becomes an inline table."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ESCAPED = re.compile(r'[\x00-\x1f\x7f"\\]')
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_INDENT = "    "


def render_key(key: str) -> str:
    """Write a key, quoted where it has to be."""
    return key if _BARE_KEY.fullmatch(key) else _basic(key)


def render_text(text: str) -> str:
    """Write a string; one with quotes or backslashes as a literal string where that is possible."""
    if ('"' in text or "\\" in text) and "'" not in text and not _UNPRINTABLE.search(text):
        return f"'{text}'"
    return _basic(text)


def render_value(value: Value) -> str:
    """Write a value on one line."""
    if isinstance(value, str):
        return render_text(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, Mapping):
        return (
            "{" + ", ".join(f"{render_key(k)} = {render_value(v)}" for k, v in value.items()) + "}"
        )
    return "[" + ", ".join(map(render_value, value)) + "]"


def render_lines(values: Iterable[Value]) -> str:
    """Write an array with one value a line, so that a difference shows one line a value."""
    lines = [f"{_INDENT}{render_value(value)},\n" for value in values]
    return f"[\n{''.join(lines)}]" if lines else "[]"


def _basic(text: str) -> str:
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return _SHORT.get(character) or f"\\u{ord(character):04X}"
