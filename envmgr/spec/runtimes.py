"""What an environment file says of shared runtimes: ``runtimes``."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from msgspec import Struct, field

from envmgr.names import PackageName, package_name
from envmgr.spec.nodes import MappingNode, Node, ScalarNode
from envmgr.spec.problems import START, Findings, Place

VENDORED = "vendored"
"""Packages keep their own copies."""


@dataclass(frozen=True, slots=True)
class RuntimeWish:
    """What is wished for one family. Whether there is such a thing the recipes tell."""

    implementation: str | None = None
    """``None`` for what is best automatically."""
    host: str | None = None
    """A library of the machine, or ``auto``."""
    apart: frozenset[PackageName] = frozenset()
    """Packages that keep their own copies: ``unify: {PACKAGE: false}``."""
    at: Place = dataclass_field(default=START, compare=False)
    """Where the file says it."""


class Runtimes(Struct, frozen=True):
    """``runtimes``. With ``vendored`` every package keeps its own copies of everything."""

    vendored: bool = False
    families: Mapping[str, RuntimeWish] = field(default_factory=dict)


def parse_runtimes(node: Node | None, findings: Findings) -> Runtimes:
    """Read ``runtimes``."""
    if isinstance(node, ScalarNode):
        return Runtimes(vendored=node.text == VENDORED)
    entries = node.entries if isinstance(node, MappingNode) else ()
    return Runtimes(
        families={entry.key.text: _wish(entry.value, entry.key, findings) for entry in entries}
    )


def _wish(node: Node, key: ScalarNode, findings: Findings) -> RuntimeWish:
    if isinstance(node, ScalarNode):
        return RuntimeWish(_word(node), at=node.at)
    if not isinstance(node, MappingNode):
        return RuntimeWish(at=key.at)
    implementation, host, unify = (node.get(each) for each in ("implementation", "host", "unify"))
    if implementation is not None and host is not None:
        message = f"`{key.text}` names an implementation and a library of the host"
        findings.add(host.at, message, "keep one of the two")
    return RuntimeWish(
        implementation=_word(implementation),
        host=_word(host),
        apart=_apart(unify),
        at=(implementation or host or key).at,
    )


def _word(node: Node | None) -> str | None:
    return node.text if isinstance(node, ScalarNode) else None


def _apart(node: Node | None) -> frozenset[PackageName]:
    entries = node.entries if isinstance(node, MappingNode) else ()
    return frozenset(
        package_name(entry.key.text.rstrip("\n"))
        for entry in entries
        if isinstance(entry.value, ScalarNode) and entry.value.text.lower() == "false"
    )
