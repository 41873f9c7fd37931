"""Nodes of a YAML file that know where they stand, under YAML 1.2's core schema.

A scalar keeps the text as it was written; what kind of value the core schema
(YAML 1.2.2, section 10.3.2) makes of it is asked separately, by ``core_type``.
"""

import re
from typing import Literal, TypeAlias

from msgspec import Struct

from envmgr.spec.problems import Place

CoreType: TypeAlias = Literal["null", "boolean", "integer", "number", "string"]


class ScalarNode(Struct, frozen=True):
    """A scalar as written. ``text_at`` is where its first character stands.

    ``None`` where the text does not stand in the file as it is, on one line.
    """

    text: str
    plain: bool
    at: Place
    text_at: Place | None = None

    def column(self, offset: int | None) -> Place:
        """Place of the ``offset``-th character of the text, as well as it can be told."""
        if offset is None or self.text_at is None:
            return self.at
        return Place(self.text_at.line, self.text_at.column + offset)


class ListNode(Struct, frozen=True):
    """A sequence."""

    items: tuple["Node", ...]
    at: Place


class Entry(Struct, frozen=True):
    """One key of a mapping with its value."""

    key: ScalarNode
    value: "Node"


class MappingNode(Struct, frozen=True):
    """A mapping whose keys are scalars, each once."""

    entries: tuple[Entry, ...]
    at: Place
    whole: bool = True
    """Whether a check left no unknown key out."""

    def get(self, key: str) -> "Node | None":
        """Return the value of a key, ``None`` where it is absent."""
        return next((entry.value for entry in self.entries if entry.key.text == key), None)


Node: TypeAlias = ScalarNode | ListNode | MappingNode

_NULL = re.compile(r"null|Null|NULL|~|")
_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


def core_type(node: ScalarNode) -> CoreType:
    """Tell what the core schema makes of a scalar (YAML 1.2.2, section 10.3.2)."""
    if not node.plain:
        return "string"
    if _NULL.fullmatch(node.text):
        return "null"
    if _BOOLEAN.fullmatch(node.text):
        return "boolean"
    if _INTEGER.fullmatch(node.text):
        return "integer"
    return "number" if _NUMBER.fullmatch(node.text) else "string"


def is_null(node: Node) -> bool:
    """Whether a value is left out: ``key:``, ``null`` or ``~``."""
    return isinstance(node, ScalarNode) and core_type(node) == "null"
