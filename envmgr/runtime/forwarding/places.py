"""Where in a forwarding library the things stand that its code refers to."""

from collections.abc import Mapping

from msgspec import Struct

from envmgr.runtime.forwarding.types import AddressOf, Routine


class Places(Struct, frozen=True):
    """Addresses relative to the library's own.

    Of slots, which hold the address of a target each, of texts, and of routines.

    The code of a function is equally long wherever things are, so that it can be
    measured before anything has its place.
    """

    slots: Mapping[str, int]
    texts: Mapping[str, int]
    routines: Mapping[Routine, int]

    def of(self, argument: str | AddressOf) -> int:
        """Return the address that an argument stands for."""
        if isinstance(argument, AddressOf):
            return self.routines[argument.routine]
        return self.texts[argument]
