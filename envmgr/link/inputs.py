"""What a layout is made from, and what it is: data on both sides."""

from collections.abc import Mapping, Set

from msgspec import Struct, field

from envmgr.errors import PrefixError
from envmgr.link.verdicts import render_rules
from envmgr.names import EnvironmentName, PackageName, StoreKey
from envmgr.spec.views import ConflictRule, LinkWay
from envmgr.target.types import Interpreter
from envmgr.wheel.manifest import Manifest

SETTINGS = "etc/"
"""Below this programs write over the files of packages too."""
ENVMGR = "envmgr itself"
"""Who owns the paths of a view that no package brings."""


class Composed(Struct, frozen=True, kw_only=True):
    """A composed entry, and what of its package it holds."""

    key: StoreKey
    root: str
    """Absolute path."""
    paths: Set[str]
    """Everything in it, relative to it and to the package's own entry alike."""
    added: tuple[str, ...]
    """Of these, what the package itself has not; sorted."""
    exchanged: Set[str]
    """Of these, what is not the package's own."""


class LaidEntry(Struct, frozen=True, kw_only=True):
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
    way: LinkWay = LinkWay.FOLD
    """How its files get into the view."""
    composable: bool = False
    """Whether a composition of its files will do, although ``way`` is not to fold."""
    composed: Composed | None = None
    """What stands in for parts of it."""
    serving: Set[str] = frozenset()
    """Its libraries that others are led to, which must be links here too: a copy is another."""


class LayoutInputs(Struct, frozen=True, kw_only=True):
    """Everything that decides a view."""

    interpreter: Interpreter
    entries: tuple[LaidEntry, ...]
    name: EnvironmentName
    generation: str
    """Absolute path of the generation; scripts and nothing else name it."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What the start-up file sets unless the user has: needs of shared runtimes, no wishes."""
    standing: Mapping[str, str] = field(default_factory=dict)
    """Shared libraries for ``lib``: canonical SONAME -> absolute path in the store."""
    activation: Mapping[str, str] = field(default_factory=dict)
    """Further files, path in the generation -> text."""
    host: Mapping[str, "LaidFile"] = field(default_factory=dict)
    """Files that lead to what the machine has, its MPI; path in the generation -> file."""
    compiled: bool = False
    """Whether the entries hold bytecode of this interpreter, which then is linked too."""
    conflicts: tuple[ConflictRule, ...] = ()
    """Who wins a path; the first that fits decides."""
    elsewhere: Set[PackageName] = frozenset()
    """Packages that the lock holds and this view does not: rules may speak of them."""


class LaidFile(Struct, frozen=True):
    """A file that is written and not linked."""

    content: bytes
    mode: int = 0o644


class TakenFile(Struct, frozen=True):
    """A file of the view's own with an entry's content: copied, or a hard link."""

    source: str
    """Absolute path in the store."""
    executable: bool
    copied: bool
    """Whether it may be written; a hard link, or what stands in for it, may not."""


class Layout(Struct, frozen=True, kw_only=True):
    """A view, decided. Paths are relative to the generation, with ``/``; parents come first."""

    directories: tuple[str, ...]
    links: Mapping[str, str]
    """Path -> target: absolute into a store entry, or relative for what is the view's own."""
    files: Mapping[str, LaidFile]
    bytecode: Mapping[str, str]
    """Links to bytecode that may be absent: see ``without_absent_bytecode``."""
    taken: Mapping[str, TakenFile] = field(default_factory=dict)
    taken_bytecode: Mapping[str, TakenFile] = field(default_factory=dict)
    """Bytecode of modules in ``taken``, which may be absent too."""
    reaching: frozenset[str] = frozenset()
    """The directories that libraries make real."""
    sought: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Directories that are real, of libraries -> the others into which these look."""
    notes: tuple[str, ...] = ()
    """What could not be taken over, a sentence each."""

    @property
    def entries(self) -> int:
        """How many directory entries the view has, bytecode included."""
        bytecode = len(self.bytecode) + len(self.taken_bytecode)
        return (
            len(self.directories) + len(self.links) + len(self.files) + len(self.taken) + bytecode
        )

    @property
    def top_level(self) -> tuple[str, ...]:
        """The names that stand directly in the generation, sorted."""
        paths = (*self.directories, *self.links, *self.files, *self.taken)
        return tuple(sorted({path.partition("/")[0] for path in paths}))

    @property
    def settings(self) -> Mapping[str, str]:
        """The files of packages below ``etc``: copies, since programs write them over."""
        return {path: file.source for path, file in self.taken.items() if path.startswith(SETTINGS)}

    @property
    def programs(self) -> tuple[str, ...]:
        """Name what stands directly in ``bin`` and is no link, sorted."""
        paths = (*self.files, *self.taken, *self.directories)
        below = (path.split("/")[1] for path in paths if path.startswith("bin/"))
        return tuple(sorted({*below}))

    def taken_names(self, site: str) -> tuple[str, ...]:
        """Name what stands directly in ``site`` and holds more than absolute links, sorted."""
        relative = (path for path, target in self.links.items() if not target.startswith("/"))
        below = (
            path.removeprefix(f"{site}/")
            for path in (*self.taken, *relative)
            if path.startswith(f"{site}/")
        )
        return tuple(sorted({path.partition("/")[0] for path in below}))


class Clash(Struct, frozen=True, order=True):
    """Two owners of one path who bring different things."""

    path: str
    first: str
    second: str
    written: str = ""
    """The path as ``conflicts`` has it; empty where no rule can decide."""

    def __str__(self) -> str:
        return f"{self.first} and {self.second} both bring {self.path}"


class LayoutClash(PrefixError):
    """Packages that cannot stand in one view; ``clashes`` is sorted and not empty.

    ``requested`` are the packages that the environment file names itself.
    """

    def __init__(self, clashes: tuple[Clash, ...], requested: Set[str] = frozenset()) -> None:
        super().__init__(clashes, requested)
        self.clashes = clashes
        self.requested = requested

    def __str__(self) -> str:
        more = len(self.clashes) - 1
        rest = f" (and {more} more such path{'s' if more > 1 else ''})" if more else ""
        return f"{self.clashes[0]}, and the contents differ{rest}"

    @property
    def hint(self) -> str:
        """The rules to add, or that one of the packages must go."""
        undecidable = [clash for clash in self.clashes if not clash.written]
        clash = (undecidable or self.clashes)[0]
        which = " or ".join(sorted({clash.first, clash.second} - {ENVMGR}))
        if undecidable:
            return f"take {which} out of the environment file, or choose versions that agree"
        wanted = ((clash.written, self._kept(clash)) for clash in self.clashes)
        lines = "\n".join(f"  - {rule}" for rule in render_rules(wanted))
        named = " or ".join(sorted({clash.first, clash.second} & self.requested))
        ways = (
            f"take {named} out of the environment file, or say there"
            if named
            else (f"say in the environment file, which does not name {which} itself,")
        )
        return f"{ways} whose files stand:\nconflicts:\n{lines}"

    def _kept(self, clash: Clash) -> str:
        """Choose the package that the file names, where it names one of the two."""
        second_alone = clash.second in self.requested and clash.first not in self.requested
        return clash.second if second_alone else clash.first

    def details(self) -> tuple[str, ...]:
        """Every clash, a line each, where there are several."""
        return tuple(map(str, self.clashes)) if len(self.clashes) > 1 else ()
