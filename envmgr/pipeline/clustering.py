"""Compositions of several packages in the store, for the view that leads into them."""

from contextlib import ExitStack

from envmgr.events import Reporter
from envmgr.link.cluster import clusters_of, fold
from envmgr.link.inputs import LaidEntry, Layout
from envmgr.pipeline.composing import have_composed
from envmgr.store.entry import Entry
from envmgr.store.store import Store
from envmgr.target.types import Interpreter


def fold_clusters(
    view: Layout,
    entries: tuple[LaidEntry, ...],
    interpreter: Interpreter,
    store: Store,
    report: Reporter,
    stack: ExitStack,
) -> tuple[Layout, tuple[Entry, ...]]:
    """Move what can be shared of a view into compositions; returns these beside the view.

    They are leased before they are looked for, until ``stack`` is left. Absent bytecode is
    left out of ``view`` already. Raises EntryDamaged, StoreNotWritable, StoreFull.
    """
    clusters = clusters_of(view, entries, interpreter.site_packages)
    if not clusters:
        return view, ()
    keys = [each.composition.key for each in clusters]
    stack.enter_context(store.leased(keys, report))
    composed = tuple(have_composed(each.composition, {}, store, report) for each in clusters)
    return fold(view, clusters, {each.key: str(each.path) for each in composed}), composed
