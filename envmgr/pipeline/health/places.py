"""Whether the root, the stores and the caches lie where they can work."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from envmgr.hardware.filesystem import FileSystem, read_filesystem
from envmgr.pipeline.health.complaints import Complaint, note, problem
from envmgr.spec.settings import Settings
from envmgr.store.roots import ROOTS
from envmgr.store.store import LAYOUT

Role: TypeAlias = Literal["root", "store", "cache", "site store"]

LOW_BYTES = 1_000_000_000
"""A scientific environment unpacks to more."""
LOW_INODES = 50_000
"""Half of what a scientific environment's packages take in the store."""

_VARIABLE = {"root": "ENVMGR_HOME", "store": "ENVMGR_HOME", "cache": "ENVMGR_CACHE"}
_SETTING = {"root": "root", "store": "root", "cache": "cache"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A directory as it was found."""

    role: Role
    path: Path
    exists: bool
    is_directory: bool
    readable: bool
    writable: bool
    """Of one that is absent: of the nearest directory above that is there."""
    system: FileSystem | None
    """``None`` where it cannot be looked at."""


def check_places(settings: Settings) -> Iterator[Complaint]:
    """Look at every directory that the settings name. Nothing is written."""
    own, *sites = settings.stores
    places = [
        read_place("root", settings.home),
        read_place("store", own),
        read_place("cache", settings.cache),
        *(read_place("site store", site) for site in sites),
    ]
    told: set[tuple[str, int | None, str]] = set()
    for place in places:
        for complaint in judge_place(place):
            key = (complaint.check, _device(place), complaint.severity)
            if complaint.check in _OF_THE_FILE_SYSTEM and key in told and place.role != "cache":
                continue  # root and store nearly always share one
            told.add(key)
            yield complaint
    yield from check_sharing(own / LAYOUT)


_OF_THE_FILE_SYSTEM = {"space", "inodes", "network", "memory", "noexec", "case"}


def _device(place: Place) -> int | None:
    return place.system.device if place.system else None


def read_place(role: Role, path: Path) -> Place:
    """Look at one directory."""
    nearest = path
    while not os.path.exists(nearest) and nearest != nearest.parent:  # noqa: PTH110 - never raises
        nearest = nearest.parent
    exists, is_directory = nearest == path, os.path.isdir(nearest)  # noqa: PTH112 - the same
    try:
        system = read_filesystem(nearest) if is_directory else None
    except OSError:
        system = None
    return Place(
        role=role,
        path=path,
        exists=exists,
        is_directory=is_directory,
        readable=os.access(nearest, os.R_OK | os.X_OK),
        writable=os.access(nearest, os.W_OK | os.X_OK),
        system=system,
    )


def judge_place(place: Place) -> Iterator[Complaint]:
    """Say what is wrong with a place. Pure."""
    if place.role == "site store":
        yield from _judge_site(place)
        return
    where = f"set {_VARIABLE[place.role]}, or `{_SETTING[place.role]}` in config.yaml"
    named = f"the {place.role} {place.path}"
    if not place.is_directory:
        yield problem("place", place.path, f"{named} is not a directory", f"{where}, to one")
        return
    if not place.writable:
        what = "cannot be written" if place.exists else "does not exist and cannot be made"
        yield problem("place", place.path, f"{named} {what}", f"{where}, to a directory of yours")
    if place.system is not None:
        yield from _judge_system(place, place.system, named, where)


def _judge_system(place: Place, system: FileSystem, named: str, where: str) -> Iterator[Complaint]:
    elsewhere = f"{where}, to a directory elsewhere"
    if system.free_bytes < LOW_BYTES:
        free = f"{system.free_bytes / 1e6:,.0f} MB"
        yield problem("space", place.path, f"{named} has {free} left", _freed(place.role, where))
    if system.free_inodes is not None and system.free_inodes < LOW_INODES:
        free = f"{system.free_inodes:,} files and directories"
        yield problem(
            "inodes", place.path, f"{named} has room for {free}", _freed(place.role, where)
        )
    if place.role != "cache" and system.no_programs:
        message = f"{named} is mounted noexec: programs and libraries there cannot be used"
        yield problem("noexec", place.path, message, elsewhere)
    if place.role != "cache" and system.case_insensitive:
        message = f"{named} does not tell capital letters from small ones, and packages do"
        yield problem("case", place.path, message, elsewhere)
    if system.kind in {"tmpfs", "ramfs"} and place.role != "cache":
        message = f"{named} is in memory ({system.kind}), and gone when the machine restarts"
        yield note("memory", place.path, message, elsewhere)
    if system.is_network:
        advice = f"{where}, to a local disk if there is one" if place.role == "cache" else None
        message = f"{named} lies on a network file system ({system.kind})"
        yield note("network", place.path, message, advice)


def _freed(role: Role, where: str) -> str:
    by = "`envmgr store gc --cache`" if role == "cache" else "`envmgr store gc`"
    return f"free some: {by}; or {where}, to a larger file system"


def _judge_site(place: Place) -> Iterator[Complaint]:
    named = f"the store {place.path}, which `stores` names,"
    advice = "ask its owner, or take it out of `stores` (`envmgr config show` says where that is)"
    if not place.exists or not place.is_directory:
        yield problem("place", place.path, f"{named} is not there", advice)
    elif not place.readable:
        yield problem("place", place.path, f"{named} cannot be read", advice)
    elif place.system is not None and place.system.no_programs:
        message = f"{named} is mounted noexec: libraries there cannot be used"
        yield problem("noexec", place.path, message, advice)


def check_sharing(store: Path) -> Iterator[Complaint]:
    """Where others are to use a store (their roots may be written), see that they can read it."""
    try:
        roots = stat.S_IMODE((store / ROOTS).stat().st_mode)
    except OSError:
        return
    need = 0o005 if roots & 0o002 else 0o050 if roots & 0o020 and roots & stat.S_ISGID else 0
    if not need:
        return
    who = "others" if need == 0o005 else "its group"
    closed = [path for path in (store / "entries", store) if _lacks(path, need)]
    closed += [path for path in store.parents if _lacks(path, need & 0o011)]
    if closed:
        yield problem(
            "sharing",
            store,
            f"the store {store} is meant for {who}, who cannot look into it",
            f"open it: chmod {'o' if need == 0o005 else 'g'}+rx, for each of these",
            *map(str, closed),
        )


def _lacks(path: Path, need: int) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return mode & need != need
