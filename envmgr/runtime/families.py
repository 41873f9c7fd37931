"""The catalog of recipes as families of wheels, with what an environment file chooses of them."""

from collections.abc import Collection, Iterator, Mapping

from msgspec.structs import replace

from envmgr.names import PackageName
from envmgr.runtime.types import HOST, VENDORED, Binding, Choice, Family, RuntimeCatalog
from envmgr.runtime.wheels import Bound, RuntimeFamily


def families_of(
    catalog: RuntimeCatalog, choices: Mapping[str, Choice], *, shared: bool = True
) -> tuple[RuntimeFamily, ...]:
    """Return the families that matter to a resolution, in the catalog's order.

    ``choices`` tells what the file asks for, by family: an implementation, or a word for what
    packages have no part in (``host``); ``vendored`` chooses nothing. Packages that keep apart
    are bound to nothing. A family excludes other
    implementations where these tell an ABI: a program has that of one of them, and their wheels
    overwrite each other. In the others links decide what serves. Without ``shared`` there are no
    such links at the target, so that asking for a wheel would be for nothing.
    """
    return tuple(_families(catalog, choices, shared=shared))


def _families(
    catalog: RuntimeCatalog, choices: Mapping[str, Choice], *, shared: bool
) -> Iterator[RuntimeFamily]:
    for family in catalog.chosen_by_files():
        exclusive = any(each.abi is not None for each in family.implementations)
        choice = choices.get(family.name, Choice())
        chosen = choice.implementation
        if chosen == VENDORED or not (exclusive or shared):
            chosen = None
        if exclusive or chosen is not None:
            bounds = _bounds(family, chosen, choice.apart) if exclusive else {}
            yield replace(_family(family, chosen, exclusive=exclusive), works_with=bounds)


def _family(family: Family, chosen: str | None, *, exclusive: bool) -> RuntimeFamily:
    wheels = {
        each.wheel.name: each.name for each in family.implementations if each.wheel is not None
    }
    implementation = None if chosen is None else family.implementation(chosen)
    return RuntimeFamily(
        name=family.name,
        wheels=wheels,
        exclusive=exclusive,
        chosen=chosen,
        wanted=None if implementation is None else implementation.wheel,
    )


def _bounds(
    family: Family, chosen: str | None, apart: Collection[PackageName]
) -> Mapping[PackageName, tuple[Bound, ...]]:
    """Return the packages of a family's recipes with the implementations that each works with.

    A library of the machine counts where it is ``chosen``: which ABI it has is known when it is
    linked. Packages ``apart`` do without the family.
    """
    found: dict[PackageName, tuple[Bound, ...]] = {}
    for binding in family.bindings:
        if binding.package not in apart:
            bound = Bound(
                implementations=frozenset(_admitted(family, binding, chosen)),
                versions=binding.versions,
                source=binding.source,
                reason=binding.reason,
            )
            found[binding.package] = (*found.get(binding.package, ()), bound)
    return found


def _admitted(family: Family, binding: Binding, chosen: str | None) -> Iterator[str]:
    yield from binding.implementations
    if binding.abis:
        yield from (each.name for each in family.implementations if each.abi in binding.abis)
        if chosen == HOST:
            yield HOST
