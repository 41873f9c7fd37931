"""``recipe build``: wheels of shared runtimes, made of wheels from the indexes or of the host's."""

import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envmgr.errors import IntegrityError, MachineError, UnsatisfiableError, UsageError
from envmgr.events import Warned
from envmgr.files import remove_file
from envmgr.index.catalog import Catalog, open_catalog
from envmgr.index.fetch import fetch_wheels
from envmgr.index.types import Download, WheelCandidate
from envmgr.pipeline.machine import target_for
from envmgr.pipeline.wheel_output import Written, write_wheel
from envmgr.pipeline.world import World
from envmgr.runtime.building.platform_tag import NoPlatformTag
from envmgr.runtime.building.recipe import Build, read_builds
from envmgr.runtime.building.repack import BuildMistake, Origin, Repacked, repack, select_files
from envmgr.spec.problems import Problem, RecipeInvalid
from envmgr.spec.settings import choose_indexes
from envmgr.spec.types import IndexSpec, PythonRange
from envmgr.wheel.archive import WheelArchive, open_wheel
from envmgr.wheel.elf import parse_elf
from envmgr.wheel.elf_names import DamagedElf, NameDoesNotFit
from envmgr.wheel.requirement import Named
from envmgr.wheel.unpack import UnpackedMember, unpacked_members
from envmgr.wheel.writing import Part, PartLink

PLACE = "data/lib"
"""Where a library of the host stands in its wheel."""
TRIPLETS = {"x86_64": "x86_64-linux-gnu", "aarch64": "aarch64-linux-gnu"}
"""What Debian calls the directories of an architecture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """What ``recipe build`` is asked for."""

    recipe: Path
    names: tuple[str, ...]
    """The wheels to make; empty for all of the recipe."""
    output: Path
    timestamp: int
    """Seconds since the epoch: the time of every member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltWheel:
    """A wheel that was made; sizes in bytes."""

    name: str
    wheel: Written
    origin: str
    """The wheel or the library it was made of."""
    origin_sha256: str
    unpacked_before: int
    links: tuple[PartLink, ...]
    licences: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltWheels:
    """Everything that a recipe made, in its order."""

    recipe: Path
    wheels: tuple[BuiltWheel, ...]


class NoUpstreamWheel(UnsatisfiableError):
    """No wheel to make another one of."""

    def __init__(self, requirement: Named, found: int) -> None:
        super().__init__(requirement, found)
        self.requirement = requirement
        self.found = found

    def __str__(self) -> str:
        others = f"; {self.found} other versions are there" if self.found else ""
        return f"no index has a wheel of {self.requirement} for this machine{others}"


class HostLibraryUnusable(MachineError):
    """A library that the host has nowhere, or that cannot be used."""

    def __init__(self, library: str, reason: str) -> None:
        super().__init__(library, reason)
        self.library = library
        self.reason = reason

    def __str__(self) -> str:
        return f"the host's library {self.library} cannot be taken: {self.reason}"

    @property
    def hint(self) -> str:
        """Where else it can come from."""
        return "install the package that has it, or write its path under `host`"


