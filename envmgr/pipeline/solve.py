"""Resolve an environment file and freeze the answer into a lock."""

from collections.abc import Iterable, Mapping
from itertools import chain, repeat
from pathlib import Path
from time import perf_counter
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace
from packaging.version import Version

from envmgr.events import StageFinished, StageStarted, Warned
from envmgr.index.catalog import Catalog, open_catalog
from envmgr.index.types import WheelCandidate
from envmgr.lock.freeze import FreezeContext, freeze
from envmgr.lock.inputs import inputs_of
from envmgr.lock.runtimes import runtimes_of
from envmgr.lock.types import Lock, LockedPackage
from envmgr.names import GroupName, PackageName
from envmgr.pipeline.world import World
from envmgr.resolve.families import family_roots
from envmgr.resolve.solve import resolve
from envmgr.resolve.types import Conflict, Problem, Resolution, Root
from envmgr.runtime.wheels import RuntimeFamily
from envmgr.spec.digest import resolution_digest
from envmgr.spec.problems import Place
from envmgr.spec.settings import choose_indexes
from envmgr.spec.types import EnvironmentSpec
from envmgr.target.types import Target
from envmgr.wheel.requirement import Direct, Named


class RelockWish(Struct, frozen=True, kw_only=True):
    """How to make the new lock."""

    before: Lock | None
    upgrade: frozenset[PackageName] | Literal["all"]
    """Packages whose locked version is let go."""
    refresh: bool
    directory: Path
    """Where the lock will stand."""
    families: tuple[RuntimeFamily, ...] = ()
    """Shared runtimes, and what the file chooses of them."""


def relock(spec: EnvironmentSpec, target: Target, wish: RelockWish, world: World) -> Lock:
    """Resolve, keeping of the old lock what still fits.

    Raises ResolutionImpossible, IndexFailure.
    """
    chosen = choose_indexes(spec.indexes, world.settings)
    if chosen.note:
        world.report(Warned(chosen.note))
    began = perf_counter()
    world.report(StageStarted("resolve"))
    with open_catalog(
        chosen.indexes,
        target,
        cache=world.settings.cache,
        offline=world.settings.offline,
        refresh=wish.refresh,
        exclude_newer=spec.exclude_newer,
        environ=world.environ,
        report=world.report,
        helper=world.asking,
    ) as catalog:
        problem = problem_of(spec, target, _kept(wish), _kept_families(wish))
        answer = resolve(problem, catalog, world.report)
        if isinstance(answer, Conflict):
            from envmgr.resolve.impossible import ResolutionImpossible

            raise ResolutionImpossible(answer)
        hashes = _missing_hashes(answer, catalog)
    world.report(StageFinished("resolve", len(answer.chosen), perf_counter() - began))
    context = FreezeContext(
        digest=resolution_digest(spec),
        inputs=inputs_of(spec),
        groups=tuple(spec.groups),
        indexes=chosen.indexes,
        lock_directory=str(wish.directory),
        sha256=hashes,
        runtimes=runtimes_of(answer, problem),
    )
    return freeze(answer, target, context)


def problem_of(
    spec: EnvironmentSpec,
    target: Target,
    kept: tuple[LockedPackage, ...],
    families: tuple[RuntimeFamily, ...] = (),
) -> Problem:
    """State what is asked of the resolver; ``kept`` is what a lock chose and may stay."""
    return Problem(
        roots=(*roots_of(spec), *family_roots(families)),
        constraints=spec.constraints,
        overrides=spec.overrides,
        prereleases=spec.prereleases,
        preferred={package.name: Version(package.version) for package in kept},
        locked_files={package.name: package.wheel.filename for package in kept},
        families=families,
        target=target,
    )


def roots_of(spec: EnvironmentSpec) -> tuple[Root, ...]:
    """List the requirements of a file in its order: dependencies first, then each group."""
    places = spec.places
    plain = _roots(spec, None, spec.dependencies, places.dependencies)
    grouped = [
        root
        for group, requirements in spec.groups.items()
        for root in _roots(spec, group, requirements, places.groups.get(group, ()))
    ]
    return (*plain, *grouped)


def _roots(
    spec: EnvironmentSpec,
    group: GroupName | None,
    requirements: Iterable[Named | Direct],
    places: Iterable[Place],
) -> list[Root]:
    known = chain((f"{spec.source}:{place.line}:{place.column}" for place in places), repeat(None))
    return [
        Root(requirement, group, at=at)
        for requirement, at in zip(requirements, known, strict=False)
    ]


def _kept(wish: RelockWish) -> tuple[LockedPackage, ...]:
    if wish.before is None or wish.upgrade == "all":
        return ()
    return tuple(each for each in wish.before.packages if each.name not in wish.upgrade)


def _kept_families(wish: RelockWish) -> tuple[RuntimeFamily, ...]:
    """Return the families with what the lock recorded of them.

    An implementation is let go with its wheel, and with all that needed it.
    """
    if wish.before is None or wish.upgrade == "all":
        return wish.families
    kept: dict[str, str] = {}
    for runtime in wish.before.runtimes:
        needed_by = {each.name for each in wish.before.packages if runtime.wheel in each.requires}
        let_go = runtime.wheel in wish.upgrade or (needed_by and needed_by <= wish.upgrade)
        if runtime.wheel is not None and not let_go:
            kept[runtime.family] = runtime.implementation
    return tuple(replace(family, kept=kept.get(family.name)) for family in wish.families)


def _missing_hashes(resolution: Resolution, catalog: Catalog) -> Mapping[PackageName, str]:
    """Compute the hashes that an index does not give, from the files themselves."""
    return {
        name: catalog.fetch_sha256(chosen.candidate).sha256
        for name, chosen in resolution.chosen.items()
        if isinstance(chosen.candidate, WheelCandidate) and chosen.candidate.sha256 is None
    }
