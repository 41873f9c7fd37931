"""Cold creates from wheels on disk: what unpacking takes of the processors, without a network."""

import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.request import urlretrieve

from benchmarks.contest import Contest, pairs
from benchmarks.process import Run, Series, added, run

CHECK = """
import base64, csv, hashlib, pathlib, sys
for record in pathlib.Path(sys.argv[1]).glob("lib/python3*/site-packages/*.dist-info/RECORD"):
    for name, digest, _ in csv.reader(record.open(encoding="utf-8", newline="")):
        if digest:
            with (record.parents[1] / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").digest()
            told = base64.urlsafe_b64encode(found).decode().rstrip("=")
            assert digest == f"sha256={told}", name
"""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What both took; ``checked`` is uv's and a look at each file's hash after it."""

    ours: Series
    theirs: Series
    checked: Series


def unpacking(c: Contest, runs: int) -> Unpacked:
    """Create from local wheels into empty stores, by turns. Downloads them first."""
    local = replace(c, lock=_local_lock(c))

    def ours_once(number: int) -> Run:
        place = f"unpack-{number}"
        return local.envmgr_create(c.root / f"{place}-env", c.ours(place), "--no-compile")

    checks: list[Run] = []

    def theirs_once(number: int) -> Run:
        place = f"unpack-{number}"
        prefix = c.root / f"{place}-env-uv"
        made = local.uv_create(prefix, c.theirs(place))
        checks.append(run([sys.executable, "-c", CHECK, str(prefix)], c.environ()))
        return made

    ours, theirs = pairs(runs, ours_once, theirs_once)
    checked = [added(made, check) for made, check in zip(theirs.runs, checks, strict=True)]
    return Unpacked(ours, theirs, Series(tuple(checked)))


def cpu_ratios(ours: Series, theirs: Series) -> str:
    """How many times more user and system time we take, with the spread over the pairs."""
    both = zip(ours.runs, theirs.runs, strict=True)
    ratios: Sequence[float] = sorted(mine.cpu / other.cpu for mine, other in both)
    middle = ours.cpu / theirs.cpu
    return f"{middle:.2f} x as much ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def _local_lock(c: Contest) -> Path:
    """Write the lock anew, with every wheel at a place below the contest's."""
    text = c.lock.read_text("utf-8")
    wheels = c.root / "wheels"
    wheels.mkdir(exist_ok=True)
    for package in tomllib.loads(text)["packages"]:
        for wheel in package["wheels"]:
            place = wheels / wheel["url"].rpartition("/")[2]
            if not place.exists():
                urlretrieve(wheel["url"], place)
            text = text.replace(wheel["url"], place.as_uri())
    lock = c.root / "pylock.local.toml"
    lock.write_text(text, "utf-8")
    return lock
