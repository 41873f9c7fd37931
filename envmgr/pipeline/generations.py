"""The generations an environment keeps: what they are, and going back to one of them."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from msgspec.structs import replace

from envmgr.activate.scripts import render_activation
from envmgr.errors import PrefixError
from envmgr.events import Noted, Reporter, Warned
from envmgr.link.carry import carry_back
from envmgr.link.duplicate import Duplicate, write_duplicate
from envmgr.link.foreign import leads_into, read_foreign
from envmgr.link.generation import (
    GenerationRecord,
    PackageRecord,
    abandon_generation,
    generation_path,
    list_generations,
    new_generation_id,
    numbers_of,
    switch_generation,
)
from envmgr.link.place import is_same_place
from envmgr.link.prefix import lock_prefix
from envmgr.link.rollback_mark import remove_rollback_mark, write_rollback_mark
from envmgr.names import EnvironmentName, GenerationId
from envmgr.pipeline.brought import Brought, bring_back
from envmgr.pipeline.causes import changes_between, with_cause
from envmgr.pipeline.environments import find_prefix, record_of, selection_of
from envmgr.pipeline.roots import root_prefix
from envmgr.pipeline.shown import KEPT, few
from envmgr.pipeline.site import moved_to
from envmgr.pipeline.types import Change, Selector
from envmgr.spec.settings import Settings
from envmgr.store.store import Store, open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationSummary:
    """One entry of ``history``."""

    number: int
    """1, 2, 3, ... over the life of the environment."""
    id: GenerationId
    created: str
    """UTC, ISO 8601."""
    why: str
    current: bool
    python: str
    packages: int
    before: int | None
    """Number of the generation it took the place of."""
    changes: tuple[Change, ...]
    """Against that one; empty for the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """What ``rollback`` did."""

    name: EnvironmentName
    prefix: Path
    generation: GenerationId
    number: int
    """Of the generation that stands now."""
    before: int
    """Of the one that stood before; the same where nothing was to do."""
    python: str
    packages: int
    changes: tuple[Change, ...]
    kept: tuple[str, ...]
    """Files that programs wrote and that were taken along, relative to the prefix."""


class NoSuchGeneration(PrefixError):
    """A generation that is not kept, or never was; ``number`` is ``None`` for an earlier one."""

    def __init__(self, name: str, number: int | None, kept: tuple[int, ...], selection: str):
        super().__init__(name, number, kept, selection)
        self.name = name
        self.number = number
        self.kept = kept
        self.selection = selection

    def __str__(self) -> str:
        if self.number is None:
            return f"{self.name} keeps no generation from before the current one"
        return f"{self.name} keeps no generation {self.number}"

    @property
    def hint(self) -> str:
        """What there is."""
        kept = ", ".join(map(str, self.kept))
        return f"kept are {kept}; see `envmgr history {self.selection}`"


class GenerationBroken(PrefixError):
    """A generation whose links lead nowhere: what it was made of is gone."""

    def __init__(
        self, name: str, number: int, packages: tuple[str, ...], others: tuple[str, ...], way: str
    ) -> None:
        super().__init__(name, number, packages, others, way)
        self.name = name
        self.number = number
        self.packages = packages
        """``name version`` of those the store has no more."""
        self.others = others
        """Further paths that are gone, an interpreter's for example."""
        self._way = way

    def __str__(self) -> str:
        gone = []
        if self.packages:
            gone.append(f"the store holds no more {few(self.packages)}")
        if self.others:
            verb = "is" if len(self.others) == 1 else "are"
            gone.append(f"{few(self.others)} {verb} gone")
        return f"generation {self.number} of {self.name} cannot be used: {' and '.join(gone)}"

    @property
    def hint(self) -> str:
        """What still works."""
        return self._way

    def details(self) -> tuple[str, ...]:
        """Everything that is gone, a line each."""
        return (*self.packages, *self.others)


