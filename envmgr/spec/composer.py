"""YAML text to nodes: PyYAML's scanner (libyaml where it is there) and rules of our own.

The scanner follows YAML 1.1; its rules for scalars (``no``, ``1:30``) are never
used, and where it would split lines that YAML 1.2 does not, the text is refused.
"""

import re
from collections.abc import Iterator
from typing import Literal, NoReturn

import yaml
from msgspec import Struct

from envmgr.spec.nodes import Entry, ListNode, MappingNode, Node, ScalarNode
from envmgr.spec.problems import START, Findings, Place
from envmgr.spec.syntax import explain_syntax

MAX_CHARACTERS = 1 << 20
"""Longer texts are not environment files."""
MAX_DEPTH = 32
MAX_NODES = 50_000
"""Of a file with its aliases written out: a few lines of aliases can stand for billions."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def decode(data: bytes, findings: Findings) -> str | None:
    """Return the text of a file; ``None``, and a problem, where it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        message = f"the byte 0x{data[error.start]:02x} is not UTF-8"
        findings.add(_end_of(before), message, "save the file as UTF-8")
    return None


def _end_of(text: str) -> Place:
    lines = re.split(r"\r\n|\r|\n", text)
    return Place(len(lines), len(lines[-1]) + 1)


def compose(text: str, findings: Findings) -> Node | None:
    """Read one YAML document; its problems go into ``findings``.

    ``None`` where there is no document that could be read further; then there
    is at least one problem.
    """
    text = text.removeprefix("\ufeff")
    if not _is_readable(text, findings):
        return None
    try:
        return _Builder(findings).build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        if "nesting depth" in (error.problem or "") and mark and mark.index < len(text):
            # PyYAML 6.0.4 looks ahead, and stops a thousand levels down before we see one.
            return compose(text[: mark.index], findings)
        at, message, hint = explain_syntax(error, text)
        findings.add(at, message, hint)
    return None


_UNREADABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]"
)
"""What is not c-printable (section 5.1), and the line breaks of YAML 1.1 that 1.2 takes for text.

Written as what is refused: the set of what is allowed takes 5 ms to compile.
"""


def _is_readable(text: str, findings: Findings) -> bool:
    if len(text) > MAX_CHARACTERS:
        findings.add(START, f"the file is longer than {MAX_CHARACTERS:,} characters")
        return False
    found = _UNREADABLE.search(text)
    if found is None:
        return True
    code = f"U+{ord(found.group()):04X}"
    hint = "remove it, or write it as an escape in double quotes"
    at = _end_of(text[: found.start()])
    findings.add(at, f"the character {code} cannot stand in a YAML file", hint)
    return False


class _Frame(Struct):
    """A list or mapping that is being read; a mapping's children alternate key, value."""

    kind: Literal["list", "mapping"]
    at: Place
    anchor: str | None
    children: list[Node]
    weight: int = 1


class _TooMuch(Exception):
    """The document is refused as a whole; its problem is among the findings."""


_TAG = "tag:yaml.org,2002:"
_HARMLESS_TAGS = {
    "scalar": ("!", f"{_TAG}str"),
    "list": (f"{_TAG}seq",),
    "mapping": (f"{_TAG}map",),
}


class _Builder:
    """Makes nodes of PyYAML's events, without recursion and within bounds."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._root: Node | None = None
        self._nodes = 0

    def build(self, events: Iterator[yaml.Event]) -> Node | None:
        documents = 0
        try:
            for event in events:
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        self._refuse(_place(event), "a second document begins here", "keep one")
                else:
                    self._take(event)
        except _TooMuch:
            return None
        if self._root is None:
            self._findings.add(START, "the file is empty", "list packages under `dependencies:`")
        return self._root

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open("list", event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open("mapping", event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        at = _place(event)
        self._check_tag("scalar", event.tag, at)
        plain = not event.style and event.tag is None
        text_at = _text_place(event, event.value, quoted=bool(event.style))
        self._add(ScalarNode(event.value, plain, at, text_at), 1, event.anchor)

    def _alias(self, event: yaml.AliasEvent) -> None:
        at = _place(event)
        known = self._anchors.get(event.anchor or "")
        if known is None:
            hint = f'put it in quotes, if text is meant: "*{event.anchor}"'
            self._refuse(at, f"`*{event.anchor}` refers to no anchor `&{event.anchor}` above", hint)
        self._add(*known, None, at)

    def _open(self, kind: Literal["list", "mapping"], event: yaml.CollectionStartEvent) -> None:
        at = _place(event)
        self._check_tag(kind, event.tag, at)
        if len(self._stack) >= MAX_DEPTH:
            self._refuse(at, f"lists and mappings nest deeper than {MAX_DEPTH} levels")
        self._stack.append(_Frame(kind, at, event.anchor, []))

    def _close(self) -> None:
        frame = self._stack.pop()
        node: Node
        if frame.kind == "list":
            node = ListNode(tuple(frame.children), frame.at)
        else:
            node = MappingNode(tuple(self._entries(frame.children)), frame.at)
        self._add(node, frame.weight, frame.anchor)

    def _entries(self, children: list[Node]) -> Iterator[Entry]:
        seen: dict[str, Place] = {}
        for key, value in zip(children[::2], children[1::2], strict=True):
            if not isinstance(key, ScalarNode):
                self._findings.add(key.at, "a key must be text, not a list or a mapping")
            elif key.text in seen:
                first = f"it stands in line {seen[key.text].line} already"
                self._findings.add(key.at, f"the key `{key.text}` stands twice; {first}", _ONCE)
            elif key.plain and key.text == "<<":
                self._findings.add(key.at, "merge keys (`<<`) are not in YAML 1.2", _NO_MERGE)
            else:
                seen[key.text] = key.at
                yield Entry(key, value)

    def _add(self, node: Node, weight: int, anchor: str | None, at: Place | None = None) -> None:
        """Put a finished node where it belongs; ``weight`` counts it and all it holds."""
        if anchor is not None:
            self._anchors[anchor] = (node, weight)
        if not self._stack:
            self._root = node
            return
        frame = self._stack[-1]
        frame.children.append(node)
        frame.weight += weight
        if frame.weight > MAX_NODES:
            message = f"the file stands for more than {MAX_NODES:,} values"
            self._refuse(at or node.at, message, "use fewer aliases")

    def _check_tag(self, kind: str, tag: str | None, at: Place) -> None:
        if tag is None or tag in _HARMLESS_TAGS[kind]:
            return
        shown = tag if tag.startswith("!") else tag.replace(_TAG, "!!")
        message = f"the tag `{shown}` has no meaning in this file"
        self._findings.add(at, message, "remove it and keep the value")

    def _refuse(self, at: Place, message: str, hint: str | None = None) -> NoReturn:
        self._findings.add(at, message, hint)
        raise _TooMuch


_ONCE = "keep one of the two"
_NO_MERGE = "write the keys out, or use an alias for a whole value"


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return START if mark is None else Place(mark.line + 1, mark.column + 1)


def _text_place(event: yaml.Event, text: str, *, quoted: bool) -> Place | None:
    """Tell where a scalar's text begins, if it stands on one line without escapes."""
    start, end = event.start_mark, event.end_mark
    if start is None or end is None or end.line != start.line:
        return None
    begin = end.column - len(text) - int(quoted)
    return Place(start.line + 1, begin + 1) if begin == start.column + int(quoted) else None
