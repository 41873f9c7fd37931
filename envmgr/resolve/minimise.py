"""Makes a refutation small: the fewest roots that still contradict, the fewest facts to say why."""

from collections.abc import Iterable

from envmgr.resolve.facts import Facts
from envmgr.resolve.lanes import GivenUp, Scope
from envmgr.resolve.origins import NeedOrigin, Origin, Refutation, RootOrigin
from envmgr.resolve.search import search
from envmgr.wheel.requirement import Direct

PATIENCE = 200
"""Conflicts, and wheels read, that one trial may cost; past it the root stays."""
TRIALS = 400
"""How often facts are left out in trial; past it the rest stays in the explanation."""
WORDINGS = 24
"""Up to so many wordings of one need are tried one by one; more are told in sum anyway."""


def minimise(facts: Facts, refutation: Refutation) -> Refutation:
    """Return a refutation from a subset of the roots, none of which can be left out.

    Exact unless a trial runs out of patience, or yanked versions take part (a root may pin
    what another needs); a refutation in any case.
    """
    roots, refutation = _fewest_roots(facts, refutation)
    refutation = _fewest_facts(facts, roots, refutation)
    return _naming(roots, refutation)


def roots_of(origins: Iterable[Origin]) -> frozenset[int]:
    """Return the positions of the roots among ``origins``."""
    return frozenset(origin.position for origin in origins if isinstance(origin, RootOrigin))


def _naming(roots: frozenset[int], refutation: Refutation) -> Refutation:
    """Add roots that no clause came from: a direct root rules by leaving no other wheel."""
    unnamed = roots - roots_of(refutation.origins)
    return Refutation((*refutation.origins, *map(RootOrigin, sorted(unnamed))))


def _fewest_roots(facts: Facts, refutation: Refutation) -> tuple[frozenset[int], Refutation]:
    directs = frozenset(
        root.position for root in facts.roots if isinstance(root.root.requirement, Direct)
    )
    roots = roots_of(refutation.origins) | directs
    for position in sorted(roots, reverse=True):
        if position in roots:
            trial = roots - {position}
            found = _tried(facts, _scope(facts, trial))
            if found is not None:
                roots, refutation = roots_of(found.origins) | (directs & trial), found
    return roots, _tried(facts, _scope(facts, roots)) or refutation


def _fewest_facts(facts: Facts, roots: frozenset[int], refutation: Refutation) -> Refutation:
    """Leave facts out: all that one name needs of another at once, then one wording at a time."""
    trials = 0
    for coarse in (True, False):
        for bundle in _bundles(refutation.origins, coarse=coarse):
            present = frozenset(refutation.origins)
            if bundle <= present and trials < TRIALS:
                trials += 1
                scope = _scope(facts, roots, origins=present - bundle)
                refutation = _tried(facts, scope) or refutation
    return refutation


def _bundles(origins: tuple[Origin, ...], *, coarse: bool) -> list[frozenset[Origin]]:
    """Return what to leave out together, last met first; roots are never left out."""
    bundles: dict[object, set[Origin]] = {}
    for origin in reversed(origins):
        if isinstance(origin, NeedOrigin):
            need = (origin.parent, origin.extra, origin.child)
            bundles.setdefault(need, set()).add(origin)
        elif not isinstance(origin, RootOrigin):
            bundles[origin] = {origin}
    if coarse:
        return [frozenset(bundle) for bundle in bundles.values()]
    few = [bundle for bundle in bundles.values() if 1 < len(bundle) <= WORDINGS]
    return [frozenset({one}) for bundle in few for one in sorted(bundle, key=repr)]


def _tried(facts: Facts, scope: Scope) -> Refutation | None:
    try:
        found = search(facts, scope)
    except GivenUp:
        return None
    return found if isinstance(found, Refutation) else None


def _scope(facts: Facts, roots: frozenset[int], origins: frozenset[Origin] | None = None) -> Scope:
    """Return the scope of a trial.

    A name whose direct roots are all left out counts as satisfied: its index was never asked.
    """
    directs = [root for root in facts.roots if isinstance(root.root.requirement, Direct)]
    kept = {root.demand.name for root in directs if root.position in roots}
    waived = frozenset(root.demand.name for root in directs) - kept
    return Scope(roots=roots, origins=origins, waived=waived, patience=PATIENCE)
