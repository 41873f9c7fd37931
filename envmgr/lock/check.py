"""Whether a lock still says what its file does, and whether it is for this target."""

import re
from collections.abc import Iterator, Mapping
from itertools import product

from packaging.markers import Marker

from envmgr.lock.conditions import evaluate
from envmgr.lock.errors import UnknownGroup
from envmgr.lock.inputs import Inputs
from envmgr.lock.platforms import LIBRARIES, library_of, parse_floor
from envmgr.lock.types import Lock, LockedPackage
from envmgr.names import GroupName, PackageName
from envmgr.resolve.types import MarkerOutcome
from envmgr.target.types import Target
from envmgr.wheel.filename import split_wheel_filename

_LEADING_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OF_PACKAGES = ("dependencies", "groups.", "constraints", "overrides", "indexes")
"""Inputs whose every value begins with a name."""


def why_stale(lock: Lock, digest: str, inputs: Inputs = ()) -> tuple[str, ...]:
    """Tell in clauses what changed in the file since it was locked; nothing if it is fresh.

    The digest decides; ``inputs`` (``inputs_of``) is only to say what it was.
    """
    if lock.resolution_digest == digest:
        return ()
    if not lock.resolution_digest:
        return (f"was made by {lock.created_by}, not from an environment file",)
    before, after = dict(lock.inputs), dict(inputs)
    changed = [
        clause
        for key in dict.fromkeys([*before, *after])
        for clause in _changes(key, before.get(key, ()), after.get(key, ()))
    ]
    return tuple(changed) or ("the environment file changed",)


