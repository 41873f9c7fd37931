"""What an environment file says, checked. The parser is the only place that makes these."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct, field
from packaging.specifiers import SpecifierSet

from envmgr.names import EnvironmentName, GroupName, PackageName
from envmgr.spec.indexes import IndexSpec as IndexSpec
from envmgr.spec.problems import Place
from envmgr.spec.runtimes import Runtimes
from envmgr.spec.views import ConflictRule, LinkWay
from envmgr.wheel.requirement import Direct, Named

Dependency: TypeAlias = Named | Direct

KEPT = 5
"""Generations that stay where the file does not say."""


class PythonRange(Struct, frozen=True):
    """``python: ">=3.12"``; ``"3.12"`` was read as ``==3.12.*``."""

    specifier: SpecifierSet


class PythonPath(Struct, frozen=True):
    """``python: /opt/python/bin/python3``: this interpreter and no other."""

    path: Path


PythonSpec: TypeAlias = PythonRange | PythonPath


class Places(Struct, frozen=True, eq=False):
    """Where the requirements of a file stand, in its order.

    All are equal: a place changes no environment.
    """

    dependencies: tuple[Place, ...] = ()
    groups: Mapping[GroupName, tuple[Place, ...]] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Places)

    def __hash__(self) -> int:
        return hash(Places)


class EnvironmentSpec(Struct, frozen=True, kw_only=True):
    """An environment file without its text. Equal values mean equal environments."""

    source: Path
    """The file's absolute path."""
    name: EnvironmentName
    """As the file says, else made from the file's own name or its directory's."""
    description: str | None = None
    python: PythonSpec = field(default_factory=lambda: PythonRange(SpecifierSet()))
    indexes: tuple[IndexSpec, ...] = ()
    """Highest priority first; empty: those of the user's configuration, else PyPI."""
    dependencies: tuple[Dependency, ...] = ()
    groups: Mapping[GroupName, tuple[Dependency, ...]] = field(default_factory=dict)
    constraints: tuple[Named, ...] = ()
    overrides: tuple[Named, ...] = ()
    prereleases: frozenset[PackageName] = frozenset()
    """Packages whose pre-releases may be chosen: ``prereleases: {allow: [name]}``."""
    exclude_newer: datetime | None = None
    """Aware, UTC: files uploaded at or after this instant do not exist."""
    runtimes: Runtimes = field(default_factory=Runtimes)
    link: Mapping[PackageName, LinkWay] = field(default_factory=dict)
    conflicts: tuple[ConflictRule, ...] = ()
    """In the order of the file: the first that fits decides."""
    keep: int = KEPT
    """How many generations stay, the current one among them; part of no digest."""
    variables: Mapping[str, str] = field(default_factory=dict)
    places: Places = field(default_factory=Places)
