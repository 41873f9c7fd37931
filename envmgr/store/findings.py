"""What a check of an entry finds."""

from typing import Literal, TypeAlias

from msgspec import Struct

Kind: TypeAlias = Literal["missing", "changed", "extra", "mode", "facts", "bytecode", "unreadable"]
"""``facts``: what stands beside the files; ``unreadable``: nobody can say any more."""


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that is wrong. ``path`` is relative to the entry, empty for itself."""

    kind: Kind
    path: str
    detail: str
