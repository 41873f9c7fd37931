"""What ``create`` and ``sync`` are to make, and what stands there now."""

from pathlib import Path

from msgspec import Struct

from envmgr.link.generation import GenerationRecord, read_current
from envmgr.names import EnvironmentName, GroupName
from envmgr.pipeline.environments import locate
from envmgr.pipeline.errors import UnknownGroup
from envmgr.pipeline.origin import moved_from, recorded_file
from envmgr.pipeline.types import CreateRequest
from envmgr.spec.settings import Settings
from envmgr.spec.types import EnvironmentSpec


class Aim(Struct, frozen=True, kw_only=True):
    """What is to be made where, and what stands there now."""

    spec: EnvironmentSpec
    name: EnvironmentName
    prefix: Path
    groups: tuple[GroupName, ...]
    compile: bool
    lock: Path | None
    """``None``: the one beside the file."""
    python: str | None
    """What stands in for the file's ``python``."""
    before: GenerationRecord | None
    moved_from: Path | None
    """Where the file stood before, if it was moved since."""

    @property
    def lock_text(self) -> str | None:
        """The lock as a generation remembers it."""
        return None if self.lock is None else str(self.lock)


def file_of(request: CreateRequest, settings: Settings) -> Path:
    """Return the environment file of a request; ``sync`` knows it from the environment."""
    if request.file is not None:
        return request.file
    if request.selector is None:
        raise ValueError("sync names an environment, which knows its file")
    return recorded_file(request.selector, settings)


def aim_of(spec: EnvironmentSpec, request: CreateRequest, settings: Settings) -> Aim:
    """Say what is to be made; ``sync`` wishes for what it was made with before."""
    name, prefix = locate(request.selector, spec.name, settings)
    before = read_current(prefix)
    lock = request.lock.absolute() if request.lock else None
    python = request.python
    if before is not None and request.file is None:
        lock = lock or (Path(before.lock) if before.lock else None)
        python = python or before.python_wish
    return Aim(
        spec=spec,
        name=name,
        prefix=prefix,
        groups=_groups(request, spec, before),
        compile=settings.compile if request.compile is None else request.compile,
        lock=lock,
        python=python,
        before=before,
        moved_from=moved_from(prefix, before, spec.source),
    )


def _groups(
    request: CreateRequest, spec: EnvironmentSpec, before: GenerationRecord | None
) -> tuple[GroupName, ...]:
    if request.groups is None:
        kept = before.groups if before else ()
        return tuple(group for group in kept if group in spec.groups)
    known = tuple(sorted(spec.groups))
    for group in request.groups:
        if group not in spec.groups:
            raise UnknownGroup(group, known, spec.source)
    return tuple(sorted(set(request.groups)))
