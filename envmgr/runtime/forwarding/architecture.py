"""What differs between the machines that forwarding libraries are written for."""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from envmgr.runtime.forwarding import aarch64, x86_64
from envmgr.runtime.forwarding.places import Places
from envmgr.runtime.forwarding.types import Action, Call, Machine


class Architecture(Struct, frozen=True, kw_only=True):
    """Numbers from a machine's ELF supplement, and what writes its code."""

    number: int
    """``e_machine``."""
    page: int
    """The largest page a kernel may use, in bytes."""
    bind: int
    """The relocation that stores a symbol's address (``GLOB_DAT``)."""
    relative: int
    """The relocation that stores an address of the library itself."""
    alignment: int
    """Of functions, in bytes."""
    padding: bytes
    assemble: Callable[[Action, int, Places], bytes]
    assemble_routine: Callable[[Iterable[Call], int, Places], bytes]


ARCHITECTURES: Mapping[Machine, Architecture] = {
    "x86_64": Architecture(
        number=62,
        page=0x1000,
        bind=6,
        relative=8,
        alignment=8,
        padding=x86_64.PADDING,
        assemble=x86_64.assemble,
        assemble_routine=x86_64.assemble_routine,
    ),
    "aarch64": Architecture(
        number=183,
        page=0x10000,
        bind=1025,
        relative=1027,
        alignment=4,
        padding=aarch64.PADDING,
        assemble=aarch64.assemble,
        assemble_routine=aarch64.assemble_routine,
    ),
}
