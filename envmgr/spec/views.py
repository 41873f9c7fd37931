"""What an environment file says about its view: how packages are linked, and who wins a path."""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase

from msgspec import Struct

from envmgr.names import InvalidName, PackageName, normalized, package_name
from envmgr.spec.nodes import ListNode, MappingNode, Node, ScalarNode
from envmgr.spec.problems import Findings


class LinkWay(StrEnum):
    """How the files of a package get into a view."""

    FOLD = "fold"
    """A link at the highest directory that allows it."""
    FILE = "file"
    """Real directories, in which each file is a link."""
    HARDLINK = "hardlink"
    """Real directories, in which each file is a further name of the entry's."""
    COPY = "copy"
    """Real directories and files of the view's own, which programs may change."""


class ConflictRule(Struct, frozen=True):
    """Of several packages that bring one path, the one whose file stands.

    ``path`` is relative to ``site-packages``; with a ``/`` in front, to the prefix.
    ``*``, ``?`` and ``[abc]`` stand for parts of one name, ``**`` for any names in between
    or, at the end, for everything inside.
    """

    path: str
    keep: PackageName

    def matches(self, path: str) -> bool:
        """Tell whether a path, written in the same way, is meant."""
        same_root = self.path.startswith("/") == path.startswith("/")
        return same_root and _matches(_segments(self.path), path.split("/"))

    def __str__(self) -> str:
        """Return the rule as an item of ``conflicts``."""
        return f"{{path: {_scalar(self.path)}, keep: {self.keep}}}"


def literal_path(path: str) -> str:
    """Write a path so that no character of it stands for others."""
    return re.sub(r"[*?[]", r"[\g<0>]", path)


def _segments(pattern: str) -> list[str]:
    """Split at ``/``; several ``**`` in a row are one."""
    found: list[str] = []
    for segment in pattern.split("/"):
        if segment != "**" or found[-1:] != ["**"]:
            found.append(segment)
    return found


def _matches(pattern: Sequence[str], names: Sequence[str]) -> bool:
    if not pattern or not names:
        return not pattern and not names
    if pattern[0] != "**":
        return fnmatchcase(names[0], pattern[0]) and _matches(pattern[1:], names[1:])
    if len(pattern) == 1:
        return True
    return any(_matches(pattern[1:], names[skipped:]) for skipped in range(len(names)))


_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./*+@-]*", re.ASCII)


def _scalar(text: str) -> str:
    """Write a text as a YAML scalar that may stand inside ``{}``."""
    if _PLAIN.fullmatch(text) and text.lower() != "null":
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parse_link(node: Node | None, findings: Findings) -> dict[PackageName, LinkWay]:
    """Read ``link``. Names are normalised (PEP 503); two that become one are a problem."""
    ways: dict[PackageName, LinkWay] = {}
    for entry in node.entries if isinstance(node, MappingNode) else ():
        name = package_name(entry.key.text.rstrip("\n"))
        if name in ways:
            message = f"`link` says twice how {name} is linked"
            findings.add(entry.key.at, message, "remove one of the two")
        elif isinstance(entry.value, ScalarNode):
            ways[name] = LinkWay(entry.value.text)
    return ways


def parse_conflicts(node: Node | None, findings: Findings) -> tuple[ConflictRule, ...]:
    """Read ``conflicts``, in the order of the file: the first rule that fits decides."""
    rules: list[ConflictRule] = []
    for path, keep in _rules(node):
        rule = ConflictRule(path.text, _kept(keep, findings))
        reason = _wrong_path(path.text)
        if reason is not None:
            findings.add(path.at, *reason)
        elif rule in rules:
            findings.add(path.at, f"`conflicts` has {rule} twice", "remove one of the two")
        else:
            rules.append(rule)
    return tuple(rules)


def _rules(node: Node | None) -> Iterator[tuple[ScalarNode, ScalarNode]]:
    for item in node.items if isinstance(node, ListNode) else ():
        if isinstance(item, MappingNode):
            path, keep = item.get("path"), item.get("keep")
            if isinstance(path, ScalarNode) and isinstance(keep, ScalarNode):
                yield path, keep


def _kept(node: ScalarNode, findings: Findings) -> PackageName:
    try:
        return package_name(node.text)
    except InvalidName:
        found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", node.text)
        hint = f"write `{normalized(found.group())}`: a name and no version" if found else None
        findings.add(node.at, f"`{node.text}` is not the name of a package", hint)
        return PackageName("")


_SITE = re.compile(r"/?(?:.*/)?site-packages/(.+)", re.DOTALL)


def _wrong_path(text: str) -> tuple[str, str] | None:
    """Tell what is wrong with a path, and what to do; ``None`` where it can be matched."""
    site = _SITE.fullmatch(text)
    if site is not None:
        hint = f"write `{site[1]}`"
        return f"`{text}` must be relative to site-packages itself", hint
    if any(name in {"", ".", ".."} for name in text.removeprefix("/").split("/")):
        hint = "write names with one `/` between them: `tests/conftest.py`, or `/bin/tool`"
        return f"`{text}` is not a path inside an environment", hint
    return None
