"""Generations: views that were made, each beside the others, one of them current.

A generation is written under its own name, since its scripts name their
interpreter there; it exists for nobody until ``generation.json``, the last
file, is there and ``current`` is switched to it by one rename.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import msgspec

from envmgr.events import Reporter, silent
from envmgr.files import remove_file, remove_tree, replace_link, write_atomically, write_new
from envmgr.link.execution import execute
from envmgr.link.inputs import Layout
from envmgr.link.prefix import (
    CACHES,
    CURRENT,
    GENERATIONS,
    PENDING,
    RECORD,
    STATE,
    NameTaken,
    NoEnvironment,
    PrefixUnusable,
    current_generation,
    damage_of,
    has_generation,
    pending_generation,
    unusable,
)
from envmgr.link.records import GenerationRecord as GenerationRecord
from envmgr.link.records import PackageRecord as PackageRecord
from envmgr.link.records import RuntimeRecord as RuntimeRecord
from envmgr.names import (
    EnvironmentName,
    GenerationId,
)
from envmgr.spec.types import KEPT


def new_generation_id(now: datetime) -> GenerationId:
    """Return an id that sorts by time and that nobody else has.

    Short, since every script of the generation names it in its first line.
    """
    return GenerationId(f"{int(now.timestamp() * 1000):011x}{os.urandom(2).hex()}")


def generation_path(prefix: Path, generation: GenerationId) -> Path:
    """Return where a generation of ``prefix`` stands, or would."""
    return prefix / GENERATIONS / generation


def write_generation(
    prefix: Path, layout: Layout, record: GenerationRecord, report: Reporter = silent
) -> GenerationId:
    """Carry out a layout beside the generations that are there; nothing is switched.

    Notes hard links that had to be copies. Whatever fails leaves no trace. Raises
    NameTaken where the switch could not be made, PrefixUnusable.
    """
    for name in layout.top_level:
        _check_name(prefix / name, f"{CURRENT}/{name}")
    path = os.fspath(generation_path(prefix, record.id))
    try:
        os.mkdir(path)  # noqa: PTH102 - a string from here on
    except OSError as error:
        raise unusable(prefix, error) from error
    try:
        execute(layout, path, os.fspath(prefix / CURRENT), report)
        finish_generation(prefix, record)
    except OSError as error:
        remove_tree(path)
        raise unusable(prefix, error) from error
    except BaseException:
        remove_tree(path)
        raise
    return record.id


def finish_generation(prefix: Path, record: GenerationRecord) -> None:
    """Write the record of a generation whose view is written, noted as not switched to yet.

    Who is killed before the switch leaves that note: it was never current, and goes when
    the next one comes. Raises OSError, PrefixUnusable.
    """
    before = pending_generation(prefix)
    if before is not None:
        remove_generation(prefix, GenerationId(before))
    write_atomically(prefix / PENDING, record.id.encode())
    path = os.path.join(generation_path(prefix, record.id), RECORD)
    write_new(path, msgspec.json.format(msgspec.json.encode(record)))


def switch_generation(prefix: Path, generation: GenerationId) -> None:
    """Make a generation the current one, by one rename.

    Links for names that are new in it come before, those for names that it
    lacks go after: a crash between any two steps leaves the old generation whole.
    Raises NoEnvironment where the generation was not finished, NameTaken,
    PrefixUnusable; new links are taken back then.
    """
    path = generation_path(prefix, generation)
    if not (path / RECORD).is_file():
        raise NoEnvironment(path)
    names = _names(path)
    try:
        _forget_switched(prefix)  # of who was killed after the switch: it was current, and stays
        with _links_for(prefix, names):
            replace_link(prefix / CURRENT, f"generations/{generation}")
        _forget_switched(prefix)
        for name in os.listdir(prefix):
            if name not in names and _reads(prefix / name, f"{CURRENT}/{name}"):
                remove_file(prefix / name)
    except OSError as error:
        raise unusable(prefix, error) from error


def _forget_switched(prefix: Path) -> None:
    """Remove the note of a pending generation where that is the current one."""
    if pending_generation(prefix) is None:
        remove_file(prefix / PENDING)


def _names(generation: Path) -> frozenset[str]:
    return frozenset(os.listdir(generation)) - {RECORD, CACHES}


@contextmanager
def _links_for(prefix: Path, names: Iterable[str]) -> Iterator[None]:
    """Link every name that is not linked yet; where what follows fails, none of them stays."""
    made: list[Path] = []
    try:
        for name in sorted(names):
            if not _check_name(prefix / name, f"{CURRENT}/{name}"):
                (prefix / name).symlink_to(f"{CURRENT}/{name}")
                made.append(prefix / name)
        yield
    except BaseException:
        for path in made:
            remove_file(path)
        raise


def _check_name(path: Path, target: str) -> bool:
    """Tell whether ``path`` is the link it should be. Raises NameTaken where it is not ours."""
    if _reads(path, target):
        return True
    if os.path.lexists(path):
        raise NameTaken(path)
    return False


def is_linked(prefix: Path) -> bool:
    """Whether every name of the current generation is reached through the prefix."""
    try:
        names = _names(current_generation(prefix))
    except (OSError, NoEnvironment):
        return False
    return all(_reads(prefix / name, f"{CURRENT}/{name}") for name in names)


def _reads(path: Path, target: str) -> bool:
    try:
        return os.fspath(path.readlink()) == target
    except OSError:
        return False


def write_identity(prefix: Path, name: EnvironmentName, environment_file: Path) -> None:
    """Note which environment lives here, for who looks before any generation exists."""
    facts = {"name": name, "file": os.fspath(environment_file)}
    write_atomically(prefix / STATE / "environment.json", msgspec.json.encode(facts) + b"\n")


def read_record(prefix: Path, generation: GenerationId) -> GenerationRecord | None:
    """Read the record of one generation; ``None`` where it was not finished or is unknown to us."""
    try:
        data = (generation_path(prefix, generation) / RECORD).read_bytes()
        return msgspec.json.decode(data, type=GenerationRecord)
    except (OSError, msgspec.DecodeError):
        return None


def read_current(prefix: Path) -> GenerationRecord | None:
    """Read the record of the current generation; ``None`` where there is none."""
    try:
        return read_record(prefix, GenerationId(current_generation(prefix).name))
    except NoEnvironment:
        return None


def read_damage(prefix: Path) -> str | None:
    """Tell in a clause what is wrong with an environment of ours.

    Nothing where it is whole, where no environment is, or none was finished yet.
    """
    try:
        current = current_generation(prefix)
    except NoEnvironment:
        return f"{CURRENT} is gone" if has_generation(prefix) else None
    if not (prefix / GENERATIONS).is_dir() or read_current(prefix) is not None:
        return None
    return damage_of(current)


def list_generations(prefix: Path) -> tuple[GenerationRecord, ...]:
    """Read the records of all generations that are or were current, oldest first."""
    pending = pending_generation(prefix)
    found = (read_record(prefix, each) for each in _ids(prefix) if each != pending)
    return tuple(record for record in found if record is not None)


def numbers_of(prefix: Path) -> Mapping[GenerationId, int]:
    """Return the numbers of those generations; what was removed is counted too."""
    found = list_generations(prefix)
    known = sorted({*(record.id for record in found), *_led_on(prefix)})
    return {record.id: record.number or known.index(record.id) + 1 for record in found}


def next_number(prefix: Path) -> int:
    """Return the number of the generation to be made: one that none had before."""
    numbers = numbers_of(prefix)
    return max(0, len(numbers) + len(_led_on(prefix)), *numbers.values()) + 1


def remove_generation(prefix: Path, generation: GenerationId) -> None:
    """Remove a generation that is not the current one. Raises ValueError, PrefixUnusable."""
    if _current_id(prefix) == generation:
        raise ValueError(f"generation {generation} is the current one")
    path = generation_path(prefix, generation)
    try:
        remove_file(path / RECORD)
        remove_tree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unusable(prefix, error) from error


def abandon_generation(prefix: Path, generation: GenerationId) -> None:
    """Remove a generation that could not be switched to; the current one stays."""
    if _current_id(prefix) != generation:
        with suppress(PrefixUnusable):
            remove_generation(prefix, generation)
        with suppress(OSError):
            remove_file(prefix / PENDING)


def prune_generations(prefix: Path, keep: int = KEPT) -> tuple[GenerationId, ...]:
    """Remove what was never finished or current, and the oldest beyond ``keep``.

    Returns those that went.
    To be called while the prefix is locked: an unfinished generation is nobody's then.
    """
    current = _current_id(prefix)
    ids = _ids(prefix)
    pending = pending_generation(prefix)
    finished = [
        each
        for each in ids
        if each != pending and (generation_path(prefix, each) / RECORD).is_file()
    ]
    others = [each for each in finished if each != current]
    surplus = len(others) - (keep - (current is not None))
    if surplus > 0:
        numbers = numbers_of(prefix)  # clocks may have been set back
        others.sort(key=lambda each: (numbers.get(each, 0), each))
    doomed = {*ids} - {*finished} | {*others[: max(surplus, 0)]}
    doomed.discard(current or GenerationId(""))
    for each in sorted(doomed):
        remove_generation(prefix, each)
        if each in finished:
            _lead_on(prefix, each)
    for half_made in (prefix / STATE).glob("*.tmp"):
        remove_file(half_made)
    remove_file(prefix / PENDING)
    return tuple(sorted(doomed))


def _lead_on(prefix: Path, generation: GenerationId) -> None:
    """Let a removed generation's path mean the current one.

    Programs write down where their interpreter is (kernels, git hooks and filters),
    and would break when the generation they name is gone.
    """
    try:
        os.symlink("../current", generation_path(prefix, generation))
    except OSError as error:
        raise unusable(prefix, error) from error


def _current_id(prefix: Path) -> GenerationId | None:
    try:
        return GenerationId(current_generation(prefix).name)
    except NoEnvironment:
        return None


def _ids(prefix: Path) -> tuple[GenerationId, ...]:
    try:
        names: Iterable[str] = os.listdir(prefix / GENERATIONS)
    except OSError:
        return ()
    there = (name for name in names if not (prefix / GENERATIONS / name).is_symlink())
    return tuple(sorted(map(GenerationId, there)))


def _led_on(prefix: Path) -> tuple[GenerationId, ...]:
    """Name the generations that were removed."""
    try:
        names = os.listdir(prefix / GENERATIONS)
    except OSError:
        return ()
    gone = (name for name in names if (prefix / GENERATIONS / name).is_symlink())
    return tuple(map(GenerationId, gone))
