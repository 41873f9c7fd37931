"""What an answer depended on, so that a lock claims no more than that."""

import re
from collections.abc import Collection, Iterable, Mapping

from packaging.markers import Marker

from envmgr.lock.platforms import PlatformFloor, highest, lowest_sufficient
from envmgr.lock.types import LockConditions
from envmgr.resolve.types import MarkerOutcome
from envmgr.target.types import Target
from envmgr.wheel.filename import parse_wheel_filename

STABLE_ABIS = frozenset({"none", "abi3", "abi3t"})
"""ABI tags that more than one minor version of Python can load."""

_PATCH_VARIABLES = ("python_full_version", "implementation_version")
_KERNEL_VARIABLES = ("platform_release", "platform_version")
_IN = re.compile(r"\bin\b")
_PATCHES = 100
"""How far patch releases of one minor version are looked through; none has had half as many."""


def find_conditions(
    filenames: Iterable[str], markers: tuple[MarkerOutcome, ...], target: Target
) -> LockConditions:
    """State what a choice of wheels and these markers depended on.

    Of a wheel's tags those that fit the target count, of its platforms the least
    demanding: ``manylinux_2_17_x86_64.manylinux2014_x86_64`` needs glibc 2.17.
    """
    native = [parts for name in filenames if (parts := _native_parts(name, target))]
    floors = [floor for _, platforms in native if (floor := lowest_sufficient(platforms))]
    abis = {abi for abis, _ in native for abi in abis} - STABLE_ABIS
    on_machine = any(platforms for _, platforms in native)
    machine = target.markers["platform_machine"] if on_machine else None
    return LockConditions(
        python=target.interpreter.minor_text,
        implementation=target.markers["implementation_name"],
        sys_platform=target.markers["sys_platform"],
        machine=machine,
        platform_floor=_floor_text(highest(floors), target),
        abi=max(abis, key=lambda abi: (len(abi), abi), default=None),
        markers=markers,
        environment=_environment(machine is not None, markers, target),
    )


def _native_parts(filename: str, target: Target) -> tuple[set[str], set[str]] | None:
    """Return the ABI and platform tags of a wheel that fit; ``None`` for ``none-any``.

    The platforms are empty where one of them is ``any``.
    """
    wheel = parse_wheel_filename(filename)
    if wheel.abi == ("none",) and wheel.platform == ("any",):
        return None
    fitting = [tag for tag in wheel.tags if tag in target.tag_ranks] or list(wheel.tags)
    parts = [tag.split("-") for tag in fitting]
    platforms = {platform for _, _, platform in parts}
    return {abi for _, abi, _ in parts}, set() if "any" in platforms else platforms


def _floor_text(floor: PlatformFloor | None, target: Target) -> str | None:
    if floor is None:
        return None
    if floor.kind == "macosx":  # universal2 and its like name no machine
        floor = PlatformFloor(floor.kind, floor.version, target.markers["platform_machine"])
    return str(floor)


def _environment(on_machine: bool, outcomes: tuple[MarkerOutcome, ...], target: Target) -> str:
    """Say it in one marker: equalities, and the range of patch releases that answer alike."""
    asked = " ".join(outcome.marker for outcome in outcomes)
    variables = ["implementation_name", "sys_platform"]
    if on_machine or "platform_machine" in asked:
        variables.append("platform_machine")
    variables += [variable for variable in _KERNEL_VARIABLES if variable in asked]
    clauses = [f"{name} == {_quoted(target.markers[name])}" for name in variables]
    return " and ".join([*clauses, *_patch_range(outcomes, target)])


def _quoted(value: str) -> str:
    """Write a value as PEP 508 does, which has no escapes."""
    return f'"{value}"' if "'" in value else f"'{value}'"


def _patch_range(outcomes: tuple[MarkerOutcome, ...], target: Target) -> list[str]:
    """Return the bounds of the patch releases around the target's that give the same answers."""
    delicate = [
        (Marker(outcome.marker), outcome)
        for outcome in outcomes
        if any(variable in outcome.marker for variable in _PATCH_VARIABLES)
    ]
    if not delicate:
        return []

    def alike(patch: int) -> bool:
        markers = _with_patch(target, patch)
        return all(
            evaluate(marker, markers, outcome.extras) == outcome.holds
            for marker, outcome in delicate
        )

    minor = target.interpreter.minor_text
    turns = _turns([outcome.marker for _, outcome in delicate], minor)
    own = target.interpreter.version[2]
    first = own
    while first > 0 and (first not in turns or alike(first - 1)):
        first -= 1
    end = own + 1
    while end < _PATCHES and (end not in turns or alike(end)):
        end += 1
    bounds = [f"python_full_version >= '{minor}.{first}'"] if first > 0 else []
    return bounds + ([f"python_full_version < '{minor}.{end}'"] if end < _PATCHES else [])


def _turns(markers: list[str], minor: str) -> Collection[int]:
    """Return the patch releases that markers may answer otherwise than the one before.

    These are the ones they mention, and those after them; all for ``in``, which compares text.
    """
    if any(_IN.search(marker) for marker in markers):
        return range(_PATCHES)
    mention = re.compile(rf"(?<![0-9.]){re.escape(minor)}(?:\.([0-9]{{1,6}}))?(?![0-9])")
    patches = {int(patch or 0) for marker in markers for patch in mention.findall(marker)}
    return patches | {patch + 1 for patch in patches}


def _with_patch(target: Target, patch: int) -> Mapping[str, str]:
    full = f"{target.interpreter.minor_text}.{patch}"
    markers = {**target.markers, "python_full_version": full}
    if target.interpreter.implementation == "cpython":
        markers["implementation_version"] = full
    return markers


def evaluate(marker: Marker, markers: Mapping[str, str], extras: Iterable[str]) -> bool:
    """Whether a marker holds with any one of ``extras`` active, or with none.

    ``markers`` has every variable, so that none of this machine's own slips in.
    """
    return any(
        marker.evaluate({**markers, "extra": extra}, context="metadata")
        for extra in sorted(extras) or [""]
    )
