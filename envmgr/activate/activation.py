"""What activation does to a shell, as data: each shell's renderer makes its script of it."""

import re
from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from envmgr.errors import PrefixError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
MANAGED = frozenset({"PATH", "PYTHONHOME", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "ENVMGR_PREFIX"})
"""Variables that activation itself changes; ``variables`` of an environment file may not."""


class SetVariable(Struct, frozen=True):
    """Export a variable; its old value, or its absence, comes back."""

    name: str
    value: str


class UnsetVariable(Struct, frozen=True):
    """Take a variable away; its old value, or its absence, comes back."""

    name: str


class PrependPath(Struct, frozen=True):
    """Put a directory first on ``PATH``; only this one element goes again."""

    directory: str


Modification: TypeAlias = SetVariable | UnsetVariable | PrependPath


class Activation(Struct, frozen=True):
    """One environment's effect on a shell. Order means nothing: each variable is there once."""

    name: str
    """What the prompt shows: ``[a-z0-9_-]+``."""
    modifications: tuple[Modification, ...]


class UnusablePrefix(PrefixError):
    """A prefix that cannot be an element of ``PATH``."""

    def __init__(self, prefix: str, reason: str) -> None:
        super().__init__(prefix, reason)
        self.prefix = prefix
        self.reason = reason

    def __str__(self) -> str:
        return f"no environment can be at {self.prefix!r}: {self.reason}"

    @property
    def hint(self) -> str:
        """What to do instead."""
        return "choose another directory"


def plan_activation(prefix: str, name: str, variables: Mapping[str, str]) -> Activation:
    """Say what activating the environment at ``prefix`` (absolute) changes.

    The prefix and not a generation is named, so that an open shell sees the next
    sync. ``LD_LIBRARY_PATH`` and ``PYTHONPATH`` are left alone. Raises UnusablePrefix;
    ValueError for variables that the environment file's own checks let through wrongly.
    """
    if not prefix.startswith("/"):
        raise ValueError(f"the prefix must be absolute: {prefix!r}")
    if ":" in prefix:
        raise UnusablePrefix(prefix, "PATH cannot hold a directory with a colon in its name")
    for variable, value in variables.items():
        if variable in MANAGED or not _NAME.fullmatch(variable) or "\0" in value:
            raise ValueError(f"activation cannot set {variable!r} to {value!r}")
    return Activation(
        name,
        (
            SetVariable("VIRTUAL_ENV", prefix),
            SetVariable("VIRTUAL_ENV_PROMPT", name),
            SetVariable("ENVMGR_PREFIX", prefix),
            UnsetVariable("PYTHONHOME"),
            PrependPath(f"{prefix.rstrip('/')}/bin"),
            *(SetVariable(variable, variables[variable]) for variable in sorted(variables)),
        ),
    )
