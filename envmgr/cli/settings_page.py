"""``config show``: every setting, its value, and where it came from. Pure."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from envmgr.cli.listing import render_table

if TYPE_CHECKING:
    from envmgr.spec.settings import Settings

_KEYS = {"home": "root", "expansions": "expand"}
"""Fields whose key in ``config.yaml`` has another name."""
_HIDDEN = {"origins", "indexes_locked_by"}


@dataclasses.dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting. ``values`` has several items for a list, none for an empty one."""

    name: str
    values: tuple[str, ...]
    origin: str


def settings_rows(settings: "Settings") -> tuple[SettingRow, ...]:
    """Every setting but the values of variables and of credentials, which may be secret."""
    return tuple(
        _row(settings, field.name)
        for field in dataclasses.fields(settings)
        if field.name not in _HIDDEN
    )


def render_settings(rows: Sequence[SettingRow]) -> str:
    """Make a table with a line for each value."""
    lines = []
    for row in rows:
        first, *more = row.values or ("-",)
        lines.append([row.name, first, row.origin])
        lines += [["", value, ""] for value in more]
    return render_table(["SETTING", "VALUE", "FROM"], lines)


def _row(settings: "Settings", name: str) -> SettingRow:
    key = _KEYS.get(name, name)
    origin = settings.origins.get("root" if key == "environments" else key, "default")
    return SettingRow(key, _texts(getattr(settings, name)), origin)


def _texts(value: object) -> tuple[str, ...]:
    match value:
        case bool():
            return ("true" if value else "false",)
        case None:
            return ()
        case str() | PurePath() | int():
            return (str(value),)
        case Mapping():
            return tuple(sorted(value))
        case list() | tuple() | frozenset():
            return tuple(text for item in value for text in _texts(item))
    return (f"{value.name} {value.shown_url}",)  # type: ignore[attr-defined]  # an IndexSpec
