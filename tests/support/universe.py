"""A universe in ten lines of text, and a source that offers it.

numpy 1.26 2.0 2.1                          # versions, in any order
scipy 1.14: numpy >=1.23,<3 | pillow        # requirements, separated by |
xarray 2024.1: numpy | [io] h5py >=3        # [io] is short for ; extra == "io"
oldie 1.0 1.1 yanked(wrong wheel) python(<3.10) @lab
oldie 1.2 broken(no METADATA)
torch 2.1.0 ! tags cp38-cp38-linux_x86_64 cp311-cp311-linux_x86_64
torch 2.2.0 ! source                        # also: late 2026-01-02, undated, python >=3.13
mine 1.0 = https://example.org/mine-1.0-py3-none-any.whl: numpy
reserved secret lab                         # a name that globs send to an index without it
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envmgr.hardware.profile import HardwareProfile
from envmgr.index.types import (
    Candidate,
    DirectCandidate,
    Excluded,
    Exclusion,
    NoCompatibleTag,
    Offer,
    PythonMismatch,
    SourceOnly,
    UnsupportedVariant,
    UnusableMetadata,
    UploadedTooLate,
    UploadTimeUnknown,
    WheelCandidate,
)
from envmgr.names import ExtraName, GroupName, IndexName, PackageName, extra_name, package_name
from envmgr.resolve.families import family_roots
from envmgr.resolve.types import Problem, Root
from envmgr.runtime.wheels import Bound, RuntimeFamily
from envmgr.target.types import Glibc, Interpreter, Target
from envmgr.wheel.metadata import CoreMetadata
from envmgr.wheel.requirement import Direct, Named, parse_requirement

_LINE = re.compile(r"(?P<name>\S+)\s+(?P<rest>.*)")
_FLAG = re.compile(r"(yanked|python|broken)(?:\(([^)]*)\))?(?=\s|$)|@(\S+)|(\S+)")
_SHORT_EXTRA = re.compile(r"\[([^\]]+)\]\s*(.+)")


@dataclass(frozen=True, slots=True)
class Release:
    """One version of one name: a candidate and its metadata."""

    candidate: Candidate
    metadata: CoreMetadata | UnusableMetadata


@dataclass
class Universe:
    """An OfferSource over text. It records what it was asked."""

    releases: dict[PackageName, list[Release]] = field(default_factory=dict)
    excluded: dict[PackageName, list[Excluded]] = field(default_factory=dict)
    reserved: dict[PackageName, IndexName] = field(default_factory=dict)
    directs: dict[str, Release] = field(default_factory=dict)
    prefetched: list[PackageName] = field(default_factory=list)
    ahead: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def offer(self, name: PackageName) -> Offer:
        self.asked.append(name)
        releases = sorted(
            self.releases.get(name, ()), key=lambda one: one.candidate.version, reverse=True
        )
        candidates = tuple(
            one.candidate for one in releases if isinstance(one.candidate, WheelCandidate)
        )
        excluded = tuple(self.excluded.get(name, ()))
        if name in self.reserved:
            return Offer(name, None, (), asked=(self.reserved[name],), reserved=True)
        if not candidates and not excluded:
            return Offer(name, None, (), asked=(IndexName("pypi"),))
        index = candidates[0].index if candidates else IndexName("pypi")
        return Offer(name, index, candidates, excluded)

    def metadata(self, candidate: Candidate) -> CoreMetadata | UnusableMetadata:
        self.asked.append(f"{candidate.name} {candidate.version}")
        if isinstance(candidate, DirectCandidate):
            return self.directs[candidate.url].metadata
        return next(
            one.metadata
            for one in self.releases[candidate.name]
            if one.candidate.version == candidate.version
        )

    def direct(self, requirement: Direct) -> DirectCandidate:
        found = self.directs[requirement.url].candidate
        assert isinstance(found, DirectCandidate)
        return found

    def prefetch(self, names: Iterable[PackageName]) -> None:
        self.prefetched.extend(names)

    def prefetch_metadata(self, candidates: Iterable[Candidate]) -> None:
        self.ahead.extend(str(candidate) for candidate in candidates)


def parse_universe(text: str) -> Universe:
    universe = Universe()
    for line in text.splitlines():
        said = re.split(r"(?:^|\s)#", line)[0].strip()
        if said:
            _read_line(said, universe)
    return universe


def _read_line(line: str, universe: Universe) -> None:
    head, colon, tail = line.partition(": ")
    matched = _LINE.fullmatch(head if colon else head.rstrip(":"))
    assert matched, f"not a line of a universe: {line!r}"
    if matched["name"] == "reserved":
        name, index = matched["rest"].split()
        universe.reserved[package_name(name)] = IndexName(index)
        return
    name, rest = package_name(matched["name"]), matched["rest"]
    if " ! " in rest:
        versions, _, reason = rest.partition(" ! ")
        withheld = universe.excluded.setdefault(name, [])
        withheld += [Excluded(Version(v), _exclusion(reason.strip())) for v in versions.split()]
        return
    rest, _, url = rest.partition(" = ")
    versions, flags = _flags(rest)
    requires = tuple(_long(one.strip()) for one in tail.split(" | ") if one.strip())
    for version in versions:
        release = _release(name, Version(version), flags, requires, url.strip())
        if url:
            universe.directs[url.strip()] = release
        else:
            universe.releases.setdefault(name, []).append(release)


def _flags(text: str) -> tuple[list[str], dict[str, str]]:
    versions: list[str] = []
    flags: dict[str, str] = {}
    for matched in _FLAG.finditer(text):
        flag, value, index, version = matched.groups()
        if version:
            versions.append(version)
        elif index:
            flags["index"] = index
        else:
            flags[flag] = value or ""
    return versions, flags


def _long(requirement: str) -> str:
    """``[io] h5py`` -> ``h5py ; extra == "io"``."""
    matched = _SHORT_EXTRA.fullmatch(requirement)
    if matched is None:
        return requirement
    extra, rest = matched.groups()
    asked, semicolon, marker = rest.partition(";")
    gate = f'extra == "{extra}"'
    return f"{asked.strip()} ; {f'({marker.strip()}) and {gate}' if semicolon else gate}"


def _release(
    name: PackageName,
    version: Version,
    flags: Mapping[str, str],
    requires: tuple[str, ...],
    url: str,
) -> Release:
    filename = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    metadata: CoreMetadata | UnusableMetadata = CoreMetadata(
        name=name,
        version=version,
        requires_python=flags.get("python"),
        requires_dist=requires,
        provides_extra=frozenset(_extras_of(requires)),
    )
    if "broken" in flags:
        metadata = UnusableMetadata(flags["broken"])
    if url:
        direct = DirectCandidate(
            name=name, version=version, filename=filename, url=url, sha256="0" * 64, size=1
        )
        return Release(direct, metadata)
    candidate = WheelCandidate(
        name=name,
        version=version,
        index=IndexName(flags.get("index", "pypi")),
        filename=filename,
        url=f"https://files.example.org/{filename}",
        sha256=None,
        size=None,
        upload_time=None,
        requires_python=flags.get("python"),
        yanked=flags.get("yanked"),
        has_metadata=True,
        metadata_sha256=None,
    )
    return Release(candidate, metadata)


def _extras_of(requires: Iterable[str]) -> set[ExtraName]:
    found = (re.findall(r"""extra == ["']([^"']+)""", line) for line in requires)
    return {extra_name(extra) for extras in found for extra in extras}


_REASONS: dict[str, Callable[[str], Exclusion]] = {
    "tags": lambda text: NoCompatibleTag(tuple(text.split())),
    "python": PythonMismatch,
    "source": lambda _text: SourceOnly(),
    "late": lambda text: UploadedTooLate(datetime.fromisoformat(text).replace(tzinfo=UTC)),
    "undated": lambda _text: UploadTimeUnknown(),
    "variant": lambda text: UnsupportedVariant(tuple(text.split())),
    "broken": UnusableMetadata,
}


def _exclusion(text: str) -> Exclusion:
    kind, _, rest = text.partition(" ")
    return _REASONS[kind](rest.strip())


def make_target(python: str = "3.12.4", machine: str = "x86_64") -> Target:
    """A CPython on Linux with glibc 2.36."""
    major, minor, patch = (int(part) for part in python.split("."))
    short = f"{major}.{minor}"
    markers = {
        "implementation_name": "cpython",
        "implementation_version": python,
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": python,
        "python_version": short,
        "sys_platform": "linux",
    }
    interpreter = Interpreter(
        executable=f"/usr/bin/python{short}",
        version=(major, minor, patch),
        implementation="cpython",
        free_threaded=False,
        debug=False,
        pointer_bits=64,
        platform=f"linux-{machine}",
        libc=Glibc(2, 36),
        soabi=None,
        cache_tag=f"cpython-{major}{minor}",
        magic="00000000",
        markers=markers,
        site_packages=f"lib/python{short}/site-packages",
        headers=f"include/python{short}",
    )
    tag = f"cp{major}{minor}"
    tags = (f"{tag}-{tag}-manylinux_2_36_{machine}", f"{tag}-none-any", "py3-none-any")
    return Target(interpreter, markers, tags, HardwareProfile(architecture=machine))


TARGET = make_target()


def named(text: str) -> Named:
    requirement = parse_requirement(text)
    assert isinstance(requirement, Named)
    return requirement


def make_family(
    name: str,
    wheels: Mapping[str, str],
    *,
    chosen: str | None = None,
    wanted: str | None = None,
    kept: str | None = None,
    works_with: Mapping[str, Iterable[str]] | None = None,
    source: str = "",
    exclusive: bool | str = True,
) -> RuntimeFamily:
    """Make a family of packages by the implementations that they bring."""
    return RuntimeFamily(
        name=name,
        wheels={package_name(wheel): brought for wheel, brought in wheels.items()},
        exclusive=exclusive in (True, "true"),
        chosen=chosen,
        wanted=None if wanted is None else named(wanted),
        kept=kept,
        works_with={
            package_name(n.partition(" ")[0]): (
                Bound(
                    implementations=frozenset(each),
                    versions=SpecifierSet(n.partition(" ")[2]),
                    source=source,
                ),
            )
            for n, each in (works_with or {}).items()
        },
    )


def make_problem(
    *dependencies: str,
    groups: Mapping[str, Iterable[str]] | None = None,
    constraints: Iterable[str] = (),
    overrides: Iterable[str] = (),
    prereleases: Iterable[str] = (),
    preferred: Mapping[str, str] | None = None,
    locked_files: Mapping[str, str] | None = None,
    families: Iterable[RuntimeFamily] = (),
    target: Target = TARGET,
) -> Problem:
    families = tuple(families)
    roots = [Root(parse_requirement(text), None) for text in dependencies]
    for group, texts in (groups or {}).items():
        roots += [Root(parse_requirement(text), GroupName(group)) for text in texts]
    return Problem(
        roots=(*roots, *family_roots(families)),
        constraints=tuple(named(text) for text in constraints),
        overrides=tuple(named(text) for text in overrides),
        prereleases=frozenset(package_name(name) for name in prereleases),
        preferred={package_name(n): Version(v) for n, v in (preferred or {}).items()},
        locked_files={package_name(n): f for n, f in (locked_files or {}).items()},
        families=families,
        target=target,
    )
