"""Where in a forwarding library the things stand that its code refers to."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Places:
    """Addresses relative to the library's own: of slots, which hold a target's address, and texts.

    The code of a function is equally long wherever things are, so that it can be
    measured before anything has its place.
    """

    slots: Mapping[str, int]
    texts: Mapping[str, int]
