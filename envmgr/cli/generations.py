"""``history``, ``rollback``, ``diff``, ``clone``, ``rename`` in words. Pure but for the zone."""

import shlex
from collections.abc import Sequence
from datetime import datetime

from envmgr.cli.output import BOLD, GREEN, RED, YELLOW, paint
from envmgr.cli.quantities import render_count
from envmgr.cli.summary import render_changes
from envmgr.pipeline.copies import Cloned, Renamed
from envmgr.pipeline.differences import Difference, FactDifference, PackageDifference
from envmgr.pipeline.generations import GenerationSummary, RolledBack
from envmgr.pipeline.types import ByPrefix, Selector


def render_history(
    generations: Sequence[GenerationSummary], *, verbose: int, coloured: bool
) -> str:
    """``history``: a line for each generation, and below it what it changed."""
    width = max((len(str(each.number)) for each in generations), default=1)
    lines = []
    for each in generations:
        mark = "*" if each.current else " "
        facts = f"{render_count(each.packages, 'package')}, Python {each.python}"
        head = f"{mark} {each.number:>{width}}  {_local(each.created)}  {each.why}  ({facts})"
        lines.append(paint(head, BOLD, coloured=coloured and each.current))
        lines += [
            f"    {line}"
            for line in render_changes(each.changes, verbose=verbose, coloured=coloured)
        ]
    return "\n".join(lines) + "\n"


def _local(iso: str) -> str:
    """``2026-11-24T05:43:10+00:00`` as ``2026-11-24 06:43``, in the zone of this machine."""
    return f"{datetime.fromisoformat(iso).astimezone():%Y-%m-%d %H:%M}"


def render_rolled_back(done: RolledBack, *, verbose: int, coloured: bool) -> str:
    """Sum up ``rollback``."""
    facts = f"{render_count(done.packages, 'package')}, Python {done.python}"
    if done.number == done.before:
        return f"{done.name} is at generation {done.number} already: {facts}\n"
    head = f"rolled {done.name} back from generation {done.before} to {done.number}: {facts}"
    lines = [paint(head, GREEN, coloured=coloured)]
    lines += render_changes(done.changes, verbose=verbose, coloured=coloured)
    return "\n".join(lines) + "\n"


def render_difference(difference: Difference, *, coloured: bool) -> str:
    """``diff``: a line for everything that differs; nothing where nothing does."""
    if difference.same:
        return ""
    lines = [f"--- {difference.before}", f"+++ {difference.after}"]
    width = max((len(each.name) for each in difference.packages), default=0)
    lines += [_package_line(each, width, coloured=coloured) for each in difference.packages]
    lines += [_fact_line(each, coloured=coloured) for each in difference.facts]
    return "\n".join(lines) + "\n"


def _package_line(each: PackageDifference, width: int, *, coloured: bool) -> str:
    name = f"{each.name:<{width}}"
    match each.what:
        case "added":
            return f"  {paint('+', GREEN, coloured=coloured)} {name}  {each.after}"
        case "removed":
            return f"  {paint('-', RED, coloured=coloured)} {name}  {each.before}"
        case "version":
            what = f"{each.before} -> {each.after}"
        case other:
            what = f"{each.after}, from another index" if other == "index" else (
                f"{each.after}, another wheel"
            )  # fmt: skip
    return f"  {paint('~', YELLOW, coloured=coloured)} {name}  {what}"


def _fact_line(each: FactDifference, *, coloured: bool) -> str:
    was = "unset" if each.before is None else each.before or "none"
    now = "unset" if each.after is None else each.after or "none"
    return f"  {paint('~', YELLOW, coloured=coloured)} {each.name}: {was} -> {now}"


def render_cloned(cloned: Cloned, selector: Selector, *, coloured: bool) -> str:
    """Sum up ``clone``."""
    facts = f"{render_count(cloned.packages, 'package')}, Python {cloned.python}"
    which = f"-n {cloned.name}"
    if isinstance(selector, ByPrefix):
        which = f"-p {shlex.quote(str(cloned.prefix))}"
    head = f"cloned {cloned.source.name} to {cloned.name}: {facts}"
    return (
        paint(head, GREEN, coloured=coloured)
        + f"\n  in {cloned.prefix}\n  of {cloned.file}\nnext:  envmgr run {which} python\n"
    )


def render_renamed(renamed: Renamed) -> str:
    """Sum up ``rename``."""
    return (
        f"renamed {renamed.before} to {renamed.name}\n  in {renamed.prefix}\n"
        f"to bring it up to {renamed.file}: envmgr sync {renamed.name}\n"
    )
