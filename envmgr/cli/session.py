"""What a command is given besides its own arguments. Light: ``run`` imports it."""

from collections.abc import Mapping
from typing import NamedTuple


class Session(NamedTuple):
    """One invocation: the person's surroundings and how to talk to them."""

    command: str
    environ: Mapping[str, str]
    home: str
    """The person's home directory."""
    as_json: bool = False
    progress: str | None = None
    """``auto``, ``plain``, ``json`` or ``none``; ``None`` where not said."""
    quiet: int = 0
    verbose: int = 0
