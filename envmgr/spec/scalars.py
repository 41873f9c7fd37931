"""The shapes of single values: text, words, flags and numbers."""

from typing import ClassVar

from msgspec import Struct

from envmgr.spec.nodes import Node, ScalarNode, core_type, is_null
from envmgr.spec.problems import Findings
from envmgr.spec.shapes import JsonSchema, complain_of_kind, nearest, shortened


class Text(Struct, frozen=True):
    """Any scalar but null, taken as written: ``3.10`` and ``no`` are text."""

    examples: tuple[str, ...] = ()
    words: ClassVar[str] = "text"
    fits: ClassVar[tuple[type[Node], ...]] = (ScalarNode,)
    can_be_empty: ClassVar[bool] = False

    def check(self, node: Node, where: str, findings: Findings) -> Node | None:
        """Take scalars."""
        if isinstance(node, ScalarNode) and core_type(node) != "null":
            return node
        hint = "write a value, or remove it" if is_null(node) else None
        complain_of_kind(self, node, where, findings, hint)
        return None

    def schema(self) -> JsonSchema:
        """Strings, and the numbers and booleans the core schema makes of some texts."""
        schema: JsonSchema = {"type": ["string", "number", "boolean"]}
        return schema | {"examples": list(self.examples)} if self.examples else schema


class Choice(Struct, frozen=True):
    """One of a few words; those not built yet are in ``unsupported``."""

    values: tuple[str, ...]
    unsupported: frozenset[str] = frozenset()
    fits: ClassVar[tuple[type[Node], ...]] = (ScalarNode,)
    can_be_empty: ClassVar[bool] = False

    @property
    def words(self) -> str:
        """The words themselves."""
        return " or ".join(f"`{value}`" for value in self.values)

    def check(self, node: Node, where: str, findings: Findings) -> Node | None:
        """Take one of the words."""
        if not isinstance(node, ScalarNode) or core_type(node) == "null":
            complain_of_kind(self, node, where, findings, None)
            return None
        if node.text not in self.values or core_type(node) != "string":
            hint = nearest(node.text, self.values, 0.75)
            message = f"{where} must be {self.words}, not `{shortened(node.text)}`"
            findings.add(node.at, message, hint)
            return None
        if node.text in self.unsupported:
            first = next(value for value in self.values if value not in self.unsupported)
            findings.unsupported(node.at, f"`{node.text}` as {where}", f"write `{first}`")
        return node

    def schema(self) -> JsonSchema:
        """List the words."""
        return {"enum": list(self.values)}


class Flag(Struct, frozen=True):
    """``true`` or ``false``."""

    words: ClassVar[str] = "`true` or `false`"
    fits: ClassVar[tuple[type[Node], ...]] = (ScalarNode,)
    can_be_empty: ClassVar[bool] = False

    def check(self, node: Node, where: str, findings: Findings) -> Node | None:
        """Take the booleans of the core schema."""
        if isinstance(node, ScalarNode) and core_type(node) == "boolean":
            return node
        complain_of_kind(self, node, where, findings, _flag_hint(node))
        return None

    def schema(self) -> JsonSchema:
        """Booleans."""
        return {"type": "boolean"}


def _flag_hint(node: Node) -> str | None:
    text = node.text.lower() if isinstance(node, ScalarNode) else ""
    if text in {"yes", "on", "y", "true", "1"}:
        return "write true, without quotes"
    return "write false, without quotes" if text in {"no", "off", "n", "false", "0"} else None


class Count(Struct, frozen=True):
    """A whole number from ``minimum`` on."""

    minimum: int
    fits: ClassVar[tuple[type[Node], ...]] = (ScalarNode,)
    can_be_empty: ClassVar[bool] = False

    @property
    def words(self) -> str:
        """The range."""
        return f"a whole number from {self.minimum} on"

    def check(self, node: Node, where: str, findings: Findings) -> Node | None:
        """Take whole numbers, ``2.0`` included, as JSON Schema does."""
        number = whole_number(node)
        if number is not None and number >= self.minimum:
            return node
        complain_of_kind(self, node, where, findings, None)
        return None

    def schema(self) -> JsonSchema:
        """Integers from the minimum on."""
        return {"type": "integer", "minimum": self.minimum}


class SchemaVersion(Struct, frozen=True):
    """The number of the file's format."""

    version: int
    fits: ClassVar[tuple[type[Node], ...]] = (ScalarNode,)
    can_be_empty: ClassVar[bool] = False

    @property
    def words(self) -> str:
        """The number."""
        return f"the number {self.version}"

    def check(self, node: Node, where: str, findings: Findings) -> Node | None:
        """Take this one version."""
        number = whole_number(node)
        if number == self.version:
            return node
        if number is not None:
            message = f"{where} {shortened(str(number))} is not known to this envmgr"
            hint = f"write {self.version}, or use an envmgr that reads it"
            findings.add(node.at, message, hint)
        else:
            complain_of_kind(self, node, where, findings, f"write {self.version}, without quotes")
        return None

    def schema(self) -> JsonSchema:
        """Return the constant."""
        return {"const": self.version}


_MOST_DIGITS = 4000
"""Python refuses to read whole numbers longer than 4,300 digits."""


def whole_number(node: Node) -> int | None:
    """Return the whole number a scalar is by the core schema, ``None`` for any other node."""
    if not isinstance(node, ScalarNode) or len(node.text) > _MOST_DIGITS:
        return None
    kind = core_type(node)
    if kind == "integer":
        based = node.text.startswith(("0o", "0x"))
        return int(node.text, 0 if based else 10)
    if kind == "number" and node.text.lower().lstrip("+-") not in {".inf", ".nan"}:
        number = float(node.text)
        return int(number) if number.is_integer() else None
    return None
