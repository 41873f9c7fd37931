"""Facts of entries that an older envmgr left, computed anew before anything waits for them."""

from collections.abc import Iterable
from contextlib import suppress

from envmgr.events import StageAdvanced
from envmgr.lock.types import LockedPackage
from envmgr.pipeline.stock import store_key
from envmgr.pipeline.world import World
from envmgr.store.entry import MANIFEST, EntryDamaged, read_manifest, wheel_of
from envmgr.store.store import Store


def survey_outdated(packages: Iterable[LockedPackage], store: Store, world: World) -> None:
    """Bring the manifests of these packages' entries to this envmgr's version, and tell of it.

    Every file of such an entry is read, which takes seconds for a gigabyte. Entries of a site's
    store are left alone, since nothing can be kept there; so are damaged ones, which whoever
    needs them tells of.
    """
    found = (store.find(store_key(package)) for package in packages)
    outdated = [
        entry
        for entry in found
        if entry is not None and store.owns(entry) and not (entry.path / MANIFEST).exists()
    ]
    if not outdated:
        return
    with world.stage("survey", len(outdated)):
        for entry in outdated:
            with suppress(EntryDamaged):
                read_manifest(entry)
            world.report(StageAdvanced("survey", 1, wheel_of(entry)))