def list_history(selector: Selector, settings: Settings) -> tuple[GenerationSummary, ...]:
    """List the generations an environment keeps, newest first.

    Raises NoSuchEnvironment, DamagedEnvironment.
    """
    current = record_of(selector, settings)
    prefix = find_prefix(selector, settings)
    numbers = numbers_of(prefix)
    records = sorted(list_generations(prefix), key=lambda record: numbers[record.id])
    summaries = []
    for place, record in enumerate(records):
        previous = records[place - 1] if place else None
        changes = record.changes
        if not record.number and previous is not None:  # made before causes were recorded
            changes = changes_between(previous, record)
        summaries.append(
            GenerationSummary(
                number=numbers[record.id],
                id=record.id,
                created=record.created,
                why=record.why or ("created" if numbers[record.id] == 1 else "changed"),
                current=record.id == current.id,
                python=record.python_version,
                packages=len(record.packages),
                before=record.before or None,
                changes=tuple(Change(*change) for change in changes),
            )
        )
    return tuple(reversed(summaries))


def rollback(
    selector: Selector, number: int | None, settings: Settings, report: Reporter
) -> RolledBack:
    """Make an earlier generation the current one; ``None`` is the one before the current.

    Nothing is built: it is the same directory, switched to by one rename. Only where
    the environment was moved since, so that its programs name another place, or where
    entries must be copied first, is it made again from the same links. Raises
    NoSuchEnvironment, DamagedEnvironment, NoSuchGeneration, GenerationBroken, PrefixError.
    """
    prefix = find_prefix(selector, settings)
    store = open_store(settings.stores)
    with lock_prefix(prefix, report):
        current = record_of(selector, settings)
        numbers = numbers_of(prefix)
        chosen = choose_generation(prefix, current, number, selection_of(selector))
        kept: tuple[str, ...] = ()
        stands = chosen
        if chosen.id != current.id:
            back = _Back(prefix, current, chosen, numbers[chosen.id])
            with store.leased([*(each.key for each in chosen.packages), *chosen.composed], report):
                brought = bring_back(chosen, store, report)
                selection = selection_of(selector)
                check_whole(prefix, chosen, back.number, selection, brought.moved)
                _warn_of_foreign(prefix, current, numbers[current.id], report)
                stands, kept = _go_back(back, brought, store)
            if stands.id != chosen.id:
                report(Noted(f"{_why_again(back)}; it was made again as {stands.number}"))
        if kept:
            report(Noted(f"kept what programs wrote: {few(kept, KEPT)}"))
    return RolledBack(
        name=stands.name,
        prefix=prefix,
        generation=stands.id,
        number=numbers.get(stands.id, stands.number),
        before=numbers[current.id],
        python=stands.python_version,
        packages=len(stands.packages),
        changes=tuple(Change(*change) for change in changes_between(current, stands)),
        kept=kept,
    )


def choose_generation(
    prefix: Path, current: GenerationRecord, number: int | None, selection: str
) -> GenerationRecord:
    """Return a kept generation by its number, or the newest older than the current one.

    Raises NoSuchGeneration.
    """
    numbers = numbers_of(prefix)
    records = {numbers[record.id]: record for record in list_generations(prefix)}
    kept = tuple(sorted(records))
    if number is None:
        number = max((each for each in kept if each < numbers[current.id]), default=None)
    if number is None or number not in records:
        raise NoSuchGeneration(current.name, number, kept, selection)
    return records[number]


@dataclass(frozen=True, slots=True)
class _Back:
    """A way back from one generation to another, whose number comes last."""

    prefix: Path
    current: GenerationRecord
    chosen: GenerationRecord
    number: int

    @property
    def was_moved(self) -> bool:
        """Whether the prefix stood elsewhere then."""
        return bool(self.chosen.prefix) and not is_same_place(self.chosen.prefix, self.prefix)


def _why_again(back: _Back) -> str:
    if back.was_moved:
        where = f"the place where {back.chosen.name} stood, {back.chosen.prefix}"
        return f"generation {back.number} names {where}"
    return f"generation {back.number} leads to entries that are gone or may go, and not to copies"


def _go_back(
    back: _Back, brought: Brought, store: Store
) -> tuple[GenerationRecord, tuple[str, ...]]:
    """Switch; tell what stands then, and which files were taken along."""
    prefix, chosen = back.prefix, back.chosen
    if not (back.was_moved or brought.moved):
        return chosen, _switch_back(prefix, chosen)
    made = again_at(prefix, brought.record, back.current, f"rollback to {back.number}")
    write_duplicate(prefix, duplicate_of(prefix, chosen, made, brought.moved))
    try:
        root_prefix(prefix, store)
        return made, _switch_back(prefix, made)
    except BaseException:
        abandon_generation(prefix, made.id)
        raise


