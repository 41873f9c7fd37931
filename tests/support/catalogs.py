"""Catalogs over loopback indexes, with a clock that never waits."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from envmgr.events import Reporter, silent
from envmgr.helper import Helper
from envmgr.index.catalog import Catalog, open_catalog
from envmgr.index.clock import SYSTEM_CLOCK, Clock
from envmgr.names import IndexName, PackageName, package_name
from envmgr.spec.types import IndexSpec
from envmgr.target.types import Target
from tests.support.index_server import IndexServer
from tests.support.locks import target_for
from tests.support.values import replace

TARGET = target_for((3, 12, 4))
START = 1_800_000_000.0


@dataclass
class Hours:
    """A clock that stands still until somebody sleeps or moves it."""

    at: float = START
    slept: list[float] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.at, sleep=self._sleep, jitter=lambda: 0.5)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def index_at(url: str, name: str = "lab", packages: tuple[str, ...] = ()) -> IndexSpec:
    return IndexSpec(name=IndexName(name), url=url, shown_url=url, packages=packages)


@dataclass(frozen=True)
class Machine:
    """Where catalogs are opened: a cache directory and a clock."""

    cache: Path
    hours: Hours = field(default_factory=Hours)
    target: Target = TARGET

    @contextmanager
    def catalog(
        self,
        *indexes: IndexSpec | IndexServer | Path,
        offline: bool = False,
        refresh: bool = False,
        exclude_newer: datetime | None = None,
        environ: Mapping[str, str] | None = None,
        report: Reporter = silent,
        helper: Helper | None = None,
    ) -> Iterator[Catalog]:
        """Open a catalog; a server or directory is an index named ``lab``."""
        specs = tuple(map(_spec, indexes))
        with open_catalog(
            specs,
            self.target,
            cache=self.cache,
            offline=offline,
            refresh=refresh,
            exclude_newer=exclude_newer,
            environ=environ or {},
            report=report,
            clock=self.hours.clock if helper is None else SYSTEM_CLOCK,
            helper=helper,
        ) as catalog:
            yield catalog

    def with_target(self, target: Target) -> "Machine":
        """Return the same machine building for something else."""
        return replace(self, target=target)


def versions(catalog: Catalog, name: str) -> list[str]:
    """What may be chosen of a package, newest first."""
    return [str(candidate.version) for candidate in catalog.offer(package_name(name)).candidates]


def named(text: str) -> PackageName:
    return package_name(text)


def _spec(index: IndexSpec | IndexServer | Path) -> IndexSpec:
    if isinstance(index, IndexServer):
        return index_at(index.url)
    if isinstance(index, Path):
        return index_at(f"{index.as_uri()}/")
    return index
