"""Targets, resolutions and locks for the tests of locks."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from envmgr.hardware.profile import HardwareProfile
from envmgr.index.types import Candidate, DirectCandidate, WheelCandidate
from envmgr.lock.freeze import FreezeContext, freeze
from envmgr.lock.types import Lock
from envmgr.names import (
    GroupName,
    IndexName,
    extra_name,
    group_name,
    package_name,
)
from envmgr.resolve.types import Chosen, Edge, MarkerOutcome, Resolution
from envmgr.spec.types import IndexSpec
from envmgr.target.target import make_target
from envmgr.target.types import Glibc, Interpreter, Libc, Target
from envmgr.wheel.filename import parse_wheel_filename
from envmgr.wheel.requirement import parse_requirement
from tests.support.values import replace

LOCK = Path("/project/pylock.toml")
INDEX = IndexSpec(
    name=IndexName("pypi"),
    url="https://index.example.org/simple/",
    shown_url="https://index.example.org/simple/",
)
WHEN = datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=UTC)
_SYSTEMS = {"linux": "Linux", "darwin": "Darwin"}


def target_for(
    version: tuple[int, int, int] = (3, 12, 3),
    *,
    libc: Libc | None = Glibc(2, 36),  # noqa: B008 - a frozen value
    machine: str = "x86_64",
    system: str = "linux",
    free_threaded: bool = False,
    markers: Mapping[str, str] | None = None,
) -> Target:
    """Make a target of CPython; ``markers`` replaces single variables."""
    full = ".".join(map(str, version))
    minor = f"{version[0]}.{version[1]}"
    own = {
        "implementation_name": "cpython",
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "6.1.0",
        "platform_system": _SYSTEMS[system],
        "platform_version": "#1 SMP",
        "python_full_version": full,
        "python_version": minor,
        "sys_platform": system,
    }
    platform = f"linux-{machine}" if system == "linux" else f"macosx-14.0-{machine}"
    return make_target(
        Interpreter(
            executable="/usr/bin/python3",
            version=version,
            implementation="cpython",
            free_threaded=free_threaded,
            debug=False,
            pointer_bits=64,
            platform=platform,
            libc=libc,
            soabi=f"cpython-{version[0]}{version[1]}{'t' * free_threaded}-{machine}-linux-gnu",
            cache_tag=f"cpython-{version[0]}{version[1]}",
            magic="cb0d0d0a",
            markers={**own, **(markers or {})},
            site_packages=f"lib/python{minor}/site-packages",
            headers=f"include/python{minor}",
        ),
        HardwareProfile(architecture=machine),
    )


def wheel_candidate(filename: str, index: IndexSpec = INDEX, url: str = "") -> WheelCandidate:
    """Make a candidate of one file of an index."""
    wheel = parse_wheel_filename(filename)
    return WheelCandidate(
        name=wheel.name,
        version=wheel.version,
        index=index.name,
        filename=filename,
        url=url or f"https://files.example.org/{filename}",
        sha256=hashlib.sha256(filename.encode()).hexdigest(),
        size=1234,
        upload_time=WHEN,
        requires_python=None,
        yanked=None,
        has_metadata=True,
        metadata_sha256=None,
    )


def direct_candidate(url: str) -> DirectCandidate:
    """Make the candidate that a direct reference gives."""
    wheel = parse_wheel_filename(url.rpartition("/")[2])
    return DirectCandidate(
        name=wheel.name,
        version=wheel.version,
        filename=wheel.text,
        url=url,
        sha256="d" * 64,
        size=99,
    )


def chosen(
    candidate: Candidate | str,
    *,
    groups: Iterable[str | None] = (None,),
    extras: Iterable[str] = (),
    requires: Iterable[str] = (),
) -> Chosen:
    """Make one package of a resolution; ``requires`` are names."""
    if isinstance(candidate, str):
        candidate = wheel_candidate(candidate)
    return Chosen(
        candidate=candidate,
        extras=frozenset(map(extra_name, extras)),
        groups=frozenset(None if group is None else group_name(group) for group in groups),
        requires=tuple(
            Edge(candidate.name, package_name(name), parse_requirement(name)) for name in requires
        ),
    )


def resolution_of(*packages: Chosen | str, markers: Iterable[MarkerOutcome] = ()) -> Resolution:
    """Make a resolution; a text is the file name of a wheel that ``dependencies`` need."""
    made = [chosen(package) if isinstance(package, str) else package for package in packages]
    made.sort(key=lambda package: package.candidate.name)
    return Resolution({package.candidate.name: package for package in made}, tuple(sorted(markers)))


def context_of(**fields: object) -> FreezeContext:
    """Make the circumstances of a lock at ``LOCK``; ``fields`` replaces single ones."""
    context = FreezeContext(
        digest=f"sha256:{'0' * 64}", groups=(), indexes=(INDEX,), lock_directory="/project"
    )
    return replace(context, **fields)


def lock_of(
    *packages: Chosen | str,
    markers: Iterable[MarkerOutcome] = (),
    target: Target | None = None,
    **fields: object,
) -> Lock:
    """Freeze such a resolution."""
    return freeze(
        resolution_of(*packages, markers=markers), target or target_for(), context_of(**fields)
    )


def outcome(marker: str, holds: bool, *extras: str) -> MarkerOutcome:
    """Say what a marker answered."""
    return MarkerOutcome(marker, tuple(map(extra_name, extras)), holds)


def groups_of(*names: str) -> tuple[GroupName, ...]:
    """Name groups."""
    return tuple(map(group_name, names))
