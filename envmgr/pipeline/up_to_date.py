"""Whether the current generation is what would be made, and whole where it stands."""

from pathlib import Path

from envmgr import __version__
from envmgr.link.complete import is_complete
from envmgr.link.generation import GenerationRecord, PackageRecord, generation_path, is_linked
from envmgr.link.place import is_same_place
from envmgr.lock.types import LockedPackage
from envmgr.pipeline.aim import Aim
from envmgr.pipeline.composing import find_composed
from envmgr.pipeline.host_mpi import serves_still
from envmgr.pipeline.mend import are_as_made
from envmgr.pipeline.runtime_catalog import added_recipes
from envmgr.pipeline.settle import Settled
from envmgr.pipeline.site import is_kept
from envmgr.pipeline.stock import store_key
from envmgr.pipeline.world import World
from envmgr.spec.digest import activation_digest, view_digest
from envmgr.store.store import Store


def is_up_to_date(
    aim: Aim,
    settled: Settled,
    packages: tuple[LockedPackage, ...],
    store: Store,
    world: World,
) -> bool:
    """Whether there is nothing to make: what is remembered holds, and nothing went or was moved.

    Raises UnusableHostMpi, and FileUnreadable for recipes of the settings.
    """
    before = aim.before
    return (
        before is not None
        and aim.moved_from is None
        and before.lock == aim.lock_text
        and before.python_wish == aim.python
        and before.python == settled.target.interpreter.executable
        and before.python_version == settled.target.interpreter.version_text
        and before.name == aim.name
        and before.groups == aim.groups
        and before.view_digest == view_digest(aim.spec)
        and before.activation_digest == activation_digest(aim.spec)
        and before.envmgr_version == __version__
        and (before.compiled or not aim.compile)
        and before.packages == package_records(packages)
        and before.recipes == added_recipes(world.settings)
        and serves_still(before.host, aim.spec, settled.target.interpreter, world.environ)
        and _is_whole(aim.prefix, before, packages, store)
    )


def _is_whole(
    prefix: Path, before: GenerationRecord, packages: tuple[LockedPackage, ...], store: Store
) -> bool:
    """Whether a generation's scripts and links lead somewhere, and will: nothing was moved."""
    found = [store.find(store_key(package)) for package in packages]
    entries = [entry for entry in found if entry is not None]
    composed = find_composed(before.composed, store)
    places = {str(entry.path.parent) for entry in (*entries, *(composed or ()))}
    return (
        len(entries) == len(found)
        and composed is not None
        and len(places) == len(before.stores)
        and all(any(is_same_place(place, old) for old in before.stores) for place in places)
        and is_same_place(before.prefix, prefix)
        and is_linked(prefix)
        and is_complete(generation_path(prefix, before.id), before)
        and are_as_made(entry for entry in entries if store.owns(entry))
        and is_kept((*entries, *composed), store)
    )


def package_records(packages: tuple[LockedPackage, ...]) -> tuple[PackageRecord, ...]:
    """Write down what a lock names, as a generation remembers it."""
    return tuple(
        PackageRecord(
            name=package.name,
            version=package.version,
            key=store_key(package),
            index=package.index,
            groups=tuple(sorted(group for group in package.groups if group is not None)),
        )
        for package in packages
    )
