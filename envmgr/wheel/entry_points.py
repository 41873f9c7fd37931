"""entry_points.txt (entry points specification), and what scripts are made of."""

import re

from msgspec import Struct

from envmgr.wheel.manifest import EntryPoint

SCRIPT_GROUPS = ("console_scripts", "gui_scripts")

_REFERENCE = re.compile(
    r"(?P<module>[\w.]+)\s*(?::\s*(?P<attribute>[\w.]+)\s*)?(?P<extras>\[[^\[\]]*\])?"
)


class InvalidEntryPoints(ValueError):
    """An entry_points.txt that cannot be used; ``reason`` is one clause, ``line`` from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason

    def __str__(self) -> str:
        return f"entry_points.txt cannot be used: line {self.line}: {self.reason}"


class ObjectReference(Struct, frozen=True):
    """What an entry point's value names: ``module``, and an ``attribute`` path within it."""

    module: str
    attribute: str | None


def parse_entry_points(text: str) -> tuple[EntryPoint, ...]:
    """Read entry_points.txt, in its order; of one name written twice in a group the last counts.

    Raises InvalidEntryPoints.
    """
    found: dict[tuple[str, str], EntryPoint] = {}
    group: str | None = None
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            group = line[1:-1].strip()
            continue
        name, separator, value = line.partition("=")
        if group is None:
            raise InvalidEntryPoints(number, "it stands before the first [group]")
        if not separator or not name.strip():
            raise InvalidEntryPoints(number, "expected NAME = VALUE")
        entry = EntryPoint(group, name.strip(), value.strip())
        found[group, entry.name] = entry
    return tuple(found.values())


def parse_object_reference(value: str) -> ObjectReference | None:
    """Read ``module:attribute [extras]``; ``None`` where it is not one that can be imported."""
    match = _REFERENCE.fullmatch(value.strip())
    if match is None:
        return None
    module, attribute = match["module"], match["attribute"]
    parts = module.split(".") + (attribute.split(".") if attribute else [])
    if not all(part.isidentifier() for part in parts):
        return None
    return ObjectReference(module, attribute)


def script_problem(entry: EntryPoint) -> str | None:
    """Say why no script can be made of an entry point of a script group, or ``None``.

    The name becomes a file in ``bin`` and the value becomes code, so both are
    held to what they may be.
    """
    name = entry.name
    if "/" in name or "\\" in name or name in {".", ".."} or not name.isprintable():
        return f"{name!r} cannot be the name of a script"
    reference = parse_object_reference(entry.value)
    if reference is None or reference.attribute is None:
        return f"script {name!r} names {entry.value!r}, which is not module:function"
    return None
