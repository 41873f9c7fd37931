"""What ``create``, ``sync`` and ``lock`` did, in words. Pure."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from envmgr.cli.output import CYAN, DIM, GREEN, RED, YELLOW, paint
from envmgr.cli.quantities import render_bytes, render_count, render_seconds
from envmgr.pipeline.types import ByPrefix, Change, Created, Deleted, Locked, Selector

SHOWN_CHANGES = 20
"""Changes a summary lists before it says "and N more"."""

_SHELLS = {"fish": "activate.fish", "csh": "activate.csh", "tcsh": "activate.csh"}


def render_created(
    created: Created, selector: Selector, *, shell: str, verbose: int, coloured: bool
) -> str:
    """Sum up ``create`` and ``sync``.

    ``shell`` is the person's login shell, ``/bin/bash``: its way to activate is shown.
    """
    head = _created_head(created)
    if created.made == "unchanged":
        written = [_lock_line(created)] if created.lock_written else []
        return "\n".join([*written, f"{head} ({_total(created.seconds)})"]) + "\n"
    lines = [paint(head, GREEN, coloured=coloured), f"  in {created.prefix}"]
    lines += [f"  with {_group_words(created.groups)}"] if created.groups else []
    lines += render_changes(created.changes, verbose=verbose, coloured=coloured)
    lines += _shared_lines(created, selector)
    lines += [_lock_line(created)] if created.lock_written else []
    if created.new_store is not None:
        lines.append(f"the store is new: {created.new_store}")
    lines.append(paint(_work(created), DIM, coloured=coloured))
    if not created.dry_run:
        lines += _next_commands(created, selector, shell, coloured=coloured)
    return "\n".join(lines) + "\n"


def _created_head(created: Created) -> str:
    facts = [render_count(created.packages, "package"), f"Python {created.python}"]
    if created.made == "unchanged":
        return f"{created.name} is up to date: {', '.join(facts)}"
    if created.entries:
        facts.append(render_count(created.entries, "entry", "entries"))
    verb = {"created": "create", "updated": "update"}[created.made]
    did = f"would {verb}" if created.dry_run else f"{verb}d"
    return f"{did} {created.name}: {', '.join(facts)}"


def _group_words(groups: Sequence[str]) -> str:
    return f"{'group' if len(groups) == 1 else 'groups'} {', '.join(groups)}"


def _shared_lines(created: Created, selector: Selector) -> list[str]:
    """``  shares openmp of torch (1), blas of mkl (4)``, and what the machine brings."""
    shared = [
        f"{runtime.family} of {' and '.join(sorted({each.package for each in runtime.servers}))} "
        f"({len(runtime.replaced)})"
        for runtime in created.runtimes
        if runtime.replaced and runtime.servers
    ]
    hosts = [
        f"  has {each.family} of the machine: {each.host}" for each in created.runtimes if each.host
    ]
    see = f"see `envmgr runtimes list {_option(created, selector)}`"
    return [*hosts, *([f"  shares {', '.join(shared)}: {see}"] if shared else [])]


def _option(created: Created, selector: Selector) -> str:
    """How a command line names the environment: ``-n climate``."""
    if isinstance(selector, ByPrefix):
        return f"-p {shlex.quote(str(created.prefix))}"
    return f"-n {created.name}"


def _lock_line(done: Created) -> str:
    return f"{'would write' if done.dry_run else 'wrote'} {done.lock}"


def _work(created: Created) -> str:
    """``resolve 0.80 s, fetch 12.3 s (342.1 MB), link 0.05 s; 15.2 s in all``."""
    stages = []
    for stage, seconds in created.seconds.items():
        if stage == "total" or seconds < 0.005:
            continue
        note = ""
        if stage == "fetch" and created.fetched_bytes:
            note = f" ({render_bytes(created.fetched_bytes)})"
        stages.append(f"{stage} {render_seconds(seconds)}{note}")
    total = f"{_total(created.seconds)} in all"
    return "; ".join([", ".join(stages), total] if stages else [total])


def _total(seconds: Mapping[str, float]) -> str:
    return render_seconds(seconds.get("total", sum(seconds.values())))


def _next_commands(
    created: Created, selector: Selector, shell: str, *, coloured: bool
) -> list[str]:
    script = _SHELLS.get(Path(shell).name, "activate")
    run = f"envmgr run {_option(created, selector)} python"
    if isinstance(selector, ByPrefix):
        source = f"source {shlex.quote(str(created.prefix / 'bin' / script))}"
    elif script == "activate.fish":
        source = f"source (envmgr prefix {created.name})/bin/{script}"
    elif script == "activate.csh":
        source = f'source "`envmgr prefix {created.name}`/bin/{script}"'
    else:
        source = f'source "$(envmgr prefix {created.name})/bin/{script}"'
    return [
        f"next:  {paint(run, CYAN, coloured=coloured)}",
        f"  or:  {paint(source, CYAN, coloured=coloured)}",
    ]


def render_locked(locked: Locked, *, verbose: int, coloured: bool) -> str:
    """Sum up ``lock``, and ``lock --check`` where all is well."""
    facts = f"{render_count(locked.packages, 'package')}, Python {locked.python}"
    took = f"({_total(locked.seconds)})"
    if not locked.written and not (locked.dry_run and locked.changes):
        return f"{locked.path} is up to date: {facts} {took}\n"
    did = "would write" if locked.dry_run else "wrote"
    lines = [paint(f"{did} {locked.path}: {facts}", GREEN, coloured=coloured) + f" {took}"]
    lines += render_changes(locked.changes, verbose=verbose, coloured=coloured)
    return "\n".join(lines) + "\n"


def render_deleted(deleted: Deleted) -> str:
    """Sum up ``delete``; one at a prefix may be called like a named one, which stays."""
    if deleted.prefix.name != deleted.name:
        return f"deleted {deleted.prefix}, which was called {deleted.name}\n"
    return f"deleted {deleted.name} ({deleted.prefix})\n"


def render_changes(changes: Sequence[Change], *, verbose: int, coloured: bool) -> list[str]:
    """Make a line for each package that differs, SHOWN_CHANGES at most unless ``verbose``."""
    ordered = sorted(changes, key=lambda change: change.name)
    shown = ordered if verbose or len(ordered) <= SHOWN_CHANGES + 1 else ordered[:SHOWN_CHANGES]
    width = max((len(change.name) for change in shown), default=0)
    lines = [_change_line(change, width, coloured=coloured) for change in shown]
    if len(shown) < len(ordered):
        lines.append(f"  and {len(ordered) - len(shown):,} more ({_kinds(ordered)}; -v shows all)")
    return lines


def _change_line(change: Change, width: int, *, coloured: bool) -> str:
    name = f"{change.name:<{width}}"
    if change.before is None:
        return f"  {paint('+', GREEN, coloured=coloured)} {name}  {change.after}"
    if change.after is None:
        return f"  {paint('-', RED, coloured=coloured)} {name}  {change.before}"
    return f"  {paint('~', YELLOW, coloured=coloured)} {name}  {change.before} -> {change.after}"


def _kinds(changes: Iterable[Change]) -> str:
    counts = {"added": 0, "removed": 0, "changed": 0}
    for change in changes:
        if change.before is None:
            counts["added"] += 1
        elif change.after is None:
            counts["removed"] += 1
        else:
            counts["changed"] += 1
    said = [f"{count:,} {kind}" for kind, count in counts.items() if count]
    return f"{', '.join(said)} in all"
