"""Environments made from environments: a clone, and the same under another name."""

from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from envmgr.activate.activation import plan_activation
from envmgr.errors import PrefixError
from envmgr.events import Noted, Reporter
from envmgr.files import remove_file
from envmgr.link.duplicate import write_duplicate
from envmgr.link.foreign import read_foreign
from envmgr.link.generation import (
    abandon_generation,
    generation_path,
    numbers_of,
    switch_generation,
    write_identity,
)
from envmgr.link.prefix import STATE, check_prefix, lock_prefix, unusable
from envmgr.locks import holder_path
from envmgr.names import EnvironmentName, GenerationId
from envmgr.pipeline.brought import bring_generation
from envmgr.pipeline.environments import find_prefix, locate, record_of, selection_of
from envmgr.pipeline.generations import again_at, check_whole, duplicate_of
from envmgr.pipeline.roots import root_prefix, uproot_prefix
from envmgr.pipeline.types import ByName, ByPrefix, Selector
from envmgr.spec.settings import Settings
from envmgr.store.store import open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloned:
    """What ``clone`` made."""

    name: EnvironmentName
    prefix: Path
    generation: GenerationId
    source: Path
    """Prefix of the environment it was made from."""
    file: Path
    """The environment file of both."""
    python: str
    packages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """What ``rename`` did."""

    name: EnvironmentName
    prefix: Path
    before: EnvironmentName
    """The old name."""
    generation: GenerationId
    file: Path


class EnvironmentExists(PrefixError):
    """An environment stands where another one is to be."""

    def __init__(self, prefix: Path) -> None:
        super().__init__(prefix)
        self.prefix = prefix

    def __str__(self) -> str:
        return f"there is an environment at {self.prefix} already"

    @property
    def hint(self) -> str:
        """Never over it."""
        return "choose another name, or delete that one first with `envmgr delete`"


def clone(source: Selector, target: Selector, settings: Settings, report: Reporter) -> Cloned:
    """Make another environment with everything of the current generation of ``source``.

    Neither network nor interpreter is asked, and the links are the same, but for those to
    entries of others that may go: these are copied into our store. It belongs to the file
    and the lock of its source. Raises NoSuchEnvironment, DamagedEnvironment,
    GenerationBroken, EnvironmentExists, NotCopied, NotMoved, PrefixError.
    """
    old = record_of(source, settings)
    origin = find_prefix(source, settings)
    name, prefix = locate(target, old.name, settings)
    plan_activation(str(prefix), name, old.variables)
    if check_prefix(prefix) == "environment":
        raise EnvironmentExists(prefix)
    store = open_store(settings.stores)
    keys = [*(package.key for package in old.packages), *old.composed]
    with store.leased(keys, report), lock_prefix(prefix, report):
        check_whole(origin, old, numbers_of(origin)[old.id], selection_of(source))
        if numbers_of(prefix):
            raise EnvironmentExists(prefix)
        brought = bring_generation(old, store, report)
        made = again_at(prefix, brought.record, None, f"clone of {_word(source)}")
        made = replace(made, name=name)
        write_duplicate(prefix, duplicate_of(origin, old, made, brought.moved))
        try:
            write_identity(prefix, name, Path(made.environment_file))
            root_prefix(prefix, store)
            switch_generation(prefix, made.id)
        except BaseException:
            abandon_generation(prefix, made.id)
            raise
    foreign = read_foreign(generation_path(prefix, made.id))
    if foreign:
        report(Noted(f"{foreign}, which another installer put there, was copied too"))
    return Cloned(
        name=name,
        prefix=prefix,
        generation=made.id,
        source=origin,
        file=Path(made.environment_file),
        python=made.python_version,
        packages=len(made.packages),
    )


def _word(selector: Selector) -> str:
    match selector:
        case ByName(name):
            return name
        case ByPrefix(prefix):
            return str(prefix)


def rename(old: ByName, new: ByName, settings: Settings, report: Reporter) -> Renamed:
    """Give a named environment another name; the old name is free again.

    What names the new place is written first, beside what stands; then the prefix is
    renamed, then switched. Raises NoSuchEnvironment, DamagedEnvironment,
    GenerationBroken, EnvironmentExists, PrefixError.
    """
    prefix = find_prefix(old, settings)
    target = settings.environments / new.name
    if check_prefix(target) == "environment":
        raise EnvironmentExists(target)
    with lock_prefix(prefix, report):
        current = record_of(old, settings)
        plan_activation(str(target), new.name, current.variables)
        check_whole(prefix, current, numbers_of(prefix)[current.id], selection_of(old))
        made = again_at(prefix, current, current, f"renamed from {old.name}", at=target)
        made = replace(made, name=new.name)
        write_duplicate(prefix, duplicate_of(prefix, current, made))
        try:
            prefix.rename(target)
        except OSError as error:
            abandon_generation(prefix, made.id)
            raise unusable(target, error) from error
        write_identity(target, new.name, Path(made.environment_file))
        store = open_store(settings.stores)
        root_prefix(target, store)
        uproot_prefix(prefix, store)
        switch_generation(target, made.id)
        remove_file(holder_path(target / STATE / "lock"))
    return Renamed(
        name=new.name,
        prefix=target,
        before=old.name,
        generation=made.id,
        file=Path(made.environment_file),
    )
