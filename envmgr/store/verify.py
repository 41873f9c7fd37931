"""Whether entries are what they were when they were made: every file, mode and name."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

from msgspec import Struct, field

from envmgr.events import Noted, Reporter, StageAdvanced, StageFinished, StageStarted, silent
from envmgr.store.composed import is_composed
from envmgr.store.composed_check import check_composed
from envmgr.store.entry import (
    DIRECTORY_MODE,
    FILE_MODE,
    MANIFEST,
    PROGRAM_MODE,
    WHEEL_NAME,
    Entry,
)
from envmgr.store.errors import StoreUnreadable
from envmgr.store.findings import Finding, Kind
from envmgr.store.leases import read_leases
from envmgr.store.processes import processors
from envmgr.store.pyc import CACHE, bytecode_fault, source_of
from envmgr.store.sources import SOURCES, render_sources
from envmgr.store.store import Store
from envmgr.wheel.links import LINKS, InvalidLinks, parse_links
from envmgr.wheel.manifest import (
    FileFacts,
    LinkFacts,
    Manifest,
    ManifestUnreadable,
    decode_manifest,
)
from envmgr.wheel.record import InvalidRecord, parse_record
from envmgr.wheel.unpack import UnknownScheme, destination, entry_links

_BESIDE = (MANIFEST, SOURCES, WHEEL_NAME)


class Checked(Struct, frozen=True):
    """What was found in one entry; ``files`` is how many were looked at.

    ``manifest`` is ``None`` where it cannot be read, and for composed entries.
    """

    entry: Entry
    findings: tuple[Finding, ...]
    files: int
    manifest: Manifest | None


def check_entries(
    entries: Iterable[Entry], report: Reporter = silent, *, fast: bool = False
) -> Iterator[Checked]:
    """Check entries side by side and yield each, in their order; the largest may end last.

    With ``fast`` no file is read but the facts: sizes, modes and names alone.
    """
    report(StageStarted("verify", None))
    began, files = perf_counter(), 0
    with ThreadPoolExecutor(processors(), thread_name_prefix="verify") as pool:
        for checked in pool.map(lambda entry: check_entry(entry, fast=fast), entries):
            files += checked.files
            name = "" if checked.manifest is None else str(checked.manifest.name)
            report(StageAdvanced("verify", checked.files, name))
            yield checked
    report(StageFinished("verify", files, perf_counter() - began))


def check_store(store: Store, report: Reporter, *, fast: bool = False) -> Iterator[Checked]:
    """Check the entries that stand where a store adds, composed ones last.

    One that another process works on is passed over, with a note: it opens
    directories, and has files under way. Raises StoreUnreadable.
    """
    try:
        busy = read_leases(store.path)
        entries = (*store.own_entries(), *store.own_composed())
        for checked in check_entries(entries, report, fast=fast):
            if not checked.findings:
                yield checked
            elif checked.entry.key in busy | read_leases(store.path):
                report(Noted(f"{checked.entry.path} is in use by another envmgr: not checked"))
            else:
                yield check_entry(checked.entry, fast=fast)
    except OSError as error:
        raise StoreUnreadable(store.path, (error.strerror or str(error)).lower()) from error


def check_entry(entry: Entry, *, fast: bool = False) -> Checked:
    """Compare an entry with its manifest, and that with the wheel's RECORD.

    A composed one is compared with what it is made of.
    """
    if is_composed(entry.key):
        findings, files = check_composed(entry)
        return Checked(entry, findings, files, None)
    root = os.fspath(entry.path)
    try:
        manifest = decode_manifest((entry.path / MANIFEST).read_bytes(), MANIFEST)
    except (OSError, ManifestUnreadable) as error:
        return Checked(entry, (_without_manifest(error),), 0, None)
    check = _Check(root, manifest, fast=fast)
    try:
        check.run()
    except OSError as error:
        check.find("unreadable", "", f"{error.filename}: {error.strerror}")
    findings = tuple(sorted(check.findings, key=lambda found: (found.path, found.kind)))
    return Checked(entry, findings, check.files, manifest)


def _without_manifest(error: Exception) -> Finding:
    detail = "is missing" if isinstance(error, FileNotFoundError) else str(error)
    return Finding(kind="facts", path=MANIFEST, detail=detail)


class _Check(Struct):
    root: str
    manifest: Manifest
    fast: bool
    findings: list[Finding] = field(default_factory=list)
    files: int = 0

    def find(self, kind: Kind, path: str, detail: str) -> None:
        self.findings.append(Finding(kind=kind, path=path, detail=detail))

    def run(self) -> None:
        expected = {file.path: file for file in self.manifest.files}
        links = {link.path: link for link in self.manifest.links}
        directories = _directories((*expected, *links))
        there = self._walk(expected, links, directories)
        for path in (*expected, *links):
            if path not in there:
                self.find("missing", path, "is missing")
        self._check_links(links)
        self._check_facts(there)
        if not self.fast:
            self._check_record()

    def _walk(
        self,
        expected: Mapping[str, FileFacts],
        links: Mapping[str, LinkFacts],
        directories: set[str],
    ) -> set[str]:
        """Look at everything that is there; what is not expected is not entered."""
        there: set[str] = set()
        waiting = [""]
        while waiting:
            below = waiting.pop()
            self._check_directory(below)
            with os.scandir(f"{self.root}/{below}") as listing:
                items = list(listing)
            for item in items:
                path = f"{below}/{item.name}" if below else item.name
                there.add(path)
                if path in links:
                    self._check_link(links[path])
                elif item.is_dir(follow_symlinks=False):
                    if path in directories:
                        waiting.append(path)
                    elif item.name == CACHE and below.startswith("site-packages"):
                        self._check_cache(path, expected)
                    else:
                        self.find("extra", path, "is no directory of the wheel")
                else:
                    self._check_file(path, item.stat(follow_symlinks=False), expected)
        return there

    def _check_file(
        self, path: str, status: os.stat_result, expected: Mapping[str, FileFacts]
    ) -> None:
        facts = expected.get(path)
        if facts is None:
            self._check_beside(path, status)
            return
        self.files += 1
        if not stat.S_ISREG(status.st_mode):
            self.find("changed", path, "is no file")
        elif status.st_size != facts.size:
            self.find("changed", path, f"has {status.st_size} bytes instead of {facts.size}")
        elif not self.fast and self._hash(path) != facts.sha256:
            self.find("changed", path, "has other contents")
        else:
            self._check_mode(path, status, PROGRAM_MODE if facts.executable else FILE_MODE)

    def _check_link(self, link: LinkFacts) -> None:
        self.files += 1
        path = Path(self.root, link.path)
        if not path.is_symlink():
            self.find("changed", link.path, "is no link")
        elif os.fspath(path.readlink()) != link.text:
            detail = f"leads to {path.readlink()} instead of {link.text}"
            self.find("changed", link.path, detail)

    def _check_links(self, links: Mapping[str, LinkFacts]) -> None:
        """Catch a manifest that was computed from an entry without its links, or made with none."""
        try:
            wanted = links_of(self.root, self.manifest)
        except (OSError, UnicodeDecodeError, InvalidLinks):
            return  # a file like any other, and checked as one
        for link in wanted:
            if links.get(link.path) != link:
                self.find("missing", link.path, f"is not the link to {link.text} of {LINKS}")

    def _check_beside(self, path: str, status: os.stat_result) -> None:
        ours = path in _BESIDE or path.startswith(("compiled-", "manifest-"))
        if "/" in path or not ours or path.endswith(".tmp"):
            self.find("extra", path, "is no file of the wheel")
        else:
            self._check_mode(path, status, FILE_MODE)

    def _check_directory(self, path: str) -> None:
        status = os.lstat(f"{self.root}/{path}")
        self._check_mode(path, status, DIRECTORY_MODE)

    def _check_mode(self, path: str, status: os.stat_result, mode: int) -> None:
        """Set-group-ID on a directory is how groups share it, and does no harm."""
        found = stat.S_IMODE(status.st_mode)
        if stat.S_ISDIR(status.st_mode):
            found &= ~stat.S_ISGID
        if found != mode:
            self.find("mode", path, f"has mode {found:04o} instead of {mode:04o}")

    def _check_cache(self, directory: str, expected: Mapping[str, FileFacts]) -> None:
        """Look at a directory of bytecode: of ours there are hash-based files of known sources."""
        self._check_directory(directory)
        with os.scandir(f"{self.root}/{directory}") as listing:
            items = list(listing)
        for item in items:
            path = f"{directory}/{item.name}"
            source = source_of(path)
            if source not in expected or not item.is_file(follow_symlinks=False):
                self.find("extra", path, "is not envmgr's")
                continue
            fault = bytecode_fault(self.root, path, None if self.fast else source)
            if fault is not None:
                self.find("bytecode", path, fault)
            else:
                self._check_mode(path, item.stat(follow_symlinks=False), FILE_MODE)

    def _check_facts(self, there: set[str]) -> None:
        """See that what stands beside the files says what the manifest says."""
        stated = {
            WHEEL_NAME: f"{self.manifest.wheel}\n",
            SOURCES: render_sources(self.manifest),
        }
        for name, text in stated.items():
            if name not in there:
                self.find("facts", name, "is missing")
            elif Path(self.root, name).read_bytes() != text.encode():
                self.find("facts", name, "does not say what the manifest says")

    def _check_record(self) -> None:
        """Catch a manifest that was computed from files which were damaged already."""
        for path in record_disagreements(self.root, self.manifest):
            self.find("changed", path, "is not what the wheel's RECORD says")

    def _hash(self, path: str) -> str:
        with open(f"{self.root}/{path}", "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def links_of(root: str, manifest: Manifest) -> tuple[LinkFacts, ...]:
    """Plan the links that the LINKS of an entry at ``root`` asks for; none where it has none.

    Raises InvalidLinks, UnicodeDecodeError, OSError.
    """
    info = manifest.dist_info
    files = [file.path for file in manifest.files]
    if f"site-packages/{info}/{LINKS}" not in files:
        return ()
    rows = parse_links(Path(root, "site-packages", info, LINKS).read_text("utf-8-sig"))
    return entry_links(rows, files, info)


def record_disagreements(root: str, manifest: Manifest) -> Iterator[str]:
    """Yield the files of an entry of which the manifest says another hash than the RECORD there."""
    data = f"{manifest.dist_info.removesuffix('.dist-info')}.data"
    try:
        text = Path(root, "site-packages", manifest.dist_info, "RECORD").read_text("utf-8")
        rows = parse_record(text)
    except (OSError, UnicodeDecodeError, InvalidRecord):
        return  # a file like any other, and checked as one
    known = {file.path: file.sha256 for file in manifest.files}
    for row in rows:
        try:
            path = destination(row.path, data)
        except UnknownScheme:
            continue
        if path in known and row.sha256_hex not in (None, known[path]):
            yield path


def _directories(files: Iterable[str]) -> set[str]:
    directories = {"site-packages"}
    for path in files:
        parent = path.rpartition("/")[0]
        while parent and parent not in directories:
            directories.add(parent)
            parent = parent.rpartition("/")[0]
    return directories
