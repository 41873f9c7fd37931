"""A resolution becomes a lock."""

from collections.abc import Mapping

from msgspec import Struct, field

from envmgr.index.routing import reserving_glob
from envmgr.index.types import Candidate, DirectCandidate, WheelCandidate
from envmgr.lock.conditions import find_conditions
from envmgr.lock.inputs import Inputs
from envmgr.lock.locations import shown_location
from envmgr.lock.types import Lock, LockedPackage, LockedRuntime, LockedWheel
from envmgr.names import GroupName, PackageName
from envmgr.resolve.types import Chosen, Resolution
from envmgr.spec.addresses import without_credentials
from envmgr.spec.types import IndexSpec
from envmgr.target.types import Target


class FreezeContext(Struct, frozen=True, kw_only=True):
    """What a lock says beyond the resolution."""

    digest: str
    """Of the environment file's keys that decide the resolution."""
    inputs: Inputs = ()
    """The same in words (``inputs_of``)."""
    groups: tuple[GroupName, ...]
    """All groups of the file, those without packages included."""
    indexes: tuple[IndexSpec, ...]
    """In the order in which they were asked."""
    lock_directory: str
    """Where the lock will stand; absolute."""
    sha256: Mapping[PackageName, str] = field(default_factory=dict)
    """For candidates whose index gave no hash: computed from the file."""
    sizes: Mapping[PackageName, int] = field(default_factory=dict)
    """For candidates whose index gave no size."""
    reasons: Mapping[PackageName, str] = field(default_factory=dict)
    """Why an index answered, where that is not told by the indexes themselves."""
    runtimes: tuple[LockedRuntime, ...] = ()
    """What serves shared runtimes (``runtimes_of``)."""
    created_by: str = "envmgr"


def freeze(resolution: Resolution, target: Target, context: FreezeContext) -> Lock:
    """Write down what was chosen and what the choice depended on.

    Every package needs a hash, its index's or one in ``context.sha256``: a
    missing one is a caller's mistake (ValueError).
    """
    packages = [_package(chosen, context) for _, chosen in sorted(resolution.chosen.items())]
    return Lock(
        created_by=context.created_by,
        resolution_digest=context.digest,
        groups=tuple(sorted(context.groups)),
        indexes=tuple(
            (index.name, without_credentials(index.shown_url)) for index in context.indexes
        ),
        conditions=find_conditions(
            [package.wheel.filename for package in packages], resolution.markers, target
        ),
        packages=tuple(packages),
        inputs=context.inputs,
        runtimes=context.runtimes,
    )


def _package(chosen: Chosen, context: FreezeContext) -> LockedPackage:
    candidate = chosen.candidate
    indexes = {index.name: index for index in context.indexes}
    index = indexes[candidate.index] if isinstance(candidate, WheelCandidate) else None
    requires_python = candidate.requires_python if isinstance(candidate, WheelCandidate) else None
    return LockedPackage(
        name=candidate.name,
        version=str(candidate.version),
        wheel=_wheel(candidate, index, context),
        index=None if index is None else index.name,
        index_url=None if index is None else without_credentials(index.shown_url),
        index_reason=context.reasons.get(candidate.name) or _reason(candidate.name, index),
        extras=tuple(sorted(chosen.extras)),
        groups=frozenset({None}) if None in chosen.groups else chosen.groups,
        requires=tuple(sorted({edge.child for edge in chosen.requires} - {candidate.name})),
        requires_python=requires_python or None,
    )


def _wheel(candidate: Candidate, index: IndexSpec | None, context: FreezeContext) -> LockedWheel:
    sha256 = candidate.sha256 or context.sha256.get(candidate.name)
    if not sha256:
        raise ValueError(f"{candidate} has no hash, and none was computed")
    size = candidate.size if candidate.size is not None else context.sizes.get(candidate.name)
    return LockedWheel(
        filename=candidate.filename,
        location=shown_location(candidate.url, index, context.lock_directory),
        sha256=sha256,
        size=size,
        upload_time=None if isinstance(candidate, DirectCandidate) else candidate.upload_time,
    )


def _reason(name: PackageName, index: IndexSpec | None) -> str:
    if index is None:
        return "direct"
    glob = reserving_glob(index, name)
    return "first with the name" if glob is None else f'reserved by "{glob}"'
