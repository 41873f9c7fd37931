"""Read from the store what a layout needs to know of its entries."""

import os
from collections.abc import Callable, Iterable, Mapping, Set
from pathlib import Path

from envmgr.link.inputs import LaidEntry
from envmgr.link.scripts import is_python_script
from envmgr.names import PackageName
from envmgr.spec.views import LinkWay
from envmgr.store.entry import Entry, EntryDamaged, read_manifest
from envmgr.wheel.manifest import Manifest

_HEAD = 10


def read_laid_entries(
    entries: Iterable[Entry],
    requested: Set[PackageName] = frozenset(),
    direct_urls: Mapping[PackageName, str] | None = None,
    way_of: Callable[[PackageName, str], LinkWay] = lambda name, version: LinkWay.FOLD,
    is_composable: Callable[[PackageName, str], bool] = lambda name, version: False,
) -> tuple[LaidEntry, ...]:
    """Read manifests, and the scripts that a view rewrites, in the order of ``entries``.

    ``requested`` are the packages that the environment file names itself;
    ``direct_urls`` holds the text of ``direct_url.json`` for direct references;
    ``way_of`` tells of name and version how a package is linked, and ``is_composable``
    whether a composition will do instead.
    Raises EntryDamaged.
    """
    urls = direct_urls or {}
    laid = []
    for entry in entries:
        manifest = read_manifest(entry)
        laid.append(
            LaidEntry(
                key=entry.key,
                root=os.fspath(entry.path),
                manifest=manifest,
                scripts=_read_scripts(entry, manifest) if "scripts" in manifest.data else {},
                requested=manifest.name in requested,
                direct_url=urls.get(manifest.name),
                way=way_of(manifest.name, manifest.version),
                composable=is_composable(manifest.name, manifest.version),
            )
        )
    return tuple(laid)


def _read_scripts(entry: Entry, manifest: Manifest) -> dict[str, bytes]:
    """Read the scripts that ask for the interpreter; of programs of any size only the head."""
    texts = {}
    for file in manifest.files:
        if file.path.startswith("scripts/"):
            try:
                text = _read_python_script(entry.path / file.path)
            except OSError as error:
                raise EntryDamaged(entry, f"{file.path}: {error.strerror}") from error
            if text is not None:
                texts[file.path] = text
    return texts


def _read_python_script(path: Path) -> bytes | None:
    with path.open("rb") as script:
        head = script.read(_HEAD)
        return head + script.read() if is_python_script(head) else None
