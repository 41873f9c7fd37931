"""Roots of which nothing can be had, whatever else the file says: all of them are told at once."""

from envmgr.resolve.facts import Facts, RootDemand
from envmgr.resolve.origins import ConstraintOrigin, Origin, RefusedOrigin, Refutation, RootOrigin
from envmgr.resolve.package import bits
from envmgr.wheel.requirement import Named


def hopeless(facts: Facts) -> tuple[Refutation, ...]:
    """Return a refutation for each root that fails by itself, in the file's order.

    Nothing is read for it: versions that only their own metadata rules out count once that
    metadata is known.
    """
    found = (_refutation(facts, root) for root in facts.roots)
    return tuple(one for one in found if one is not None)


def _refutation(facts: Facts, root: RootDemand) -> Refutation | None:
    name, mask = root.demand.name, root.demand.mask
    if _is_bound_to_url(facts, root):
        return None
    origins: list[Origin] = [RootOrigin(root.position)]
    left = mask & facts.allowed(name)
    if left != mask:
        origins.append(ConstraintOrigin(name))
    if left:
        if not all(_is_refused(facts, root, option) for option in bits(left)):
            return None
        origins.append(RefusedOrigin(name, None))
    return Refutation(tuple(origins))


def _is_bound_to_url(facts: Facts, root: RootDemand) -> bool:
    """Whether what there is of the name comes from a URL that another root gives."""
    direct = facts.package(root.demand.name).offer is None
    return direct and isinstance(root.root.requirement, Named)


def _is_refused(facts: Facts, root: RootDemand, option: int) -> bool:
    node = (root.demand.name, option, None)
    return facts.is_known(node) and not isinstance(facts.demands(node), tuple)
