"""The shapes a value of a file can have: each checks nodes and describes itself as JSON Schema.

Both come from one object, so that the parser and an editor agree. A shape
judges structure only; what a text means is the readers' business.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeAlias

from msgspec import Struct, field

from envmgr.spec.nodes import (
    Entry,
    ListNode,
    MappingNode,
    Node,
    ScalarNode,
    core_type,
    is_null,
)
from envmgr.spec.problems import Findings

JsonSchema: TypeAlias = dict[str, Any]


class Shape(Protocol):
    """What a value can look like."""

    @property
    def words(self) -> str:
        """What a person calls it, with its article: ``a list``."""

    @property
    def fits(self) -> tuple[type[Node], ...]:
        """The kinds of node that can have this shape."""

    @property
    def can_be_empty(self) -> bool:
        """Whether ``key:`` with nothing behind it stands for an empty value."""

    def check(self, node: Node, where: str, findings: Findings) -> Node | None:
        """Return the node without what does not fit, ``None`` where nothing is left.

        ``where`` names the value in messages; every part left out is a problem
        in ``findings``.
        """

    def schema(self) -> JsonSchema:
        """JSON Schema (Draft 2020-12) that judges a core-schema load the same way."""


def kind_of(node: Node) -> str:
    """Tell what stands there, in words."""
    if isinstance(node, ListNode):
        return "a list"
    if isinstance(node, MappingNode):
        return "a mapping"
    kind = core_type(node)
    if kind == "null":
        return "nothing"
    return "text" if kind == "string" else f"the {kind} `{shortened(node.text)}`"


def check_value(shape: Shape, node: Node, where: str, findings: Findings) -> Node | None:
    """Check the value of a key; lists and mappings may be left empty there."""
    if shape.can_be_empty and is_null(node):
        return node
    return shape.check(node, where, findings)


def value_schema(shape: Shape) -> JsonSchema:
    """Return the schema of the value of a key; see ``check_value``."""
    schema = shape.schema()
    if not shape.can_be_empty:
        return schema
    if "anyOf" in schema:
        return schema | {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    return schema | {"type": [schema["type"], "null"]}


def shortened(text: str) -> str:
    """Cut a text from the file to what fits into a message."""
    return text if len(text) <= 40 else f"{text[:37]}..."


def complain_of_kind(
    shape: Shape, node: Node, where: str, findings: Findings, hint: str | None
) -> None:
    """Add that a value is not what the shape takes."""
    subject = where or "the file"
    findings.add(node.at, f"{subject} must be {shape.words}, not {kind_of(node)}", hint)


class ListOf(Struct, frozen=True):
    """A list of values of one shape."""

    item: Shape
    hint: str | None = "write one item a line: `- ITEM`"
    """What to do where something else than a list was written."""
    words: ClassVar[str] = "a list"
    fits: ClassVar[tuple[type[Node], ...]] = (ListNode,)
    can_be_empty: ClassVar[bool] = True

    def check(self, node: Node, where: str, findings: Findings) -> Node | None:
        """Take lists; items that do not fit are left out."""
        if not isinstance(node, ListNode):
            complain_of_kind(self, node, where, findings, self.hint)
            return None
        name = f"an item of {where}"
        checked = [self.item.check(item, name, findings) for item in node.items]
        return ListNode(tuple(item for item in checked if item is not None), node.at)

    def schema(self) -> JsonSchema:
        """Arrays."""
        return {"type": "array", "items": self.item.schema()}


class KeyRule(Struct, frozen=True):
    """What the keys of a mapping look like; ``pattern`` is a regular expression of ECMA-262 too."""

    pattern: str
    words: str


class MapOf(Struct, frozen=True):
    """A mapping whose keys the user chooses."""

    value: Shape
    keys: KeyRule
    hint: str | None = None
    words: ClassVar[str] = "a mapping"
    fits: ClassVar[tuple[type[Node], ...]] = (MappingNode,)
    can_be_empty: ClassVar[bool] = True

    def check(self, node: Node, where: str, findings: Findings) -> Node | None:
        """Take mappings; entries that do not fit are left out."""
        if not isinstance(node, MappingNode):
            complain_of_kind(self, node, where, findings, self.hint)
            return None
        kept: list[Entry] = []
        for entry in node.entries:
            if not re.search(self.keys.pattern, entry.key.text):
                shown = shortened(entry.key.text)
                findings.add(entry.key.at, f"`{shown}` in {where} is not {self.keys.words}")
                continue
            name = f"`{shortened(entry.key.text)}` in {where}"
            value = check_value(self.value, entry.value, name, findings)
            if value is not None:
                kept.append(Entry(entry.key, value))
        return MappingNode(tuple(kept), node.at)

    def schema(self) -> JsonSchema:
        """Objects."""
        return {
            "type": "object",
            "propertyNames": {"pattern": self.keys.pattern},
            "additionalProperties": value_schema(self.value),
        }


class Field(Struct, frozen=True):
    """One key of a record."""

    name: str
    shape: Shape
    description: str
    supported: bool = True


class Record(Struct, frozen=True):
    """A mapping whose keys are known. ``one_of`` names keys of which one must be there."""

    fields: Sequence[Field]
    required: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    hints: Mapping[str, str] = field(default_factory=dict)
    """What to do about keys that belong to other tools."""
    unknown_hint: str | None = None
    """What to do about any other unknown key; its right keys are listed if this says nothing."""
    hint: str | None = None
    """What to do where something else than a mapping was written."""
    can_be_empty: bool = False
    words: ClassVar[str] = "a mapping"
    fits: ClassVar[tuple[type[Node], ...]] = (MappingNode,)

    def check(self, node: Node, where: str, findings: Findings) -> Node | None:
        """Take mappings; unknown and unfit keys are left out."""
        if not isinstance(node, MappingNode):
            complain_of_kind(self, node, where, findings, self.hint)
            return None
        fields = {known.name: known for known in self.fields}
        kept: list[Entry] = []
        for entry in node.entries:
            known = fields.get(entry.key.text)
            if known is None:
                self._unknown(entry.key, where, findings)
                continue
            value = check_value(known.shape, entry.value, f"`{known.name}`{_of(where)}", findings)
            if not known.supported:
                findings.unsupported(entry.key.at, f"`{known.name}`{_of(where)}")
            elif value is not None:
                kept.append(Entry(entry.key, value))
        whole = all(entry.key.text in fields for entry in node.entries)
        if whole:
            self._require(node, where, findings)
        return MappingNode(tuple(kept), node.at, whole)

    def _unknown(self, key: ScalarNode, where: str, findings: Findings) -> None:
        names = [known.name for known in self.fields]
        usable = [known.name for known in self.fields if known.supported]
        hint = self.hints.get(key.text) or nearest(key.text, names) or self.unknown_hint
        message = f"the key `{shortened(key.text)}` is not known{_in(where)}"
        findings.add(key.at, message, hint or f"use one of {', '.join(usable)}")

    def _require(self, node: MappingNode, where: str, findings: Findings) -> None:
        present = {entry.key.text for entry in node.entries}
        subject = where or "the file"
        for name in self.required:
            if name not in present:
                findings.add(node.at, f"{subject} needs the key `{name}`", f"add `{name}: ...`")
        if self.one_of and not present.intersection(self.one_of):
            wanted = ", ".join(f"`{name}`" for name in self.one_of)
            findings.add(node.at, f"{subject} needs one of the keys {wanted}")

    def schema(self) -> JsonSchema:
        """Objects with these keys and no others."""
        schema: JsonSchema = {
            "type": "object",
            "properties": {known.name: _field_schema(known) for known in self.fields},
            "additionalProperties": False,
        }
        if self.required:
            schema["required"] = list(self.required)
        if self.one_of:
            schema["anyOf"] = [{"required": [name]} for name in self.one_of]
        return schema


def _of(where: str) -> str:
    return f" of {where}" if where else ""


def _in(where: str) -> str:
    return f" in {where}" if where else ""


def _field_schema(known: Field) -> JsonSchema:
    suffix = "" if known.supported else " (not supported yet)"
    return {"description": f"{known.description}{suffix}"} | value_schema(known.shape)


class OneOf(Struct, frozen=True):
    """A value of one of several shapes, which differ in the kind of their nodes."""

    shapes: tuple[Shape, ...]

    @property
    def words(self) -> str:
        """All of them."""
        return " or ".join(shape.words for shape in self.shapes)

    @property
    def fits(self) -> tuple[type[Node], ...]:
        """Every kind that one of them takes."""
        return tuple(kind for shape in self.shapes for kind in shape.fits)

    @property
    def can_be_empty(self) -> bool:
        """Whether one of them can."""
        return any(shape.can_be_empty for shape in self.shapes)

    def check(self, node: Node, where: str, findings: Findings) -> Node | None:
        """Let the shape judge that is of the node's kind."""
        for shape in self.shapes:
            if isinstance(node, shape.fits) and not is_null(node):
                return shape.check(node, where, findings)
        complain_of_kind(self, node, where, findings, None)
        return None

    def schema(self) -> JsonSchema:
        """Any of them."""
        return {"anyOf": [shape.schema() for shape in self.shapes]}


def nearest(text: str, words: Sequence[str], cutoff: float = 0.65) -> str | None:
    """Tell which of the right words was meant, as a hint; ``None`` where none is near."""
    from difflib import get_close_matches

    spelled = text.lower().replace("_", "-").replace(" ", "-")
    found = get_close_matches(spelled, words, n=1, cutoff=cutoff)
    return f"write `{found[0]}`" if found else None
