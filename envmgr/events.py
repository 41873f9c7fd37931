"""What a stage tells while it works.

A stage takes a ``Reporter`` as its last parameter and calls it with events; it
may be called from several threads at once. The default says nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

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
    "pack",
    "audit",
]


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage begins; ``total`` counts its items, or bytes for ``fetch``, where known."""

    stage: Stage
    total: int | None = None


@dataclass(frozen=True, slots=True)
class StageAdvanced:
    """``done`` more items (bytes for ``fetch``) are finished; ``item`` names the last."""

    stage: Stage
    done: int
    item: str = ""


@dataclass(frozen=True, slots=True)
class StageFinished:
    """A stage ended well; ``items`` counts what it did, ``seconds`` is wall time."""

    stage: Stage
    items: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Noted:
    """Something a person may want to know, once."""

    text: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something a person should look at."""

    text: str


Event: TypeAlias = StageStarted | StageAdvanced | StageFinished | Noted | Warned
Reporter: TypeAlias = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Report nothing."""