class LibraryUnfit(IntegrityError):
    """A library that cannot be given its name, or its wheel no tag; ``reason`` is a sentence."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.name} cannot be built: {self.reason}"


@dataclass(frozen=True, slots=True)
class _Material:
    """What a wheel is made of, read."""

    origin: Origin
    files: tuple[Part, ...]
    licences: dict[str, bytes]
    unpacked: int


def build_recipe(request: BuildRequest, world: World) -> BuiltWheels:
    """Make the wheels of a recipe.

    Raises FileUnreadable, RecipeInvalid, UsageError, NoUpstreamWheel, IndexFailure,
    HostLibraryUnusable, LibraryUnfit, RefusedWheel, OutputUnwritable; wheels that were
    finished stay, and nothing of others.
    """
    builds = _chosen(read_builds(request.recipe), request)
    return BuiltWheels(
        recipe=request.recipe,
        wheels=tuple(_build(build, request, world) for build in builds),
    )


def _chosen(builds: tuple[Build, ...], request: BuildRequest) -> tuple[Build, ...]:
    known = [str(build.name) for build in builds]
    for name in request.names:
        if name not in known:
            raise UsageError(
                f"{request.recipe} builds no wheel {name}", f"choose among {', '.join(known)}"
            )
    return tuple(each for each in builds if not request.names or each.name in request.names)


def _build(build: Build, request: BuildRequest, world: World) -> BuiltWheel:
    try:
        material = _from_index(build, world) if build.wheel else _from_host(build)
        repacked = repack(build, material.origin, material.files, material.licences)
    except BuildMistake as error:
        problem = Problem(request.recipe, error.at.line, error.at.column, error.message, error.hint)
        raise RecipeInvalid(request.recipe, (problem,)) from None
    except (NameDoesNotFit, NoPlatformTag, DamagedElf) as error:
        raise LibraryUnfit(str(build.name), str(error)) from None
    for note in repacked.notes:
        world.report(Warned(note))
    return _written(build, request, material, repacked, world)


def _written(
    build: Build, request: BuildRequest, material: _Material, repacked: Repacked, world: World
) -> BuiltWheel:
    wheel = repacked.wheel
    written = write_wheel(
        wheel, request.output, request.timestamp, str(request.recipe), world.report
    )
    return BuiltWheel(
        name=str(build.name),
        wheel=written,
        origin=material.origin.file,
        origin_sha256=material.origin.sha256,
        unpacked_before=material.unpacked,
        links=wheel.links,
        licences=tuple(sorted(material.licences)),
        notes=repacked.notes,
    )


def _from_index(build: Build, world: World) -> _Material:
    assert build.wheel is not None  # noqa: S101 - the caller looked
    target = target_for(PythonRange(SpecifierSet()), None, world)
    indexes = choose_indexes((), world.settings).indexes
    with open_catalog(
        indexes,
        target,
        cache=world.settings.cache,
        offline=world.settings.offline,
        refresh=False,
        exclude_newer=None,
        environ=world.environ,
        report=world.report,
    ) as catalog:
        candidate = _newest(build.wheel, catalog)
        sha256 = candidate.sha256 or catalog.fetch_sha256(candidate).sha256
    path = _fetched(candidate, sha256, indexes, world)
    try:
        with open_wheel(path, candidate.filename) as wheel:
            return _taken_apart(build, wheel, sha256, str(candidate.index))
    finally:
        if path.parent == world.settings.cache / "wheels":
            remove_file(path)


def _newest(requirement: Named, catalog: Catalog) -> WheelCandidate:
    """Choose a pre-release only where it is asked for, or where nothing else is there."""
    offered = catalog.offer(requirement.name).candidates
    usable = [
        each
        for each in offered
        if each.yanked is None and requirement.specifier.contains(each.version, prereleases=True)
    ]
    if not usable:
        raise NoUpstreamWheel(requirement, len(offered))
    final = [each for each in usable if not each.version.is_prerelease]
    wanted = usable if requirement.specifier.prereleases else final or usable
    return max(wanted, key=lambda each: each.version)


def _fetched(
    candidate: WheelCandidate, sha256: str, indexes: tuple[IndexSpec, ...], world: World
) -> Path:
    download = Download(candidate.filename, candidate.url, candidate.index, sha256, candidate.size)
    paths = fetch_wheels(
        [download],
        world.settings.cache / "wheels",
        indexes=indexes,
        environ=world.environ,
        offline=world.settings.offline,
        cache=world.settings.cache,
        report=world.report,
    )
    return paths[sha256]


def _taken_apart(build: Build, wheel: WheelArchive, sha256: str, index: str) -> _Material:
    members = {member.path: member for member in unpacked_members(wheel)}
    chosen = select_files(build, [*members], wheel.dist_info)
    name = wheel.filename
    origin = Origin(
        file=name.text,
        sha256=sha256,
        index=index,
        version=name.version,
        metadata=wheel.read(f"{wheel.dist_info}/METADATA"),
        tag=(".".join(name.python), ".".join(name.abi), ".".join(name.platform)),
    )
    info = f"site-packages/{wheel.dist_info}/"
    return _Material(
        origin,
        tuple(_part(members[path]) for path in chosen.kept),
        {_below_licences(path, info): members[path].data for path in chosen.licences},
        sum(member.size for member in members.values()),
    )


def _part(member: UnpackedMember) -> Part:
    return Part(member.path, member.data, member.executable)


def _below_licences(path: str, info: str) -> str:
    return path.removeprefix(info).removeprefix("licenses/").removeprefix("site-packages/")


def _from_host(build: Build) -> _Material:
    path = _find_library(build.host)
    try:
        data = path.read_bytes()
        licences = {f"host/{Path(each.text).relative_to('/')}": Path(each.text).read_bytes()
                    for each in build.licences}  # fmt: skip
    except (OSError, ValueError) as error:
        raise HostLibraryUnusable(build.host, str(error).lower()) from None
    _check_library(build, path, data)
    version = build.version or Version("0")
    origin = Origin(
        file=str(path),
        sha256=hashlib.sha256(data).hexdigest(),
        index=None,
        version=version,
        metadata=b"",
        tag=None,
    )
    part = Part(f"{PLACE}/{path.name}", data, executable=False)
    return _Material(origin, (part,), licences, len(data))


def _check_library(build: Build, path: Path, data: bytes) -> None:
    facts = parse_elf(data, str(path))
    here = os.uname().machine
    if facts is None:
        reason = f"{path} is no ELF library"
    elif facts.machine != here:
        reason = f"{path} is for {facts.machine}, and this machine is {here}"
    elif facts.soname is None:
        reason = f"{path} has no SONAME"
    else:
        return
    raise HostLibraryUnusable(build.host, reason)


def _find_library(written: str) -> Path:
    """Return the file itself, without links. Raises HostLibraryUnusable."""
    looked = [Path(written)] if written.startswith("/") else list(_places(written))
    for path in looked:
        try:
            real = path.resolve(strict=True)
            if stat.S_ISREG(real.stat().st_mode):
                return real
        except (OSError, RuntimeError):
            continue
    raise HostLibraryUnusable(written, f"it is not in {', '.join(str(p.parent) for p in looked)}")


def _places(soname: str) -> Iterable[Path]:
    """Yield where a host has its own libraries, its architecture's directories first."""
    triplet = TRIPLETS.get(os.uname().machine)
    if triplet:
        yield from (Path(root, triplet, soname) for root in ("/usr/lib", "/lib"))
    for root in ("/usr/lib64", "/lib64", "/usr/local/lib", "/usr/lib", "/lib"):
        yield Path(root, soname)
