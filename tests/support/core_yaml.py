"""A YAML 1.2 core-schema load to plain data, independent of the product's reader.

An oracle: PyYAML's own scanner in Python composes, and the rules of YAML 1.2.2,
section 10.3.2, are applied here. Keys become text, as JSON has no other keys.
"""

import re
from typing import TypeAlias

import yaml

Data: TypeAlias = "bool | int | float | str | list[Data] | dict[str, Data] | None"

_WORDS: dict[str, bool | None] = {"": None, "~": None}
_WORDS |= dict.fromkeys(("null", "Null", "NULL"), None)
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)

_DECIMAL = re.compile(r"^[+-]?\d+$", re.ASCII)
_OCTAL = re.compile(r"^0o([0-7]+)$")
_HEXADECIMAL = re.compile(r"^0x([0-9A-Fa-f]+)$")
_FLOAT = re.compile(r"^[+-]?(\.\d+|\d+(\.\d*)?)([eE][+-]?\d+)?$", re.ASCII)
_SPECIAL = re.compile(r"^([+-]?)\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$")

_KEPT_TAGS = {
    yaml.ScalarNode: {"!", "tag:yaml.org,2002:str"},
    yaml.SequenceNode: {"tag:yaml.org,2002:seq"},
    yaml.MappingNode: {"tag:yaml.org,2002:map"},
}


class NotCore(Exception):
    """A text that is no single document of the core schema."""


class _Loader(yaml.SafeLoader):
    """Composes without resolving a plain scalar's tag."""


_Loader.yaml_implicit_resolvers = {}


def core_load(text: str) -> Data:
    """Load one document; what aliases repeat is shared. Raises NotCore."""
    text = text.removeprefix("\ufeff")
    try:
        node = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise NotCore(str(error)) from error
    return None if node is None else _data(node, {})


def _data(node: yaml.Node, known: dict[int, Data]) -> Data:
    if id(node) not in known:
        if node.tag not in _KEPT_TAGS[type(node)]:
            raise NotCore(f"a tag: {node.tag}")
        known[id(node)] = None
        known[id(node)] = _made(node, known)
    return known[id(node)]


def _made(node: yaml.Node, known: dict[int, Data]) -> Data:
    if isinstance(node, yaml.ScalarNode):
        plain = node.style is None and not _tagged(node)
        return _scalar(node.value) if plain else str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_data(item, known) for item in node.value]
    pairs = [(_key(key), _data(value, known)) for key, value in node.value]
    if len(dict(pairs)) < len(pairs):
        raise NotCore("a key stands twice")
    return dict(pairs)


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise NotCore("a key that is no scalar")
    return str(node.value)


def _tagged(node: yaml.ScalarNode) -> bool:
    """Whether a tag was written: then its text begins with ``!`` in the file."""
    mark = node.start_mark
    return str(mark.buffer)[mark.pointer :].startswith("!")


def _scalar(text: str) -> Data:
    if text in _WORDS:
        return _WORDS[text]
    if _DECIMAL.match(text):
        return int(text, 10)
    if (octal := _OCTAL.match(text)) is not None:
        return int(octal[1], 8)
    if (hexadecimal := _HEXADECIMAL.match(text)) is not None:
        return int(hexadecimal[1], 16)
    if _FLOAT.match(text):
        return float(text)
    if (special := _SPECIAL.match(text)) is not None:
        return float("nan") if special[3] else float(f"{special[1]}inf")
    return text
