"""A directory as an index: wheels directly inside, or ``<name>/`` with wheels or a page."""

import os
from functools import partial
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from envmgr.index.addresses import file_path
from envmgr.index.choosing import SDIST_SUFFIXES, Choice, Chooser, sdist_version
from envmgr.index.failures import IndexUnreachable, IndexUnreadable
from envmgr.index.pages import Page, PageFile, UnreadablePage
from envmgr.index.workers import Once
from envmgr.names import PackageName, normalized
from envmgr.spec.types import IndexSpec

PAGE = "index.html"
_SUFFIXES = (".whl", *SDIST_SUFFIXES)


Listing: TypeAlias = tuple[str, dict[str, str], list[os.DirEntry[str]]]
"""The directory's path, its folders by normalised name, and the wheels and sources inside."""


class DirectoryIndex:
    """Reads the disk; listed once, when first asked."""

    def __init__(self, spec: IndexSpec, chooser: Chooser) -> None:
        self.spec = spec
        self._chooser = chooser
        self._listing = Once(partial(_list, spec.url))

    def choose(self, name: PackageName) -> Choice | None:
        """Return what there is of a project; ``None`` if the directory lacks the name.

        Raises IndexUnreachable, IndexUnreadable.
        """
        try:
            page = self._page(name)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise IndexUnreachable(
                self.spec.name, self.spec.shown_url, reason or str(error)
            ) from None
        return None if page is None else self._chooser.choose(page, name, self.spec.name)

    def _page(self, name: PackageName) -> Page | None:
        root, folders, loose = self._listing.get()
        files = [_page_file(entry) for entry in loose if project_of(entry.name, name)]
        folder = folders.get(name)
        base = directory_url(root)
        if folder is None:
            return Page(base, tuple(files)) if files else None
        page = Path(folder, PAGE)
        if page.is_file():
            return self._read_page(page)
        with os.scandir(folder) as entries:
            inside = sorted((e for e in entries if e.is_file()), key=lambda entry: entry.name)
        below = quote(Path(folder).name)
        files += [_page_file(entry, f"{below}/") for entry in inside]
        return Page(base, tuple(files))

    def _read_page(self, path: Path) -> Page:
        from envmgr.index.html_pages import parse_html_page

        try:
            return parse_html_page(path.read_bytes(), path.as_uri())
        except UnreadablePage as error:
            raise IndexUnreadable(self.spec.name, path.as_uri(), error.reason) from None


def _list(url: str) -> Listing:
    root = file_path(url)
    with os.scandir(root) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    folders = {normalized(entry.name): entry.path for entry in found if entry.is_dir()}
    return root, folders, [e for e in found if e.name.endswith(_SUFFIXES) and e.is_file()]


def directory_url(path: str) -> str:
    """Return the ``file://`` URL of a directory, with a last slash."""
    return f"file://{quote(path.rstrip('/'))}/"


def project_of(filename: str, name: PackageName) -> bool:
    """Whether a wheel or source distribution is of project ``name``."""
    if filename.endswith(".whl"):
        return normalized(filename.partition("-")[0]) == name
    return sdist_version(filename, name) is not None


def _page_file(entry: os.DirEntry[str], below: str = "") -> PageFile:
    return PageFile(filename=entry.name, url=below + quote(entry.name), size=entry.stat().st_size)
