"""What a stage tells while it works.

A stage takes a ``Reporter`` as its last parameter and calls it with events; it
may be called from several threads at once. The default says nothing.
"""

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

Stage: TypeAlias = Literal[
    "resolve",
    "copy",
    "fetch",
    "unpack",
    "compile",
    "link",
    "collect",
    "verify",
    "measure",
    "survey",
    "pack",
    "audit",
]


class StageStarted(Struct, frozen=True):
    """A stage begins; ``total`` counts its items, or bytes for ``fetch``, where known."""

    stage: Stage
    total: int | None = None


class StageAdvanced(Struct, frozen=True):
    """``done`` more items (bytes for ``fetch``) are finished; ``item`` names the last."""

    stage: Stage
    done: int
    item: str = ""


class StageFinished(Struct, frozen=True):
    """A stage ended well; ``items`` counts what it did, ``seconds`` is wall time."""

    stage: Stage
    items: int
    seconds: float


class Noted(Struct, frozen=True):
    """Something a person may want to know, once."""

    text: str


class Warned(Struct, frozen=True):
    """Something a person should look at."""

    text: str


Event: TypeAlias = StageStarted | StageAdvanced | StageFinished | Noted | Warned
Reporter: TypeAlias = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Report nothing."""
