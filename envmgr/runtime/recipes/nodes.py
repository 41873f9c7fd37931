"""Values out of the nodes of a recipe whose structure was checked: nothing is ever missing."""

from envmgr.spec.nodes import ListNode, MappingNode, ScalarNode


def text(node: MappingNode, key: str) -> str:
    """Return a text; empty where it is absent."""
    value = node.get(key)
    return value.text if isinstance(value, ScalarNode) else ""


def flag(node: MappingNode, key: str) -> bool:
    """Return a flag; false where it is absent."""
    return text(node, key).lower() == "true"


def texts(node: MappingNode, key: str) -> tuple[str, ...]:
    """Return a list of texts; empty where it is absent."""
    value = node.get(key)
    items = value.items if isinstance(value, ListNode) else ()
    return tuple(item.text for item in items if isinstance(item, ScalarNode))


def mappings(node: MappingNode, key: str) -> tuple[MappingNode, ...]:
    """Return a list of mappings; empty where it is absent."""
    value = node.get(key)
    items = value.items if isinstance(value, ListNode) else ()
    return tuple(item for item in items if isinstance(item, MappingNode))


def mapping_of(node: MappingNode, key: str) -> dict[str, str]:
    """Return a mapping of texts; empty where it is absent."""
    value = node.get(key)
    entries = value.entries if isinstance(value, MappingNode) else ()
    return {
        entry.key.text: entry.value.text for entry in entries if isinstance(entry.value, ScalarNode)
    }
