"""What a check of an entry finds."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["missing", "changed", "extra", "mode", "facts", "bytecode", "unreadable"]
"""``facts``: what stands beside the files; ``unreadable``: nobody can say any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong. ``path`` is relative to the entry, empty for itself."""

    kind: Kind
    path: str
    detail: str
