"""What other installers put into a generation's site-packages, where only links belong.

Of ours there are absolute links into the store, directories that hold nothing
else, ``dist-info`` whose INSTALLER says so, and the start-up files.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from envmgr.link.startup import MODULE

_OURS = {f"{MODULE}.py", f"{MODULE}.pth", f"{MODULE}.start", "__pycache__"}


@dataclass(frozen=True, slots=True)
class Foreign:
    """What is there and not ours; all sorted."""

    distributions: tuple[str, ...] = ()
    """``name version``, as their ``dist-info`` directories are called."""
    others: tuple[str, ...] = ()
    """Names in site-packages that none of these accounts for."""

    def __bool__(self) -> bool:
        return bool(self.distributions or self.others)

    def __str__(self) -> str:
        return ", ".join((*self.distributions, *self.others))


def read_foreign(generation: Path) -> Foreign:
    """Look for what other installers put into a generation; nothing where it is gone."""
    distributions: set[str] = set()
    others: set[str] = set()
    for site in generation.glob("lib/*/site-packages"):
        names = set(_foreign_names(site))
        infos = {name for name in names if name.endswith(".dist-info")}
        distributions |= {" ".join(info.removesuffix(".dist-info").split("-")) for info in infos}
        others |= names - infos - set(_recorded(site, infos))
    return Foreign(tuple(sorted(distributions)), tuple(sorted(others)))


def _foreign_names(site: Path) -> Iterator[str]:
    with os.scandir(site) as listing:
        for each in listing:
            if each.name not in _OURS and not _is_ours(each):
                yield each.name


def _is_ours(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is of the view; a directory is if all below it is."""
    if entry.is_symlink():
        return Path(entry.path).readlink().is_absolute()
    if not entry.is_dir():
        return False
    if entry.name.endswith(".dist-info"):
        return _installer(Path(entry.path)) == "envmgr"
    try:
        with os.scandir(entry.path) as listing:
            return all(each.name == "__pycache__" or _is_ours(each) for each in listing)
    except OSError:  # ours can all be read
        return False


def _installer(info: Path) -> str:
    try:
        return (info / "INSTALLER").read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _recorded(site: Path, infos: Iterable[str]) -> Iterator[str]:
    """Yield the names in site-packages that the RECORDs of ``dist-info`` directories list."""
    from envmgr.wheel.record import InvalidRecord, parse_record

    for info in infos:
        try:
            rows = parse_record((site / info / "RECORD").read_text("utf-8", "replace"))
        except (OSError, InvalidRecord):
            continue
        for row in rows:
            yield row.path.partition("/")[0]
