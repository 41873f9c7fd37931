"""The list of indexes, of an environment file or of a configuration."""

import re
from collections.abc import Mapping
from pathlib import Path

from envmgr.names import IndexName
from envmgr.spec.addresses import AddressInvalid, parse_address
from envmgr.spec.indexes import IndexSpec
from envmgr.spec.nodes import ListNode, MappingNode, Node, ScalarNode
from envmgr.spec.problems import Findings
from envmgr.spec.settings import PYPI

KNOWN = {"pypi": PYPI}
"""Indexes whose address need not be written."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_GLOB = re.compile(r"(?:[a-z0-9*?-]|\[!?[a-z0-9-]+\])+")


def parse_indexes(
    node: Node | None, directory: Path, expand: Mapping[str, str], findings: Findings
) -> tuple[IndexSpec, ...]:
    """Read ``indexes``. Paths are relative to ``directory``, names are unique."""
    indexes: list[IndexSpec] = []
    seen: set[str] = set()
    for item in node.items if isinstance(node, ListNode) else ():
        if not isinstance(item, MappingNode):
            continue
        name = _parse_name(item, findings)
        address = _parse_url(item, name, directory, expand, findings)
        packages = _parse_globs(item.get("packages"), findings)
        if name is None:
            continue
        if name.lower() in seen:
            message = f"two indexes are called `{name}`"
            findings.add(item.at, message, "rename one of them, or keep one")
        seen.add(name.lower())
        if address is not None:
            url, shown = address
            indexes.append(IndexSpec(name=name, url=url, shown_url=shown, packages=packages))
    return tuple(indexes)


def _parse_name(item: MappingNode, findings: Findings) -> IndexName | None:
    node = item.get("name")
    if not isinstance(node, ScalarNode):
        return None
    if not _NAME.fullmatch(node.text):
        hint = "use letters, digits, `-`, `_` and `.`"
        findings.add(node.at, f"`{node.text}` cannot be the name of an index", hint)
        return None
    return IndexName(node.text)


def _parse_url(
    item: MappingNode,
    name: IndexName | None,
    directory: Path,
    expand: Mapping[str, str],
    findings: Findings,
) -> tuple[str, str] | None:
    node = item.get("url")
    if isinstance(node, ScalarNode):
        try:
            return parse_address(node.text, directory, expand)
        except AddressInvalid as error:
            findings.add(node.column(error.offset), error.reason, error.hint)
            return None
    if name in KNOWN:
        return KNOWN[name], KNOWN[name]
    if name is not None and item.whole:
        hint = "write `pypi`" if name.lower() in KNOWN else "give its address as `url`"
        findings.add(item.at, f"the address of the index `{name}` is not known", hint)
    return None


def _parse_globs(node: Node | None, findings: Findings) -> tuple[str, ...]:
    globs: list[str] = []
    for item in node.items if isinstance(node, ListNode) else ():
        if not isinstance(item, ScalarNode):
            continue
        glob = re.sub(r"[-_.]+", "-", item.text).lower()
        if _GLOB.fullmatch(glob):
            globs.append(glob)
        else:
            hint = "use letters, digits, `-`, `*`, `?` and `[abc]`; no version"
            findings.add(item.at, f"`{item.text}` is not a pattern of package names", hint)
    return tuple(globs)
