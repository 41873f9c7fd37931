"""A requirement on one wheel at a URL (PEP 508 ``name @ url``, PEP 440 direct references)."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from msgspec.structs import replace

from envmgr.index.addresses import file_path, is_file, last_part, without_secrets
from envmgr.index.cache import IndexCache, PageHead, PageRecord, short_digest
from envmgr.index.download import Got, Wanted, find_kept, hash_file
from envmgr.index.failures import DirectUnusable, HashMismatch, IndexUnreachable
from envmgr.index.freshness import UNSAID
from envmgr.index.remote import Rules
from envmgr.index.types import DirectCandidate
from envmgr.index.wheel_metadata import MetadataReader
from envmgr.target.types import Target
from envmgr.wheel.filename import InvalidWheelFilename, WheelFilename, parse_wheel_filename
from envmgr.wheel.requirement import Direct

NOT_A_HASH = frozenset(("egg", "subdirectory"))


class DirectReader:
    """Finds out what is at a URL: fetched whole, since its hash must be known. Thread-safe."""

    def __init__(
        self, target: Target, cache: IndexCache, reader: MetadataReader, rules: Rules
    ) -> None:
        self._target = target
        self._cache = cache
        self._reader = reader
        self._rules = rules

    def read(self, requirement: Direct) -> DirectCandidate:
        """Return the wheel a requirement points at.

        Raises DirectUnusable, HashMismatch, IndexFailure.
        """
        filename = self._checked_filename(requirement)
        promised = promised_sha256(requirement)
        url = without_secrets(requirement.url)
        if is_file(url):
            got = self._local(requirement, filename, promised)
        else:
            got = self._remote(requirement, filename, promised)
        return DirectCandidate(
            name=requirement.name,
            version=filename.version,
            filename=filename.text,
            url=url,
            sha256=got.sha256,
            size=got.size,
        )

    def _checked_filename(self, requirement: Direct) -> WheelFilename:
        try:
            parts = urlsplit(requirement.url)
            scheme = parts.scheme.lower() if parts.port != 0 else ""
        except ValueError as error:
            raise DirectUnusable(str(requirement), f"its URL cannot be read: {error}") from None
        if scheme not in {"https", "http", "file"}:
            raise DirectUnusable(str(requirement), f"{scheme or 'no'} URLs are not supported yet")
        try:
            filename = parse_wheel_filename(last_part(requirement.url))
        except InvalidWheelFilename as error:
            raise DirectUnusable(str(requirement), str(error)) from None
        if filename.name != requirement.name:
            raise DirectUnusable(str(requirement), f"the wheel is one of {filename.name}")
        if filename.label is not None:
            raise DirectUnusable(str(requirement), "variant wheels are not supported yet")
        ranks = self._target.tag_ranks
        if not any(tag in ranks for tag in filename.tags):
            python = self._target.interpreter.version_text
            raise DirectUnusable(
                str(requirement), f"the wheel is not for Python {python} on this platform"
            )
        return filename

    def _local(self, requirement: Direct, filename: WheelFilename, promised: str | None) -> Got:
        try:
            path = Path(file_path(requirement.url))
            got = Got(path, hash_file(path), path.stat().st_size)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise IndexUnreachable(None, requirement.url, reason or str(error)) from None
        if promised not in {None, got.sha256}:
            raise HashMismatch(filename.text, requirement.url, promised or "", got.sha256)
        return got

    def _remote(self, requirement: Direct, filename: WheelFilename, promised: str | None) -> Got:
        address = requirement.url.partition("#")[0]
        entry = short_digest(without_secrets(address))
        wanted = Wanted(filename=filename.text, url=address, index=None, sha256=promised, size=None)
        if promised is None:
            before = replace(wanted, sha256=self._known(entry))
            if find_kept(self._reader.wheels, before) is not None:
                return self._reader.whole(before)
        got = self._reader.whole(wanted)
        if promised is None:
            now = self._rules.clock.now()
            record = PageRecord(PageHead(True, now, now + UNSAID, sha256=got.sha256))
            self._rules.later(lambda: self._cache.keep_page(entry, record, None))
        return got

    def _known(self, entry: str) -> str | None:
        """Return what was at a URL a short while ago, or ever if nobody can be asked."""
        record = self._cache.record(entry)
        if record is None:
            return None
        head = record.head
        fresh = head.fetched_at <= self._rules.clock.now() < head.fresh_until
        offline = self._reader.network.offline
        return head.sha256 if offline or (fresh and not self._rules.refresh) else None


def promised_sha256(requirement: Direct) -> str | None:
    """Return the sha256 in a URL's fragment, ``#sha256=<hex>``. Raises DirectUnusable."""
    fragment = parse_qs(urlsplit(requirement.url).fragment, keep_blank_values=True)
    others = set(fragment) - NOT_A_HASH - {"sha256"}
    if others:
        named = ", ".join(sorted(others))
        raise DirectUnusable(
            str(requirement), f"of a URL's hashes only sha256 is verified, not {named}"
        )
    if "sha256" not in fragment:
        return None
    sha256 = fragment["sha256"][0].lower()
    if len(sha256) != 64 or sha256.strip("0123456789abcdef"):
        raise DirectUnusable(str(requirement), "its #sha256= is not 64 hex digits")
    return sha256
