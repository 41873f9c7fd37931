"""Print the table of the README: ``python -m benchmarks [--runs N] [--only NAME ...]``."""

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.contest import Contest, contest, entries_under, pairs
from benchmarks.growth import growth, prepare
from benchmarks.options import parse_options
from benchmarks.process import Run, Series, added, ratios, run
from benchmarks.unpacking import cpu_ratios, unpacking


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, already in words."""

    what: str
    envmgr: str
    other: str
    ratio: str


def seconds(series: Series) -> str:
    """Median wall time, with user and system time behind it."""
    return f"{series.wall:.2f} s ({series.cpu:.2f} s CPU)"


def times(ours: Series, theirs: Series) -> str:
    """How many times faster we are, with the spread over the pairs."""
    middle, least, most = ratios(ours, theirs)
    return f"{middle:.2f} x faster ({least:.2f} to {most:.2f})"


def compared(what: str, ours: Series, theirs: Series) -> Row:
    """A row of two contestants."""
    return Row(what, seconds(ours), seconds(theirs), times(ours, theirs))


def warm_create(c: Contest, runs: int) -> Iterable[Row]:
    """A new environment from a lock, everything in the store and the caches."""
    ours, theirs = pairs(
        runs,
        lambda n: c.envmgr_create(c.root / f"warm-{n}", c.ours()),
        lambda n: c.uv_create(c.root / f"warm-uv-{n}", c.theirs()),
    )
    yield compared("warm create from a lock", ours, theirs)
    own, other = (entries_under(c.root / name) for name in ("warm-0", "warm-uv-0"))
    yield Row("entries in the environment", f"{own:,}", f"{other:,}", f"{other / own:.0f} x fewer")


def pip_warm(c: Contest, _runs: int) -> Iterable[Row]:
    """The same by pip, once, after one run that filled its cache."""
    c.pip_create(c.root / "pip-first")
    theirs = Series((c.pip_create(c.root / "pip-warm-env"),))
    ours = Series((c.envmgr_create(c.root / "warm-vs-pip", c.ours()),))
    yield compared("warm create from a lock, against pip (one run)", ours, theirs)


def second_environment(c: Contest, runs: int) -> Iterable[Row]:
    """Create, then import the stack for the first time in it."""
    ours, theirs = pairs(
        runs,
        lambda n: added(
            c.envmgr_create(c.root / f"second-{n}", c.ours()),
            c.first_import(c.root / f"second-{n}", c.ours()),
        ),
        lambda n: added(
            c.uv_create(c.root / f"second-uv-{n}", c.theirs()),
            c.first_import(c.root / f"second-uv-{n}", c.theirs()),
        ),
    )
    yield compared("create + first import, second environment", ours, theirs)


def cold_create(c: Contest, runs: int, *, compiling: bool) -> Iterable[Row]:
    """Download, unpack and link, with empty store and caches.

    Every run has new directories and none is removed before the end: for minutes after a large
    removal ext4 takes ten times longer for every new file.
    """

    how = "compiling" if compiling else "plain"

    def ours_once(number: int) -> Run:
        option = "--compile" if compiling else "--no-compile"
        place = f"cold-{how}-{number}"
        return c.envmgr_create(c.root / f"{place}-env", c.ours(place), option)

    def theirs_once(number: int) -> Run:
        options = ["--compile-bytecode"] if compiling else []
        place = f"cold-{how}-{number}"
        return c.uv_create(c.root / f"{place}-env-uv", c.theirs(place), *options)

    ours, theirs = pairs(runs, ours_once, theirs_once)
    how = "compiling" if compiling else "without compiling"
    yield compared(f"cold create from a lock, {how}", ours, theirs)
    yield Row(
        f"peak memory of that, {how}",
        f"{ours.peak:.0f} MiB",
        f"{theirs.peak:.0f} MiB",
        "largest process",
    )


def unpack(c: Contest, runs: int) -> Iterable[Row]:
    """User and system time of a cold create from local wheels, whole commands."""
    unpacked = unpacking(c, runs)
    for what, theirs in (
        ("processor time of a cold create from local wheels", unpacked.theirs),
        ("the same, uv's files held against RECORD after it", unpacked.checked),
    ):
        ours = unpacked.ours
        yield Row(what, f"{ours.cpu:.2f} s", f"{theirs.cpu:.2f} s", cpu_ratios(ours, theirs))


def resolve(c: Contest, runs: int, *, cold: bool) -> Iterable[Row]:
    """From requirements to versions, with caches empty or filled."""
    source = c.root / "requirements.in"
    source.write_text("".join(f"{line}\n" for line in c.requirements), "utf-8")
    file = Path(__file__).parent.parent / "recipes" / "environments" / "science.yaml"

    def ours_once(number: int) -> Run:
        place = f"resolve-{number}" if cold else "warm"
        lock = c.root / f"pylock.r{number}.toml"
        lock.unlink(missing_ok=True)
        return run([c.envmgr, "lock", "-f", str(file), "--lock", str(lock)], c.ours(place))

    def theirs_once(number: int) -> Run:
        place = f"resolve-{number}" if cold else "warm"
        out = c.root / f"out-{number}.txt"
        out.unlink(missing_ok=True)
        options = ["--python", c.python, "--no-build", "-o", str(out), "--quiet"]
        return run([c.uv, "pip", "compile", *options, str(source)], c.theirs(place))

    if not cold:
        ours_once(99), theirs_once(99)
    ours, theirs = pairs(runs, ours_once, theirs_once)
    yield compared(f"resolve, {'cold' if cold else 'warm'}", ours, theirs)


def start_up(c: Contest, runs: int) -> Iterable[Row]:
    """``--help``, and what ``run`` adds to the bare interpreter."""
    environ = c.ours()
    many = max(runs, 15)
    shown = Series(tuple(run([c.envmgr, "--help"], environ) for _ in range(many)))
    uv_help = Series(tuple(run([c.uv, "--help"], environ) for _ in range(many)))
    yield Row(
        "`--help`", f"{shown.wall * 1000:.0f} ms", f"{uv_help.wall * 1000:.0f} ms", "limit 60 ms"
    )
    prefix = str(c.root / "first")
    bare, wrapped = pairs(
        many,
        lambda _: run([f"{prefix}/bin/python", "-c", "pass"], environ),
        lambda _: run([c.envmgr, "run", "-p", prefix, "python", "-c", "pass"], environ),
    )
    over = (wrapped.wall - bare.wall) * 1000
    yield Row(
        "overhead of `run`", f"{over:.0f} ms", f"(bare: {bare.wall * 1000:.0f} ms)", "limit 60 ms"
    )


def warm_large(c: Contest, runs: int) -> Iterable[Row]:
    """The warm create of the largest environment, some 400 packages."""
    large = prepare(c)
    theirs_environ = c.theirs("growth")
    c.uv_create(c.root / "large-uv-first", theirs_environ, lock=large.lock)
    ours, theirs = pairs(
        runs,
        lambda n: large.create(c.root / f"large-{n}", large.lock),
        lambda n: c.uv_create(c.root / f"large-uv-{n}", theirs_environ, lock=large.lock),
    )
    yield compared("warm create of some 400 packages", ours, theirs)
    own, other = (entries_under(c.root / name) for name in ("large-0", "large-uv-0"))
    yield Row("entries in that", f"{own:,}", f"{other:,}", f"{other / own:.0f} x fewer")


def by_size(c: Contest, runs: int) -> Iterable[Row]:
    """Warm creates of 10 to 400 packages, and of as many packages with few and many files."""
    for grown in growth(c, runs):
        series = grown.series
        yield Row(
            f"warm create, {grown.packages} packages ({grown.what}), {grown.files:,} files",
            seconds(series),
            f"{grown.entries:,} entries",
            f"{series.wall / grown.packages * 1000:.1f} ms a package",
        )


JOBS: dict[str, Callable[[Contest, int], Iterable[Row]]] = {
    "start-up": start_up,
    "warm": warm_create,
    "second": second_environment,
    "resolve-warm": lambda c, runs: resolve(c, runs, cold=False),
    "resolve-cold": lambda c, runs: resolve(c, runs, cold=True),
    "cold": lambda c, runs: cold_create(c, runs, compiling=False),
    "cold-compiling": lambda c, runs: cold_create(c, runs, compiling=True),
    "unpack": unpack,
    "pip": pip_warm,
    "growth": by_size,
    "warm-large": warm_large,
}


def table(rows: Iterable[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| | envmgr | uv or pip | |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.envmgr} | {row.other} | {row.ratio} |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    """Measure what was asked for and print it."""
    options = parse_options(sys.argv[1:], JOBS, __doc__)
    beside = Path(sys.executable).parent
    envmgr, uv = (
        shutil.which(name, path=str(beside)) or shutil.which(name) for name in ("envmgr", "uv")
    )
    if envmgr is None or uv is None:
        sys.exit("envmgr and uv have to be installed: make bench sees to it")
    print(
        f"{platform.platform()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
        flush=True,
    )
    rows: list[Row] = []
    with contest(envmgr, uv, options.where) as c:
        for name in options.only:
            for row in JOBS[name](c, options.runs):
                rows.append(row)
                print(f"{row.what}: {row.envmgr} | {row.other} | {row.ratio}", flush=True)
    print(table(rows))
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1), "utf-8")


if __name__ == "__main__":
    main()
