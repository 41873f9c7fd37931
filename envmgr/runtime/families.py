"""The catalog of recipes as families of wheels, with what an environment file chooses of them."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from envmgr.runtime.recipes.bindings import bounds_of
from envmgr.runtime.types import Choice, Family, RuntimeCatalog
from envmgr.runtime.wheels import RuntimeFamily

_VENDORED = "vendored"


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
        if chosen == _VENDORED or not (exclusive or shared):
            chosen = None
        if exclusive or chosen is not None:
            bounds = bounds_of(family, chosen, choice.apart) if exclusive else {}
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
