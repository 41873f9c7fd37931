"""What ``store`` says when it is done. Pure."""

from envmgr.cli.listing import render_table
from envmgr.cli.quantities import render_bytes, render_count, render_seconds
from envmgr.pipeline.caches import Trimmed
from envmgr.pipeline.compiling import CompiledStore
from envmgr.pipeline.repair import Repaired
from envmgr.pipeline.upkeep import Collected, DamagedEntry, DiskUse, Usage, Verified

SHOWN = 5
"""Findings of one entry that are shown without ``-v``."""


def render_collected(collected: Collected, age: float, *, verbose: int) -> str:
    """``store gc``: what went, then what stayed though nobody needs it, and why."""
    verb = "would remove" if collected.dry_run else "removed"
    count = render_count(len(collected.entries), "entry", "entries")
    inodes = render_count(sum(each.inodes for each in collected.entries), "file", "files")
    lines = []
    if verbose or collected.dry_run:
        lines += [
            f"  {each.wheel or each.key}  {render_bytes(each.bytes)}" for each in collected.entries
        ]
    lines.append(
        f"{verb} {count}, {render_bytes(collected.bytes)} in {inodes}, "
        f"in {render_seconds(collected.seconds)}"
        if collected.entries
        else f"nothing to remove: {render_count(collected.needed, 'entry', 'entries')} needed"
    )
    if collected.young:
        lines.append(
            f"{render_count(collected.young, 'unused entry was', 'unused entries were')} linked "
            f"less than {_span(age)} ago; if no other host runs from them: "
            "envmgr store gc --older-than 0"
        )
    if collected.in_use:
        lines.append(
            f"{render_count(collected.in_use, 'entry is', 'entries are')} in use by programs"
        )
    if collected.foreign:
        stay = render_count(collected.foreign, "entry stays", "entries stay")
        lines.append(f"{stay}: of other users, who alone can remove them")
    lines += [f"forgot {prefix}, which is gone" for prefix in collected.gone]
    return "\n".join(lines) + "\n"


def _span(age: float) -> str:
    days, hours = age / 86400, age / 3600
    return f"{days:.0f} days" if days >= 1 else f"{hours:.1f} hours"


def render_trimmed(trimmed: Trimmed) -> str:
    """``store gc --cache``: a line for each kind of files, then the sum."""
    verb = "would remove" if trimmed.dry_run else "removed"
    lines = [
        f"  {each.kind}: {render_count(each.files, 'file')}, {render_bytes(each.bytes)}; "
        f"{render_count(each.left_files, 'file')}, {render_bytes(each.left_bytes)} left"
        for each in trimmed.kinds
        if each.files or each.left_files
    ]
    if trimmed.in_use:
        stay = render_count(trimmed.in_use, "file stays", "files stay")
        lines.append(f"{stay}: used within the last hour, or another user's")
    count = f"{verb} {render_count(trimmed.files, 'file')}, {render_bytes(trimmed.bytes)}"
    where = f"{trimmed.cache}, in {render_seconds(trimmed.seconds)}"
    lines.append(f"{count} from {where}" if trimmed.files else f"nothing to remove from {where}")
    return "\n".join(lines) + "\n"


def render_verified(verified: Verified, *, verbose: int) -> str:
    """``store verify``: each damaged entry, what is wrong and who uses it; then the sum."""
    lines = []
    for entry in verified.damaged:
        lines += _render_damaged(entry, verbose=verbose)
    lines += _render_leftovers(
        verified.leftovers, "of killed processes can go: envmgr store repair"
    )
    checked = (
        f"{render_count(verified.entries, 'entry', 'entries')}, "
        f"{render_count(verified.files, 'file')}, in {render_seconds(verified.seconds)}"
    )
    if not verified.damaged:
        return "\n".join([*lines, f"all is well: {checked}", ""])
    damaged = render_count(len(verified.damaged), "entry is", "entries are")
    return "\n".join([*lines, f"{damaged} damaged of {checked}", "run: envmgr store repair", ""])


def _render_leftovers(count: int, what: str) -> list[str]:
    return [f"{render_count(count, 'leftover')} {what}"] if count else []


def _render_damaged(entry: DamagedEntry, *, verbose: int) -> list[str]:
    lines = [f"{entry.package or 'unknown'}  {entry.path}"]
    shown = entry.findings if verbose else entry.findings[:SHOWN]
    lines += [f"  {finding.path or 'the entry'} {finding.detail}" for finding in shown]
    if len(shown) < len(entry.findings):
        lines.append(f"  and {len(entry.findings) - len(shown)} more; -v shows all")
    lines += [f"  used by {prefix}" for prefix in entry.environments]
    return lines


def render_repaired(repaired: Repaired) -> str:
    """``store repair``: a line for each entry that was damaged."""
    verb = "would go" if repaired.dry_run else "went"
    lines = _render_leftovers(repaired.leftovers, f"of killed processes {verb}")
    if not repaired.entries:
        return "\n".join([*lines, "nothing to repair", ""])
    for each in repaired.entries:
        named = each.entry.package or str(each.entry.path)
        if each.outcome == "left":
            lines.append(f"could not repair {named}: {each.reason}")
        else:
            verb = "would repair" if repaired.dry_run else "repaired"
            how = ", from its wheel" if each.fetched else ""
            found = render_count(len(each.entry.findings), "finding")
            lines.append(f"{verb} {named} ({found}{how})")
    return "\n".join([*lines, ""])


def render_disk_use(use: DiskUse) -> str:
    """``store du``: a line for each environment, then the store as a whole."""
    head = ["NAME", "OWN", "ENTRIES", "INODES", "SHARED", "ENTRIES", "VIEW", "PREFIX"]
    rows = [
        [
            each.name or "?",
            render_bytes(each.own.bytes),
            f"{each.own.entries:,}",
            f"{each.own.inodes:,}",
            render_bytes(each.shared.bytes),
            f"{each.shared.entries:,}",
            f"{each.view:,}",
            str(each.prefix),
        ]
        for each in use.environments
    ]
    table = render_table(head, rows, right="OWN ENTRIES INODES SHARED VIEW") if rows else ""
    return (
        f"{table}the store: {_usage(use.total)}\n"
        f"unused: {_usage(use.unused)}; `envmgr store gc` would free {_usage(use.collectable)}\n"
    )


def _usage(usage: Usage) -> str:
    entries = render_count(usage.entries, "entry", "entries")
    return f"{render_bytes(usage.bytes)}, {entries}, {render_count(usage.inodes, 'inode')}"


def render_compiled(compiled: CompiledStore) -> str:
    """``store compile``: a line for each interpreter."""
    if not compiled.interpreters:
        return "no environment uses any interpreter; name one with --python\n"
    lines = []
    for each in compiled.interpreters:
        done = render_count(each.compiled, "module")
        entries = render_count(each.entries, "entry", "entries")
        line = f"Python {each.version}: compiled {done} of {entries}"
        if each.failed:
            line += f"; {each.failed:,} are not of this Python"
        if each.denied:
            line += f"; {render_count(each.denied, 'entry', 'entries')} cannot be written"
        lines.append(line)
    return "\n".join([*lines, ""])
