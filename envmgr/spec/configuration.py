"""``config.yaml``, of a user or of a site: from text to a value, or to all of its problems."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envmgr.spec.composer import compose, decode
from envmgr.spec.index_list import parse_indexes
from envmgr.spec.indexes import IndexSpec
from envmgr.spec.keys import INDEX
from envmgr.spec.nodes import (
    ListNode,
    MappingNode,
    Node,
    ScalarNode,
    is_null,
)
from envmgr.spec.problems import ConfigurationInvalid, Findings, Place
from envmgr.spec.scalars import Choice, Flag, Text
from envmgr.spec.shapes import Field, ListOf, Record

LOCKABLE = tuple("root cache stores indexes offline compile interpreters recipes expand".split())

CONFIGURATION = Record(
    (
        Field("root", Text(), "where stores and named environments live"),
        Field("cache", Text(), "where pages, metadata and downloads are kept"),
        Field("stores", ListOf(Text()), "further stores to look in, which are only read"),
        Field("indexes", ListOf(INDEX), "indexes of files that name none"),
        Field("offline", Flag(), "ask no index"),
        Field("compile", Flag(), "compile bytecode ahead"),
        Field("interpreters", ListOf(Text()), "further interpreters, or directories of them"),
        Field("recipes", ListOf(Text()), "directories of recipes that add to those of envmgr"),
        Field("expand", ListOf(Text()), "variables that index URLs may use besides ENVMGR_*"),
        Field("locked", ListOf(Choice(LOCKABLE)), "what users and files of a site cannot change"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One ``config.yaml``. ``None`` where it says nothing."""

    file: Path
    root: Path | None = None
    cache: Path | None = None
    stores: tuple[Path, ...] | None = None
    indexes: tuple[IndexSpec, ...] | None = None
    offline: bool | None = None
    compile: bool | None = None
    interpreters: tuple[Path, ...] | None = None
    recipes: tuple[Path, ...] | None = None
    expand: tuple[str, ...] | None = None
    locked: frozenset[str] = frozenset()
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where each key stands."""


def parse_configuration(
    data: bytes, file: Path, environ: Mapping[str, str], home: Path, *, site: bool
) -> Configuration:
    """Read a ``config.yaml``; an empty one says nothing.

    Paths may begin with ``~/`` and hold ``${NAME}`` of ``environ``, and so may
    the URLs of indexes. Raises ConfigurationInvalid with every problem.
    """
    findings = Findings(file)
    configuration = _parse(data, _Surroundings(file, environ, home, site), findings)
    if findings.problems:
        raise ConfigurationInvalid(file, findings.problems)
    return configuration


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What the meaning of a configuration's paths depends on."""

    file: Path
    environ: Mapping[str, str]
    home: Path
    site: bool


def _parse(data: bytes, around: _Surroundings, findings: Findings) -> Configuration:
    nothing = Configuration(file=around.file)
    text = decode(data, findings)
    if text is None or not re.sub(r"#.*", "", text).strip("\ufeff \t\r\n"):
        return nothing
    root = compose(text, findings)
    if root is None:
        return nothing
    config = CONFIGURATION.check(root, "", findings)
    if not isinstance(config, MappingNode):
        return nothing
    return Configuration(
        file=around.file,
        root=_path(config.get("root"), around, findings),
        cache=_path(config.get("cache"), around, findings),
        stores=_paths(config.get("stores"), around, findings),
        indexes=_indexes(config.get("indexes"), around, findings),
        offline=_flag(config.get("offline")),
        compile=_flag(config.get("compile")),
        interpreters=_paths(config.get("interpreters"), around, findings),
        recipes=_paths(config.get("recipes"), around, findings),
        expand=_names(config.get("expand"), findings),
        locked=_locked(config, around, findings),
        places={entry.key.text: entry.key.at for entry in config.entries},
    )


def _items(node: Node | None) -> tuple[ScalarNode, ...]:
    items = node.items if isinstance(node, ListNode) else ()
    return tuple(item for item in items if isinstance(item, ScalarNode))


def _flag(node: Node | None) -> bool | None:
    return node.text.lower() == "true" if isinstance(node, ScalarNode) else None


def _indexes(
    node: Node | None, around: _Surroundings, findings: Findings
) -> tuple[IndexSpec, ...] | None:
    if node is None:
        return None
    return parse_indexes(node, around.file.parent, around.environ, findings) or None


def _names(node: Node | None, findings: Findings) -> tuple[str, ...] | None:
    names = _items(node)
    for name in names:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name.text, re.ASCII):
            findings.add(name.at, f"`{name.text}` is not the name of a variable")
    return tuple(name.text for name in names) or None


def _locked(config: MappingNode, around: _Surroundings, findings: Findings) -> frozenset[str]:
    locked = _items(config.get("locked"))
    if locked and not around.site:
        findings.add(locked[0].at, "only the configuration of a site can lock", "remove `locked`")
    for name in locked:
        value = config.get(name.text)
        if value is None or is_null(value):
            message = f"`{name.text}` is locked and has no value in this file"
            findings.add(name.at, message, f"set `{name.text}` here")
    return frozenset(name.text for name in locked)


def _paths(node: Node | None, around: _Surroundings, findings: Findings) -> tuple[Path, ...] | None:
    if node is None:
        return None
    paths = (_path(item, around, findings) for item in _items(node))
    return tuple(path for path in paths if path is not None)


_VARIABLE = re.compile(r"\$(?:\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


def _path(node: Node | None, around: _Surroundings, findings: Findings) -> Path | None:
    if not isinstance(node, ScalarNode):
        return None
    for found in _VARIABLE.finditer(node.text):
        name = found[1] or found[2]
        if not around.environ.get(name):
            place = node.column(found.start())
            findings.add(place, f"the variable {name} is not set", f"set {name}")
            return None
    text = _VARIABLE.sub(lambda found: around.environ[found[1] or found[2]], node.text)
    if text == "~" or text.startswith("~/"):
        text = f"{around.home}{text[1:]}"
    path = Path(text)
    if not path.is_absolute() or "\0" in text:
        hint = "write it from / or from ~/ on"
        findings.add(node.at, f"`{node.text}` is not an absolute path", hint)
        return None
    return path
