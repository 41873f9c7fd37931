"""Tables of ``list`` and ``config show``. Pure; no rich, so that they are quick."""

from collections.abc import Sequence

from envmgr.cli.quantities import render_bytes, render_count
from envmgr.pipeline.types import EnvironmentSummary, PackageRow


def render_table(head: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> str:
    """Columns two spaces apart; heads named in ``right`` (by initial word) stand right-aligned."""
    table = [list(head), *[list(row) for row in rows]]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    aligned = [">" if title and title in right.split() else "<" for title in head]
    lines = (
        "  ".join(
            f"{cell:{align}{width}}"
            for cell, align, width in zip(row, aligned, widths, strict=True)
        )
        for row in table
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def render_environments(environments: Sequence[EnvironmentSummary], *, verbose: int) -> str:
    """``list``: one line for each environment; with ``verbose`` also where it lies."""
    head = ["NAME", "PYTHON", "PACKAGES", "GROUPS", "MADE", "FILE"]
    rows = [
        [
            one.name,
            one.python,
            f"{one.packages:,}",
            ", ".join(one.groups) or "-",
            render_moment(one.created),
            str(one.file),
        ]
        for one in environments
    ]
    if verbose:
        head.append("PREFIX")
        for row, one in zip(rows, environments, strict=True):
            row.append(str(one.prefix))
    return render_table(head, rows, right="PACKAGES")


def render_packages(packages: Sequence[PackageRow], *, verbose: int) -> str:
    """``list -n NAME``: one line for each package, then what they come to."""
    head = ["NAME", "VERSION", "INDEX", "GROUPS", "SIZE"]
    rows = [
        [
            one.name,
            one.version,
            one.index or "direct" if one.installer == "envmgr" else f"by {one.installer}",
            ", ".join(one.groups) or "-",
            _size(one),
        ]
        for one in packages
    ]
    if verbose:
        head.append("ENTRY")
        for row, one in zip(rows, packages, strict=True):
            row.append(_place(one))
    total = render_bytes(sum(one.size or 0 for one in packages))
    foreign = [one for one in packages if one.installer != "envmgr"]
    count = render_count(len(packages) - len(foreign), "package")
    more = f"; {len(foreign)} that other installers put there" if foreign else ""
    return render_table(head, rows, right="SIZE") + f"{count}, {total} in the store{more}\n"


def _size(package: PackageRow) -> str:
    if package.size is not None:
        return render_bytes(package.size)
    return "?" if package.installer == "envmgr" else "-"


def _place(package: PackageRow) -> str:
    if package.entry is not None:
        return str(package.entry)
    return "missing" if package.installer == "envmgr" else "the environment itself"


def render_moment(iso: str) -> str:
    """``2026-11-24T05:43:10.123456+00:00`` as ``2026-11-24 05:43`` (UTC)."""
    return iso[:16].replace("T", " ")
