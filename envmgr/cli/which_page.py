"""What ``which`` says. Pure."""

from collections.abc import Iterator

from envmgr.pipeline.which import Owned, Owners


def render_owners(owners: Owners) -> str:
    """``which``: a paragraph for each find."""
    return "".join(f"{line}\n" for each in owners.found for line in _owned(each))


def _owned(owned: Owned) -> Iterator[str]:
    whose = f"{owned.package} {owned.version}" if owned.package else "no package"
    yield f"{owned.path}  ({owned.kind} of {whose})"
    if owned.entry is not None:
        yield f"  in the store  {owned.entry}"
    if owned.leads_to is None:
        yield "  nothing stands there now"
    elif owned.replaced:
        instead = f", which is {owned.serves}'s" if owned.serves else ""
        yield f"  replaced by   {owned.leads_to}{instead}"
    elif owned.entry is None and owned.kind == "program":
        yield "  written by envmgr, from the package's entry points"
    elif owned.entry is None:
        yield f"  leads to      {owned.leads_to}"


def render_nothing(owners: Owners) -> str:
    """Say that nothing was found, and what may have been meant."""
    near = f"; did you mean {' or '.join(owners.near)}?" if owners.near else ""
    return f"nothing in {owners.prefix} goes by {owners.asked!r}{near}\n"
