"""What ``runtimes`` says. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from envmgr.audit.mapped import LoadedFamily, LoadedRuntime
from envmgr.audit.probe import ThreadPool
from envmgr.audit.types import FamilyAudit, Needer, RuntimeFile, StaticRuntime
from envmgr.cli.quantities import render_count
from envmgr.pipeline.audit import Audited, LiveAudited, LiveRun

SHOWN = 6
"""Packages that are named of those which need a file, without ``-v``."""


def render_audited(audited: Audited, *, verbose: int) -> str:
    """``runtimes audit``: a paragraph for each family that is there, then the sum."""
    if audited.note:
        return f"{audited.note}\n"
    lines: list[str] = []
    for family in audited.families:
        if family.files or family.static or family.missing or (verbose and family.candidates):
            lines += [*_family(family, verbose), ""]
    return "\n".join([*lines, *_sum(audited.twice, audited.families, "would load"), ""])


def _family(family: FamilyAudit, verbose: int) -> Iterator[str]:
    copies = render_count(family.most, "copy", "copies")
    if family.least < family.most:
        copies = f"{family.least} to {copies}, by the order of imports"
    yield f"{family.family}: {copies}"
    for file in family.files:
        yield f"  {file.path if verbose else _place(file)}{_whose(file)}{_before(file.leads_to)}"
        yield f"    as {', '.join(file.names)}, for {_needers(file.needed_by, verbose)}"
        yield from _stays(file)
        if verbose:
            yield from (f"    {path}" for path in file.seen_as)
    for missing in family.missing:
        yield (
            f"  {missing.name} is not found, and must be loaded before: for "
            f"{_needers(missing.needed_by, verbose)}"
        )
    yield from _static(family.static)
    if verbose:
        yield from (
            f"  {file.path}{_whose(file)}, which nobody asks for by name"
            for file in family.candidates
        )


def _place(file: RuntimeFile) -> str:
    """Return the path of a file in the view, where it has one: under its own name, if possible."""
    own = file.path.rpartition("/")[2]
    inside = [path for path in file.seen_as if not path.startswith("/")]
    return next((path for path in inside if path.endswith(f"/{own}")), (*inside, file.path)[0])


def _whose(file: RuntimeFile | LoadedRuntime) -> str:
    if file.package is not None:
        return f" ({file.package})"
    return " (of the system)" if file.origin == "system" else " (made by envmgr)"


def _before(names: Sequence[str]) -> str:
    return f", which stands before {', '.join(names)}" if names else ""


def _stays(file: RuntimeFile | LoadedRuntime) -> Iterator[str]:
    if file.stays is not None:
        yield f"    stays: {file.stays}"


def _needers(needers: Iterable[Needer], verbose: int) -> str:
    counts: dict[str, int] = {}
    for each in needers:
        name = str(each.package or each.file)
        counts[name] = counts.get(name, 0) + 1
    shown = list(counts)[: len(counts) if verbose else SHOWN]
    more = f" and {len(counts) - len(shown)} more" if len(counts) > len(shown) else ""
    return ", ".join(f"{name} ({render_count(counts[name], 'file')})" for name in shown) + more


def _static(static: Iterable[StaticRuntime]) -> Iterator[str]:
    for each in static:
        yield f"  cannot be shared: {each.what} ({each.package}, {each.file})"


def _sum(
    twice: Sequence[str], families: Iterable[FamilyAudit | LoadedFamily], verb: str
) -> list[str]:
    if twice:
        return [f"one process {verb} several copies of {', '.join(twice)}"]
    static = sorted({each.package for family in families for each in family.static})
    beside = f", besides what is linked into {', '.join(static)}" if static else ""
    return [f"one process {verb} nothing twice{beside}"]


def render_live(audited: LiveAudited, *, verbose: int) -> str:
    """``runtimes audit --live``: for each process what it had of each family."""
    if audited.note:
        return f"{audited.note}\n"
    lines: list[str] = []
    for run in audited.runs:
        if len(audited.runs) > 1:
            lines += ["with python -I:" if run.isolated else "with python:"]
        lines += [*_run(run, verbose), ""]
    last = [family for run in audited.runs for family in run.families]
    return "\n".join([*lines, *_sum(audited.twice, last, "loaded"), ""])


def _run(run: LiveRun, verbose: int) -> Iterator[str]:
    yield f"imported {', '.join(run.imported) or 'nothing: no package needs a runtime'}"
    for failed in run.failed:
        module = f"{failed.module}: " if failed.module else ""
        yield f"  failed: {failed.package}: {module}{failed.reason}"
    for family in run.families:
        if family.files or family.static:
            yield f"{family.family}: {render_count(family.copies, 'copy', 'copies')}"
            for file in family.files:
                yield (
                    f"  {file.path if verbose else _way(file)}{_whose(file)}"
                    f"{_before(file.leads_to)}, with {file.brought_by}{_pool(file.pool)}"
                )
                yield from _stays(file)
            yield from _static(family.static)


def _way(file: LoadedRuntime) -> str:
    """Return how the loader came to a file, without the long name of a store entry."""
    if file.origin == "system" or not file.through.startswith("/"):
        return file.through
    directory, name = file.through.rsplit("/", 2)[1:]
    return f"STORE/.../{directory}/{name}"


def _pool(pool: ThreadPool | None) -> str:
    if pool is None:
        return ""
    version = f" {pool.version}" if pool.version else ""
    layer = f" by {pool.layer}" if pool.layer else ""
    return f"; {pool.api}{version}, {render_count(pool.threads, 'thread')}{layer}"
