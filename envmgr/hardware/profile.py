"""What a machine's hardware can do, as a value."""

from msgspec import Struct


class HardwareProfile(Struct, frozen=True, kw_only=True):
    """The facts that choose among wheels; ``None`` and empty mean "not known" or "none"."""

    architecture: str
    """As in wheel tags: ``x86_64``, ``aarch64``, ``i686``, ``ppc64le``, ..."""
    cpu: str | None = None
    """The micro-architecture level, by archspec's name: ``x86_64_v3``, ``neoverse_v1``, ..."""
    cpu_features: frozenset[str] = frozenset()
    cuda: str | None = None
    """The highest CUDA version the driver serves, ``12.8``."""
    gpus: tuple[str, ...] = ()
    """Compute capabilities, highest first: ``9.0``."""
