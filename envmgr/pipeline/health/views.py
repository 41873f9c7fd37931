"""Whether an environment is whole: its generations, links, interpreter, file and lock."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from envmgr.hardware.host import Host
from envmgr.link.complete import count_entries
from envmgr.link.foreign import read_foreign
from envmgr.link.generation import (
    GenerationRecord,
    generation_path,
    is_linked,
    list_generations,
    numbers_of,
    read_current,
    read_damage,
)
from envmgr.link.place import is_same_place
from envmgr.link.prefix import (
    CURRENT,
    GENERATIONS,
    RECORD,
    STATE,
    DamagedEnvironment,
    pending_generation,
    read_identity,
)
from envmgr.lock.paths import lock_path
from envmgr.locks import may_be_running, read_holder
from envmgr.names import EnvironmentName, StoreKey
from envmgr.pipeline.brought import found_elsewhere
from envmgr.pipeline.environments import selection_of
from envmgr.pipeline.generations import GenerationBroken, check_whole
from envmgr.pipeline.health.complaints import Complaint, note, problem
from envmgr.pipeline.types import ByName, ByPrefix, Selector
from envmgr.spec.settings import Settings
from envmgr.store.entry import MANIFEST
from envmgr.store.roots import root_file
from envmgr.store.store import Store
from envmgr.target.probe import InterpreterUnusable, probe_interpreter
from envmgr.wheel.manifest import ManifestUnreadable, decode_manifest

DELETED = "something else deleted them, as purges of unused files on scratch do"


def check_view(prefix: Path, store: Store, settings: Settings, host: Host) -> Iterator[Complaint]:
    """Go through one environment; of its entries only that they are there."""
    selector = selector_of(prefix, settings)
    selection = selection_of(selector)
    yield from _check_leftovers(prefix)
    damage = read_damage(prefix)
    record = read_current(prefix)
    if damage is not None or record is None:
        reason = damage or "no generation of it was ever finished"
        found = DamagedEnvironment(prefix, reason, read_identity(prefix)[1], selection)
        yield problem("environment", prefix, str(found), found.hint)
        return
    sync = f"run `envmgr sync {selection}`"
    yield from _check_place(prefix, record, selector, store, sync)
    yield from _check_interpreter(prefix, record, sync, host)
    yield from _check_entries_there(prefix, record, store, sync)
    yield from _check_links(prefix, record, selection, sync)
    yield from _check_older(prefix, record, store, selection)
    yield from _check_sources(prefix, record, selection)


def selector_of(prefix: Path, settings: Settings) -> Selector:
    """Say how a command line names the environment at a prefix."""
    if prefix.parent == settings.environments:
        return ByName(EnvironmentName(prefix.name))
    return ByPrefix(prefix)


def _check_leftovers(prefix: Path) -> Iterator[Complaint]:
    lock = prefix / STATE / "lock"
    holder = read_holder(lock)
    if holder is not None and may_be_running(holder):
        yield note("lock", prefix, f"{prefix} is being changed by {holder}")
        return
    left = [] if holder is None else [f"{lock}.holder, of {holder}"]
    pending = pending_generation(prefix)
    if pending is not None:
        left.append(f"{prefix / GENERATIONS / pending}, which was written and never switched to")
    try:
        names = sorted(os.listdir(prefix / GENERATIONS))
    except OSError:
        names = []
    for name in names:
        path = prefix / GENERATIONS / name
        if (
            not is_same_place(path, prefix / CURRENT)
            and not path.is_symlink()
            and not (path / RECORD).is_file()
        ):
            left.append(f"{path}, which was never finished or lost its record")
    if left:
        yield note(
            "leftovers",
            prefix,
            f"killed commands left something in {prefix}; it is in nobody's way, and goes "
            "with the next change",
            None,
            *left,
        )


def _check_place(
    prefix: Path, record: GenerationRecord, selector: Selector, store: Store, sync: str
) -> Iterator[Complaint]:
    if record.prefix and not is_same_place(record.prefix, prefix):
        yield problem(
            "moved",
            prefix,
            f"{prefix} was made at {record.prefix}, and its programs look for it there",
            sync,
        )
    elif not is_linked(prefix):
        yield problem("links", prefix, f"names in {prefix} do not lead into its generation", sync)
    if isinstance(selector, ByPrefix) and not _is_rooted(prefix, record, store):
        yield problem(
            "root",
            prefix,
            f"the store does not know of {prefix}, and would collect what it needs",
            sync,
        )
    if record.taken and _devices_differ(prefix, record):
        yield note(
            "links",
            prefix,
            f"{prefix} and the store lie on different file systems: what asks for hard links "
            "(`link: hardlink`) is copied",
        )


def _is_rooted(prefix: Path, record: GenerationRecord, store: Store) -> bool:
    """Whether a store knows of a prefix: ours, unless all that it needs is in others.

    Somebody else's environment is known to somebody else's store.
    """
    used = [Path(entries).parent for entries in record.stores]
    if any(is_same_place(place, store.path) for place in used):
        used = []
    return any(root_file(place, prefix).is_file() for place in (store.path, *used))


def _devices_differ(prefix: Path, record: GenerationRecord) -> bool:
    devices = set()
    for path in (prefix, *map(Path, record.stores)):
        try:
            devices.add(path.stat().st_dev)
        except OSError:
            continue
    return len(devices) > 1


def _check_interpreter(
    prefix: Path, record: GenerationRecord, sync: str, host: Host
) -> Iterator[Complaint]:
    try:
        found = probe_interpreter(record.python, host, None)
    except InterpreterUnusable as error:
        gone = not Path(record.python).exists()
        what = "is gone" if gone else f"cannot be used: {error.reason}"
        yield problem(
            "interpreter",
            prefix,
            f"the interpreter of {prefix}, {record.python} (Python {record.python_version}), "
            f"{what}",
            f"install it again, or {sync}, which takes another one that the file allows",
        )
        return
    if found.version_text == record.python_version:
        return
    message = (
        f"the interpreter of {prefix}, {record.python}, was Python {record.python_version} and "
        f"is {found.version_text} now"
    )
    if found.version_text.split(".")[:2] == record.python_version.split(".")[:2]:
        yield note("interpreter", prefix, message, f"{sync} to take note of it")
    else:
        yield problem("interpreter", prefix, f"{message}: it finds no package", sync)


def _check_entries_there(
    prefix: Path, record: GenerationRecord, store: Store, sync: str
) -> Iterator[Complaint]:
    for place in record.stores:
        if not Path(place).is_dir():
            yield problem(
                "store-gone",
                prefix,
                f"the store {place}, which {prefix} links to, is gone: something else deleted it, "
                "as purges of scratch do, or it is not mounted here",
                f"mount it, or {sync}, which fetches the packages again; a store belongs where "
                "nothing is purged: ENVMGR_HOME, or `root` in config.yaml",
            )
            return
    lost = [package for package in record.packages if not _is_there(package.key, record, store)]
    if lost:
        yield problem(
            "entries",
            prefix,
            f"packages of {prefix} cannot be found in the store: {DELETED}",
            f"{sync}, which fetches them again",
            *(f"{package.name} {package.version}" for package in lost),
        )


def _is_there(key: StoreKey, record: GenerationRecord, store: Store) -> bool:
    """Whether one of our stores has an entry, or one that the generation was made from."""
    others = (Path(place, key) for place in record.stores)
    return store.find(key) is not None or any(other.is_dir() for other in others)


def _check_links(
    prefix: Path, record: GenerationRecord, selection: str, sync: str
) -> Iterator[Complaint]:
    generation = generation_path(prefix, record.id)
    there = count_entries(os.fspath(generation))
    if there < record.entries:
        yield problem(
            "purged",
            prefix,
            f"{record.entries - there} of {record.entries} links and files of {prefix} are gone: "
            f"{DELETED}",
            sync,
        )
    try:
        check_whole(prefix, record, record.number, selection)
    except GenerationBroken as broken:
        if broken.others:
            yield problem(
                "links",
                prefix,
                f"links of {prefix} lead to what is gone",
                sync,
                *broken.others,
            )
        elif all(Path(place).is_dir() for place in record.stores):
            yield problem(
                "links",
                prefix,
                f"links of {prefix} lead to files that packages in the store have lost",
                f"{sync}, then `envmgr store repair`",
                *broken.packages,
            )


def _check_older(
    prefix: Path, record: GenerationRecord, store: Store, selection: str
) -> Iterator[Complaint]:
    numbers = numbers_of(prefix)
    for older in list_generations(prefix):
        if older.id == record.id:
            continue
        try:
            moved = found_elsewhere(older, store)
            check_whole(prefix, older, numbers[older.id], selection, moved)
        except GenerationBroken as broken:
            advice = "nothing to do, unless you want to go back to it: `envmgr store repair`"
            yield note("generation", prefix, str(broken), advice, *broken.details())


def _check_sources(prefix: Path, record: GenerationRecord, selection: str) -> Iterator[Complaint]:
    file = Path(record.environment_file)
    newer = read_identity(prefix)[1]
    if not file.exists() and (newer is None or not newer.exists()):
        yield note(
            "file",
            prefix,
            f"the file of {prefix}, {file}, is gone; nothing can be changed without it",
            f"say where it is now: `envmgr create -f FILE {selection}`",
        )
    elif not (Path(record.lock) if record.lock else lock_path(file)).exists():
        yield note("lock", prefix, f"the lock of {file} is gone; the next change resolves anew")
    foreign = read_foreign(generation_path(prefix, record.id))
    if foreign:
        yield note(
            "foreign",
            prefix,
            f"other installers put something into {prefix}: {foreign}",
            f"add it to {file}, or it stays behind with the next change",
        )


def check_reached(prefix: Path, store: Store, sync: str) -> Iterator[Complaint]:
    """See that every file that the entries have in site-packages is reached through the view."""
    record = read_current(prefix)
    if record is None:
        return
    sites = list(generation_path(prefix, record.id).glob("lib/*/site-packages"))
    if len(sites) != 1:
        return
    lost = []
    for package in record.packages:
        entry = store.find(package.key)
        if entry is None:
            continue
        try:
            manifest = decode_manifest((entry.path / MANIFEST).read_bytes())
        except (OSError, ManifestUnreadable):
            continue
        inside = [f.path for f in manifest.files if f.path.startswith("site-packages/")]
        is_there = _reaches(os.fspath(entry.path), os.fspath(sites[0].parent))
        count = sum(not is_there(path) for path in inside)
        if count:
            lost.append(f"{package.name} {package.version}: {count} of {len(inside)} files")
    if lost:
        yield problem("purged", prefix, f"links of {prefix} are gone: {DELETED}", sync, *lost)


def _reaches(entry: str, library: str) -> Callable[[str], bool]:
    exists = os.path.exists

    def reaches(path: str) -> bool:
        return exists(f"{library}/{path}") or not exists(f"{entry}/{path}")

    return reaches
