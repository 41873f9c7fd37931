"""What other installers put into a generation's site-packages and bin, where only links belong.

Of ours there are absolute links into a store, directories that hold nothing
else, ``dist-info`` whose INSTALLER says so or whose RECORD is a directory, the start-up
files, and what packages that are copied or hard-linked have there, which the
generation's record names, as it does programs.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from envmgr.errors import PrefixError
from envmgr.link.prefix import RECORD, NoEnvironment, current_generation
from envmgr.link.startup import MODULE
from envmgr.names import PackageName, normalized

_OURS = {f"{MODULE}.py", f"{MODULE}.pth", f"{MODULE}.start", "__pycache__"}


class ForeignDistribution(Struct, frozen=True, order=True):
    """A package that another installer put there; name and version as ``dist-info`` spells them."""

    name: str
    version: str
    installer: str
    """As its INSTALLER says; ``unknown`` where it says nothing."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


class Foreign(Struct, frozen=True):
    """What is there and not ours; all sorted."""

    distributions: tuple[ForeignDistribution, ...] = ()
    others: tuple[str, ...] = ()
    """Names in site-packages that none of these accounts for, and in ``bin/``."""

    def __bool__(self) -> bool:
        return bool(self.distributions or self.others)

    def without(self, packages: Collection[PackageName]) -> "Foreign":
        """Leave out what goes by the name of one of these packages."""
        left = (each for each in self.distributions if normalized(each.name) not in packages)
        return replace(self, distributions=tuple(left))

    def __str__(self) -> str:
        return ", ".join((*map(str, self.distributions), *self.others))


class InstalledByOthers(PrefixError):
    """Packages of other installers would stay behind in the generation that stands now."""

    def __init__(self, generation: Path, foreign: Foreign, file: Path) -> None:
        super().__init__(generation, foreign, file)
        self.generation = generation
        self.foreign = foreign
        self.file = file

    def __str__(self) -> str:
        packages = self.foreign.distributions
        installers = " and ".join(sorted({each.installer for each in packages}))
        listed = ", ".join(map(str, packages))
        prefix = self.generation.parents[2]
        return f"{installers} put into {prefix} what a change would leave behind: {listed}"

    @property
    def hint(self) -> str:
        """Both ways on."""
        return f"add them to {self.file}, or leave them behind with --discard-installed"


def check_foreign(
    prefix: Path, file: Path, packages: Collection[PackageName], *, discard: bool
) -> Foreign:
    """Look what a switch to another generation of ``packages`` leaves behind; nothing is touched.

    To be called before any switch, while the prefix is locked. ``file`` is the environment
    file. Raises InstalledByOthers for packages, unless they may be discarded; stray files
    stop nobody.
    """
    try:
        generation = current_generation(prefix)
    except NoEnvironment:
        return Foreign()
    foreign = read_foreign(generation).without(packages)
    if foreign.distributions and not discard:
        raise InstalledByOthers(generation, foreign, file)
    return foreign


def read_foreign(generation: Path) -> Foreign:
    """Look for what other installers put into a generation; nothing where it is gone."""
    distributions: set[ForeignDistribution] = set()
    others: set[str] = set()
    record = _read_record(generation)
    for site in generation.glob("lib/*/site-packages"):
        names = set(_foreign_names(site, record.stores)) - set(record.taken)
        infos = {name for name in names if name.endswith(".dist-info")}
        distributions |= {_distribution(site / info) for info in infos}
        recorded = set(_recorded(site, infos))
        others |= names - infos - {path.partition("/")[0] for path in recorded}
        programs = set(_foreign_programs(generation, record.programs))
        others |= {f"bin/{name}" for name in programs if f"../../../bin/{name}" not in recorded}
    return Foreign(tuple(sorted(distributions)), tuple(sorted(others)))


def _distribution(info: Path) -> ForeignDistribution:
    name, _, version = info.name.removesuffix(".dist-info").partition("-")
    return ForeignDistribution(name, version, _installer(info) or "unknown")


class _Record(msgspec.Struct):
    taken: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    programs: tuple[str, ...] | None = None


def _read_record(generation: Path) -> _Record:
    try:
        return msgspec.json.decode((generation / RECORD).read_bytes(), type=_Record)
    except (OSError, msgspec.DecodeError):
        return _Record()


def _foreign_names(site: Path, stores: tuple[str, ...]) -> Iterator[str]:
    with os.scandir(site) as listing:
        for each in listing:
            if each.name not in _OURS and not _is_ours(each, stores):
                yield each.name


def _foreign_programs(generation: Path, ours: tuple[str, ...] | None) -> Iterator[str]:
    """Yield what stands in ``bin`` and is neither a link nor ours; nothing where none is known."""
    if ours is not None:
        with os.scandir(generation / "bin") as listing:
            yield from {each.name for each in listing if not each.is_symlink()}.difference(ours)


def _is_ours(entry: "os.DirEntry[str]", stores: tuple[str, ...]) -> bool:
    """Whether an entry is of the view; a directory is if all below it is."""
    if entry.is_symlink():
        return leads_into(stores, Path(entry.path))
    if not entry.is_dir():
        return False
    if entry.name.endswith(".dist-info"):
        info = Path(entry.path)
        return _installer(info) == "envmgr" or (info / "RECORD").is_dir()
    try:
        with os.scandir(entry.path) as listing:
            return all(each.name == "__pycache__" or _is_ours(each, stores) for each in listing)
    except OSError:  # ours can all be read
        return False


def leads_into(stores: tuple[str, ...], link: Path) -> bool:
    """Whether a link is a view's own: people make absolute ones too.

    ``stores`` are those of the generation's record; old records name none.
    """
    target = os.fspath(link.readlink())
    if not stores:
        return target.startswith("/")
    return any(target.startswith(f"{store}/") for store in stores)


def _installer(info: Path) -> str:
    try:
        return (info / "INSTALLER").read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _recorded(site: Path, infos: Iterable[str]) -> Iterator[str]:
    """Yield the paths, relative to site-packages, that RECORDs of ``dist-info`` list."""
    from envmgr.wheel.record import InvalidRecord, parse_record

    for info in infos:
        try:
            rows = parse_record((site / info / "RECORD").read_text("utf-8", "replace"))
        except (OSError, InvalidRecord):
            continue
        for row in rows:
            yield row.path
