"""The same against the real thing, whatever it is at the moment."""

import os
from pathlib import Path

import pytest

from envmgr.index.ahead import active, likely
from envmgr.index.catalog import Catalog, open_catalog
from envmgr.index.fetch import fetch_wheels
from envmgr.index.types import Download, Offer, UnusableMetadata, WheelCandidate
from envmgr.names import PackageName
from envmgr.spec.settings import PYPI
from envmgr.wheel.archive import open_wheel
from envmgr.wheel.metadata import CoreMetadata
from envmgr.wheel.requirement import Named, parse_requirement
from tests.support.catalogs import TARGET, index_at

pytestmark = pytest.mark.slow

ROOTS = ("numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "dask[complete]", "pyarrow")


def open_pypi(cache: Path, *, offline: bool = False) -> Catalog:
    return open_catalog(
        (index_at(PYPI, "pypi"),),
        TARGET,
        cache=cache,
        offline=offline,
        refresh=False,
        exclude_newer=None,
        environ=os.environ,
    )


def walk(catalog: Catalog) -> dict[PackageName, tuple[Offer, CoreMetadata | UnusableMetadata]]:
    """Take the newest of everything the roots lead to."""
    waiting = [parse_requirement(text) for text in ROOTS]
    catalog.expect(waiting)
    found = {}
    seen = set()
    while waiting:
        wanted = waiting.pop(0)
        assert isinstance(wanted, Named)
        if (wanted.name, wanted.extras) in seen:
            continue
        seen.add((wanted.name, wanted.extras))
        offer = catalog.offer(wanted.name)
        candidate = likely(offer, wanted.specifier)
        assert candidate is not None, wanted
        metadata = catalog.metadata(candidate)
        found[wanted.name] = offer, metadata
        assert isinstance(metadata, CoreMetadata), candidate
        waiting += active(metadata.requires_dist, TARGET, wanted.extras)
    return found


def test_offline_and_online_say_the_same(tmp_path: Path) -> None:
    with open_pypi(tmp_path) as catalog:
        online = walk(catalog)
    with open_pypi(tmp_path, offline=True) as catalog:
        offline = walk(catalog)
    assert len(online) > 20
    assert offline == online


def test_metadata_read_ahead_is_that_of_the_fetched_wheel(tmp_path: Path) -> None:
    with open_pypi(tmp_path) as catalog:
        chosen: list[tuple[WheelCandidate, CoreMetadata | UnusableMetadata]] = []
        for name in ("six", "attrs", "packaging", "pyyaml", "certifi"):
            candidate = catalog.offer(PackageName(name)).candidates[0]
            chosen.append((candidate, catalog.metadata(candidate)))
    downloads = [Download(c.filename, c.url, c.index, c.sha256 or "", c.size) for c, _ in chosen]
    found = fetch_wheels(
        downloads, tmp_path / "wheels", environ=os.environ, offline=False, cache=tmp_path
    )
    for candidate, metadata in chosen:
        with open_wheel(found[candidate.sha256 or ""], candidate.filename) as wheel:
            assert wheel.core_metadata == metadata
