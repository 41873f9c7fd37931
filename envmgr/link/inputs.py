"""What a layout is made from, and what it is: data on both sides."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from envmgr.errors import PrefixError
from envmgr.names import EnvironmentName, StoreKey
from envmgr.target.types import Interpreter
from envmgr.wheel.manifest import Manifest

ENVMGR = "envmgr itself"
"""Who owns the paths of a view that no package brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidEntry:
    """One store entry that goes into a view."""

    key: StoreKey
    root: str
    """Absolute path of the entry."""
    manifest: Manifest
    scripts: Mapping[str, bytes] = field(default_factory=dict)
    """``scripts/NAME`` -> whole text, of those whose first line asks for the interpreter."""
    requested: bool = False
    """Named by the environment file itself (REQUESTED, PEP 376)."""
    direct_url: str | None = None
    """Text of ``direct_url.json`` (PEP 610), for a direct reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutInputs:
    """Everything that decides a view."""

    interpreter: Interpreter
    entries: tuple[LaidEntry, ...]
    name: EnvironmentName
    generation: str
    """Absolute path of the generation; scripts and nothing else name it."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What the start-up file sets unless the user has: needs of shared runtimes, no wishes."""
    activation: Mapping[str, str] = field(default_factory=dict)
    """Further files, path in the generation -> text."""
    compiled: bool = False
    """Whether the entries hold bytecode of this interpreter, which then is linked too."""


@dataclass(frozen=True, slots=True)
class LaidFile:
    """A file that is written and not linked."""

    content: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A view, decided. Paths are relative to the generation, with ``/``; parents come first."""

    directories: tuple[str, ...]
    links: Mapping[str, str]
    """Path -> target: absolute into a store entry, or relative for what is the view's own."""
    files: Mapping[str, LaidFile]
    bytecode: Mapping[str, str]
    """Links to bytecode; one whose target does not exist is left out."""
    notes: tuple[str, ...] = ()
    """What could not be taken over, a sentence each."""

    @property
    def entries(self) -> int:
        """How many directory entries the view has, bytecode included."""
        return len(self.directories) + len(self.links) + len(self.files) + len(self.bytecode)

    @property
    def top_level(self) -> tuple[str, ...]:
        """The names that stand directly in the generation, sorted."""
        paths = (*self.directories, *self.links, *self.files)
        return tuple(sorted({path.partition("/")[0] for path in paths}))


@dataclass(frozen=True, slots=True, order=True)
class Clash:
    """Two owners of one path who bring different things."""

    path: str
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.first} and {self.second} both bring {self.path}"


class LayoutClash(PrefixError):
    """Packages that cannot stand in one view; ``clashes`` is sorted and not empty."""

    def __init__(self, clashes: tuple[Clash, ...]) -> None:
        super().__init__(clashes)
        self.clashes = clashes

    def __str__(self) -> str:
        more = len(self.clashes) - 1
        rest = f" (and {more} more such path{'s' if more > 1 else ''})" if more else ""
        return f"{self.clashes[0]}, and the contents differ{rest}"

    @property
    def hint(self) -> str:
        """One of them must go."""
        pair = sorted({self.clashes[0].first, self.clashes[0].second} - {ENVMGR})
        which = " or ".join(pair)
        return f"take {which} out of the environment file, or choose versions that agree"

    def details(self) -> tuple[str, ...]:
        """Every clash, a line each, where there are several."""
        return tuple(map(str, self.clashes)) if len(self.clashes) > 1 else ()
