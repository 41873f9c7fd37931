"""What an environment is built for. After a Target exists nobody asks the machine anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Literal, TypeAlias

from msgspec import Struct
from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envmgr.hardware.profile import HardwareProfile

MARKER_VARIABLES = (
    "implementation_name",
    "implementation_version",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_full_version",
    "python_version",
    "sys_platform",
)
"""Every variable of PEP 508's environment markers but ``extra``."""


class Glibc(Struct, frozen=True):
    """The GNU C library (PEP 600)."""

    major: int
    minor: int


class Musl(Struct, frozen=True):
    """musl (PEP 656)."""

    major: int
    minor: int


class MacOS(Struct, frozen=True):
    """The system library of macOS; the version is the system's."""

    major: int
    minor: int


Libc: TypeAlias = Glibc | Musl | MacOS


class Interpreter(Struct, frozen=True, kw_only=True):
    """A Python that was probed, or described by PEP 739's ``build-details.json``."""

    executable: str
    """Absolute path of the base interpreter, outside any virtual environment."""
    version: tuple[int, int, int]
    implementation: Literal["cpython", "pypy"]
    free_threaded: bool
    debug: bool
    pointer_bits: int
    """32 or 64."""
    platform: str
    """``sysconfig.get_platform()``: ``linux-x86_64``, ``macosx-14.0-arm64``."""
    libc: Libc | None
    """``None`` where it could not be told; then only plain ``linux_*`` tags fit."""
    soabi: str | None
    """``SOABI``, ``cpython-312-x86_64-linux-gnu``."""
    cache_tag: str
    """``sys.implementation.cache_tag``, ``cpython-312``."""
    magic: str
    """The bytecode's magic number, in hex."""
    markers: Mapping[str, str]
    """All of MARKER_VARIABLES as this interpreter gives them."""
    site_packages: str
    """Relative to a virtual environment's prefix: ``lib/python3.12/site-packages``."""
    headers: str
    """Relative to the prefix: ``include/python3.12``; a wheel's go into ``<headers>/<name>``."""
    refused_platforms: tuple[str, ...] = ()
    """``manylinux_2_17_x86_64``: what the interpreter's ``_manylinux`` module refuses (PEP 600)."""

    @property
    def version_text(self) -> str:
        """``3.12.1``."""
        return ".".join(map(str, self.version))

    @property
    def minor_text(self) -> str:
        """``3.12``."""
        return f"{self.version[0]}.{self.version[1]}"


class UndefinedMarker(ValueError):
    """A marker that means nothing: ``os_name ~= "posix"`` compares what cannot be compared so.

    The specification wants an error (dependency specifiers, "Environment markers").
    """

    def __init__(self, marker: str, reason: str) -> None:
        super().__init__(marker, reason)
        self.marker = marker
        self.reason = reason

    def __str__(self) -> str:
        return f"the marker {self.marker!r} has no meaning: {self.reason}"


@dataclass(frozen=True)
class Target:
    """Interpreter, tags, markers and hardware an environment is made for; total.

    ``markers`` has every one of MARKER_VARIABLES (empty text where it cannot be
    known); ``tags`` lists every tag that fits, most preferred first.
    """

    interpreter: Interpreter
    markers: Mapping[str, str]
    tags: tuple[str, ...]
    hardware: HardwareProfile
    _evaluated: dict[tuple[str, tuple[str, ...]], bool] = field(
        default_factory=dict, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        missing = [name for name in MARKER_VARIABLES if name not in self.markers]
        if missing:
            raise ValueError(f"a target needs every marker variable; missing: {missing}")
        object.__setattr__(self, "markers", MappingProxyType(dict(self.markers)))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle what the others are computed from."""
        return Target, (self.interpreter, dict(self.markers), self.tags, self.hardware)

    @cached_property
    def tag_ranks(self) -> Mapping[str, int]:
        """Tag (``cp312-cp312-manylinux_2_17_x86_64``) to its rank; 0 is best."""
        return {tag: rank for rank, tag in enumerate(self.tags)}

    @cached_property
    def python_version(self) -> Version:
        """The interpreter's full version."""
        return Version(self.markers["python_full_version"].removesuffix("+"))

    def satisfies(self, marker: Marker | None, extras: frozenset[str] = frozenset()) -> bool:
        """Whether a marker holds here with any one of ``extras`` active, or with none.

        Raises UndefinedMarker.
        """
        if marker is None:
            return True
        key = (str(marker), tuple(sorted(extras)))
        known = self._evaluated.get(key)
        if known is None:
            known = any(self._holds(marker, extra) for extra in sorted(extras) or [""])
            self._evaluated[key] = known
        return known

    def _holds(self, marker: Marker, extra: str) -> bool:
        try:
            return marker.evaluate({**self.markers, "extra": extra}, context="metadata")
        except UndefinedComparison:
            reason = "its operator is not defined for what it compares"
        except UndefinedEnvironmentName:
            reason = "it has a variable that is not for package metadata"
        raise UndefinedMarker(str(marker), reason)

    def accepts_python(self, requires_python: str | None) -> bool:
        """Whether ``Requires-Python`` admits this interpreter, pre-releases included.

        An unparsable specifier admits everything, as the index's own tools hold it.
        """
        if not requires_python:
            return True
        return _python_specifier_admits(requires_python, self.python_version)


_ADMITS: dict[tuple[str, Version], bool] = {}


def _python_specifier_admits(text: str, version: Version) -> bool:
    from packaging.specifiers import InvalidSpecifier

    key = (text, version)
    if key not in _ADMITS:
        try:
            _ADMITS[key] = SpecifierSet(text).contains(version, prereleases=True)
        except InvalidSpecifier:
            _ADMITS[key] = True
    return _ADMITS[key]