def _changes(key: str, before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[str]:
    if before == after:
        return
    if not key.startswith(_OF_PACKAGES):
        was, now = ", ".join(before) or "absent", ", ".join(after) or "absent"
        yield f"{key} was {was} and is {now}"
        return
    gone = {_name_of(text): text for text in before if text not in after}
    come = {_name_of(text): text for text in after if text not in before}
    for name in sorted(gone.keys() & come.keys()):
        yield f"{key}: {gone[name]} became {come[name]}"
    added = [text for text in after if text not in before and _name_of(text) not in gone]
    removed = [text for text in before if text not in after and _name_of(text) not in come]
    if added:
        yield f"{key}: added {', '.join(added)}"
    if removed:
        yield f"{key}: removed {', '.join(removed)}"
    if not gone and not come:
        yield f"{key}: another order"


def _name_of(text: str) -> str:
    match = _LEADING_NAME.match(text)
    return match[0] if match else text


def why_unfit(lock: Lock, target: Target) -> tuple[str, ...]:
    """Tell in clauses what the lock needs and the target has not; nothing if it fits.

    What follows from another difference is not told: where the Python is another
    one, so are markers that ask for it.
    """
    return tuple(_other_machine(lock, target)) or tuple(_other_answers(lock, target))


def is_for_another_python_alone(lock: Lock, target: Target) -> bool:
    """Whether the lock is for this platform, machine and implementation, and another minor."""
    conditions, markers = lock.conditions, target.markers
    return (
        conditions.python != target.interpreter.minor_text
        and conditions.implementation == markers["implementation_name"]
        and conditions.sys_platform == markers["sys_platform"]
        and conditions.machine in (None, markers["platform_machine"])
        and not any(_short_of_floor(conditions.platform_floor, target))
    )


def _other_machine(lock: Lock, target: Target) -> Iterator[str]:
    conditions, markers = lock.conditions, target.markers
    if conditions.implementation != markers["implementation_name"]:
        yield f"needs {conditions.implementation}, this is {markers['implementation_name']}"
    if conditions.python != target.interpreter.minor_text:
        yield f"needs Python {conditions.python}, this is {target.interpreter.version_text}"
    if conditions.sys_platform != markers["sys_platform"]:
        was = f"sys_platform == '{conditions.sys_platform}'"
        yield f"was made where `{was}`, here it is '{markers['sys_platform']}'"
        return
    if conditions.machine not in (None, markers["platform_machine"]):
        yield f"needs a machine of {conditions.machine}, this is {markers['platform_machine']}"
        return
    yield from _short_of_floor(conditions.platform_floor, target)
    abis = {tag.split("-")[1] for tag in target.tags} if conditions.abi else set()
    if conditions.abi and conditions.abi not in abis:
        own = target.tags[0].split("-")[1] if target.tags else "another"
        yield f"needs the ABI {conditions.abi}, this interpreter has {own}"


def _short_of_floor(platform_floor: str | None, target: Target) -> Iterator[str]:
    floor = None if platform_floor is None else parse_floor(platform_floor)
    if floor is None:
        return
    needed = f"{LIBRARIES[floor.kind]} {floor.version[0]}.{floor.version[1]}"
    libc = target.interpreter.libc
    if libc is None:
        yield f"needs {needed}, which this machine does not tell"
        return
    kind, version = library_of(libc)
    if kind != floor.kind:
        yield f"needs {needed}, this machine has {LIBRARIES[kind]} {version[0]}.{version[1]}"
    elif version < floor.version:
        yield f"needs {needed}, this machine has {version[0]}.{version[1]}"


def _other_answers(lock: Lock, target: Target) -> Iterator[str]:
    clauses = _other_markers(lock, target)
    clauses += [
        f"{package.name} needs Python {package.requires_python}, "
        f"this is {target.interpreter.version_text}"
        for package in lock.packages
        if not target.accepts_python(package.requires_python)
    ]
    yield from clauses or _without_tag(lock, target)


def _other_markers(lock: Lock, target: Target) -> list[str]:
    """Tell of markers that answer otherwise.

    Where the one marker for other tools holds, all of them answer as they did:
    that is how it was made, for final releases of Python, and one is quickly asked.
    """
    environment = lock.conditions.environment
    inside = not environment or evaluate(Marker(environment), target.markers, ())
    final = target.markers["python_full_version"] == target.interpreter.version_text
    if environment and inside and final:
        return []
    turned = [clause for each in lock.conditions.markers for clause in _turned(each, target)]
    return turned if turned or inside else [f"was made where `{Marker(environment)}`"]


def _turned(outcome: MarkerOutcome, target: Target) -> Iterator[str]:
    if target.satisfies(Marker(outcome.marker), frozenset(outcome.extras)) == outcome.holds:
        return
    was, now = ("true", "false") if outcome.holds else ("false", "true")
    yield f"`{outcome.marker}` was {was} for it and is {now} here"


def _without_tag(lock: Lock, target: Target) -> Iterator[str]:
    """Tell of wheels that do not fit although all else does: the last word is the tags'."""
    for package in lock.packages:
        if not any(tag in target.tag_ranks for tag in _tags(package.wheel.filename)):
            yield f"{package.wheel.filename} is not for this interpreter and platform"


def _tags(filename: str) -> Iterator[str]:
    """Expand a wheel's tags without reading its name and version: a lock has hundreds."""
    parts = split_wheel_filename(filename.lower())
    if parts is not None:
        for tag in product(*(part.split(".") for part in parts[3:6])):
            yield "-".join(tag)


def select(lock: Lock, groups: frozenset[GroupName]) -> tuple[LockedPackage, ...]:
    """Return what ``dependencies`` and these groups need, sorted by name.

    Raises UnknownGroup.
    """
    unknown = sorted(groups - set(lock.groups))
    if unknown:
        raise UnknownGroup(tuple(unknown), lock.groups)
    wanted: frozenset[GroupName | None] = groups | {None}
    return tuple(package for package in lock.packages if package.groups & wanted)


def compare(
    old: Mapping[PackageName, str], new: Mapping[PackageName, str]
) -> tuple[tuple[PackageName, str | None, str | None], ...]:
    """Return the packages whose version differs, with both versions; ``None`` is absent."""
    return tuple(
        (name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def versions(packages: tuple[LockedPackage, ...]) -> Mapping[PackageName, str]:
    """Return what ``compare`` compares."""
    return {package.name: package.version for package in packages}