def _switch_back(prefix: Path, chosen: GenerationRecord) -> tuple[str, ...]:
    kept = carry_back(prefix, chosen.id)
    numbers = {chosen.id: chosen.number, **numbers_of(prefix)}
    if numbers[chosen.id] < max(numbers.values()):
        write_rollback_mark(prefix, chosen.id)
    else:
        remove_rollback_mark(prefix)
    switch_generation(prefix, chosen.id)
    return kept


def again_at(
    prefix: Path,
    old: GenerationRecord,
    before: GenerationRecord | None,
    why: str,
    *,
    at: Path | None = None,
) -> GenerationRecord:
    """Return the record of a generation that has everything of ``old`` and stands elsewhere.

    ``prefix`` is where it is written; ``at``, where that differs, where it will stand.
    """
    now = datetime.now(UTC)
    record = replace(
        old,
        id=new_generation_id(now),
        created=now.isoformat(timespec="seconds"),
        name=before.name if before else old.name,
        prefix=str(at or prefix),
    )
    return with_cause(prefix, record, before, why)


def duplicate_of(
    prefix: Path,
    old: GenerationRecord,
    record: GenerationRecord,
    moved: Mapping[str, str] = MappingProxyType({}),
) -> Duplicate:
    """Return what makes ``record`` of a generation of ``prefix``; ``moved`` are entries.

    Raises UnusablePrefix.
    """
    return Duplicate(
        source=generation_path(prefix, old.id),
        old=old,
        record=record,
        texts=render_activation(record.prefix, record.name, record.variables),
        moved=moved,
    )


def check_whole(
    prefix: Path,
    record: GenerationRecord,
    number: int,
    selection: str,
    moved: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Check that every link of a generation leads somewhere, or into entries that ``moved``.

    Raises GenerationBroken.
    """
    packages: set[str] = set()
    others: set[str] = set()
    by_key: Mapping[str, PackageRecord] = {each.key: each for each in record.packages}
    for target in _dangling(os.fspath(generation_path(prefix, record.id)), record.stores):
        if moved_to(target, moved) != target:
            continue
        parts = Path(target).parts
        keys = [part for part in parts if part in by_key]
        if keys:
            packages.add(f"{by_key[keys[0]].name} {by_key[keys[0]].version}")
        else:
            ends = [place for place, part in enumerate(parts, 1) if part in record.composed]
            others.add(str(Path(*parts[: ends[0]])) if ends else target)
    if packages or others:
        way = (
            f"choose another one of `envmgr history {selection}`, or let "
            f"`envmgr sync {selection}` bring the environment up to its file"
        )
        raise GenerationBroken(
            record.name, number, tuple(sorted(packages)), tuple(sorted(others)), way
        )


def _dangling(generation: str, stores: tuple[str, ...]) -> Iterator[str]:
    """Yield the absolute targets that we cannot reach and that are needed.

    Needed are the stores, and what the machine gives to ``bin`` and ``lib``: neither
    bytecode, nor what links of somebody else lead to.
    """
    for directory, directories, names in os.walk(generation):
        if directory.endswith("/__pycache__"):
            continue
        of_the_machine = directory[len(generation) + 1 :] in ("bin", "lib")
        for name in (*directories, *names):
            path = f"{directory}/{name}"
            if os.path.islink(path) and not os.path.exists(path):  # noqa: PTH110, PTH114 - no error
                target = os.readlink(path)  # noqa: PTH115 - many of them
                needed = of_the_machine or leads_into(stores, Path(path))
                if needed and target.startswith("/"):
                    yield target


def _warn_of_foreign(
    prefix: Path, current: GenerationRecord, number: int, report: Reporter
) -> None:
    foreign = read_foreign(generation_path(prefix, current.id))
    if foreign:
        report(
            Warned(
                f"{foreign} came from another installer and stays behind in generation "
                f"{number}; to keep it, add it to {current.environment_file}"
            )
        )
