"""A TOML document read with its keys' places, so that an error can name them."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, TypeVar

from msgspec import Struct

from envmgr.lock.errors import LockUnreadable

_T = TypeVar("_T")

_CONFLICT = re.compile(rb"^(<<<<<<<|=======|>>>>>>>)", re.MULTILINE)
_NAMES: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    datetime: "a date and time",
    list: "an array",
    dict: "a table",
}


class Table(Struct, frozen=True):
    """One table of the document at ``where``; every reader raises LockUnreadable."""

    path: Path
    where: str
    values: Mapping[str, object]

    def fail(self, key: str, reason: str, hint: str | None = None) -> NoReturn:
        """Say what is wrong with ``key``, or with the table itself where it is empty."""
        raise LockUnreadable(self.path, self.at(key), reason, hint)

    def at(self, key: str) -> str:
        """Where ``key`` stands in the document."""
        return ".".join(part for part in (self.where, key) if part)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self.values

    def text(self, key: str) -> str:
        """Return a string that must be there, and say something."""
        value = self.optional_text(key)
        if value is None:
            self.fail(key, "is missing")
        return value

    def optional_text(self, key: str) -> str | None:
        """Return a string; an empty one is an error."""
        value = self._of_type(key, str)
        if value == "":
            self.fail(key, "is empty")
        return value

    def size(self, key: str) -> int | None:
        """Return a number of bytes."""
        value = self._of_type(key, int)
        if value is not None and value < 0:
            self.fail(key, "is negative")
        return value

    def time(self, key: str) -> datetime | None:
        """Return an instant in UTC; one without an offset is taken for UTC, as PEP 751 has it."""
        value = self._of_type(key, datetime)
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def table(self, key: str) -> "Table":
        """Return a table that must be there."""
        value = self._of_type(key, dict)
        if value is None:
            self.fail(key, "is missing")
        return Table(self.path, self.at(key), value)

    def optional_table(self, key: str) -> "Table":
        """Return a table, an empty one where it is absent."""
        return Table(self.path, self.at(key), self._of_type(key, dict) or {})

    def tables(self, key: str) -> tuple["Table", ...]:
        """Return an array of tables, empty where it is absent."""
        return tuple(
            Table(self.path, f"{self.at(key)}[{number}]", value)
            for number, value in enumerate(self._array(key, dict))
        )

    def texts(self, key: str) -> tuple[str, ...]:
        """Return an array of strings, empty where it is absent."""
        return tuple(self._array(key, str))

    def checked(self, key: str, text: str, parse: Callable[[str], _T], kind: str) -> _T:
        """Parse a string of ``key``; a ValueError means that it is not ``kind``."""
        try:
            return parse(text)
        except ValueError:
            self.fail(key, f"{text!r} is not {kind}")

    def _of_type(self, key: str, wanted: type[_T]) -> _T | None:
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            self.fail(key, f"must be {_NAMES[wanted]}, not {_named(value)}")
        return value

    def _array(self, key: str, wanted: type[_T]) -> list[_T]:
        items: list[_T] = []
        for number, value in enumerate(self._of_type(key, list) or []):
            if not isinstance(value, wanted):
                self.fail(f"{key}[{number}]", f"must be {_NAMES[wanted]}, not {_named(value)}")
            items.append(value)
        return items


def parse_document(data: bytes, path: Path) -> Table:
    """Read a TOML 1.0 document. Raises LockUnreadable."""
    if not data.strip():
        raise LockUnreadable(path, "", "it is empty")
    import tomllib  # a lock that is remembered does without

    try:
        return Table(path, "", tomllib.loads(data.decode()))
    except UnicodeDecodeError as error:
        raise LockUnreadable(path, "", f"it is not UTF-8 (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        if _CONFLICT.search(data):
            raise LockUnreadable(
                path,
                "",
                "it has the marks of an unfinished merge",
                "take either side of the merge, then run `envmgr lock`",
            ) from None
        text = str(error)
        raise LockUnreadable(path, "", f"it is not TOML: {text[:1].lower()}{text[1:]}") from None
    except RecursionError:
        raise LockUnreadable(
            path, "", "it is not a lock: its values are nested too deeply"
        ) from None


def _named(value: object) -> str:
    return next(
        (name for kind, name in _NAMES.items() if isinstance(value, kind)), "a date or a time"
    )
