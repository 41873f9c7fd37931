"""Which environment is meant. Light: ``run`` imports it, and nothing of the pipeline besides."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from envmgr.names import EnvironmentName


class ByName(NamedTuple):
    """A named environment, under the root."""

    name: "EnvironmentName"


class ByPrefix(NamedTuple):
    """An environment at a directory of the user's choice; absolute."""

    prefix: Path


Selector: TypeAlias = ByName | ByPrefix
