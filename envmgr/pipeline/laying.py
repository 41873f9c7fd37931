"""A layout in which the disputes that are known to do no harm stop nobody."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from envmgr.events import Noted, Reporter, silent
from envmgr.link.inputs import Clash, Layout, LayoutClash, LayoutInputs
from envmgr.link.layout import layout
from envmgr.spec.disputes import KnownDispute, read_known_disputes
from envmgr.spec.views import ConflictRule, literal_path


def lay_out(inputs: LayoutInputs, report: Reporter = silent) -> Layout:
    """Decide a view. What the file leaves open is settled as ``disputes.yaml`` knows, and told.

    That file is read where something clashes alone. Raises LayoutClash with the clashes that are
    left, FileUnreadable, RecipeInvalid.
    """
    try:
        return layout(inputs)
    except LayoutClash as clash:
        settled = tuple(settle_clashes(clash.clashes, read_known_disputes()))
        if not settled:
            raise
    view = layout(replace(inputs, conflicts=(*inputs.conflicts, *settled)))
    for rule in settled:
        report(Noted(f"{rule.path} is that of {rule.keep}; others differ, which does no harm"))
    return view


def settle_clashes(
    clashes: Iterable[Clash], known: Iterable[KnownDispute]
) -> Iterator[ConflictRule]:
    """Yield a rule for each path of which it is known that it does not matter whose file stands."""
    disputes = tuple(known)
    claimants: dict[str, set[str]] = {}
    for clash in clashes:
        claimants.setdefault(clash.written, set()).update((clash.first, clash.second))
    for written, owners in claimants.items():
        winners = (each.winner(written, owners) for each in disputes)
        keep = next((name for name in winners if name is not None), None)
        if keep is not None:
            yield ConflictRule(literal_path(written), keep)
