"""What can go wrong between here and an index; each with its fields and one sentence.

IndexFailure
├── IndexUnreachable    no answer: network, timeout, offline, missing directory
├── IndexRefused        an answer that is no page: 401, 403, 429, 5xx, ...
└── IndexUnreadable     a page that does not follow PEP 503 or 691
IntegrityError
└── HashMismatch        a file is not what the index or the lock says
DefinitionError
└── DirectUnusable      a direct requirement that points at no usable wheel
PrefixError
└── CacheUnwritable     no room or no right to write what was fetched
"""

from pathlib import Path

from envmgr.errors import DefinitionError, IndexFailure, IntegrityError, PrefixError
from envmgr.index.addresses import without_secrets
from envmgr.names import IndexName


class IndexUnreachable(IndexFailure):
    """Nobody answered; ``reason`` is a clause, ``index`` is ``None`` for a direct URL."""

    def __init__(
        self, index: IndexName | None, url: str, reason: str, *, offline: bool = False
    ) -> None:
        super().__init__(index, url, reason)
        self.index = index
        self.url = without_secrets(url)
        self.reason = reason
        self.offline = offline

    def __str__(self) -> str:
        who = "" if self.index is None else f"index {self.index!r}: "
        return f"{who}cannot get {self.url}: {self.reason}"

    @property
    def hint(self) -> str | None:
        """Leave offline mode, where that was the reason."""
        return "run it once without --offline and ENVMGR_OFFLINE" if self.offline else None


class IndexRefused(IndexFailure):
    """Somebody answered, and it is neither a page nor "there is none"."""

    def __init__(self, index: IndexName | None, url: str, status: int) -> None:
        super().__init__(index, url, status)
        self.index = index
        self.url = without_secrets(url)
        self.status = status

    def __str__(self) -> str:
        who = "" if self.index is None else f"index {self.index!r}: "
        meaning = {
            401: "it wants credentials",
            403: "access is forbidden",
            404: "there is no such file",
            407: "the proxy wants credentials",
            410: "the file was removed",
            429: "too many requests",
        }.get(self.status, "the server failed" if self.status >= 500 else "unexpected")
        return f"{who}{self.url} answered {self.status} ({meaning})"

    @property
    def hint(self) -> str | None:
        """Where credentials are looked for, where they are what is missing."""
        if self.status in {401, 403}:
            return "put the host's login into ~/.netrc, or into the index URL by ${ENVMGR_*}"
        return None


class IndexUnreadable(IndexFailure):
    """The page is not what PEP 503 or PEP 691 describe; ``reason`` is a clause."""

    def __init__(self, index: IndexName | None, url: str, reason: str) -> None:
        super().__init__(index, url, reason)
        self.index = index
        self.url = without_secrets(url)
        self.reason = reason

    def __str__(self) -> str:
        who = "" if self.index is None else f"index {self.index!r}: "
        return f"{who}{self.url} is not a page of a simple index: {self.reason}"


class HashMismatch(IntegrityError):
    """A file's sha256 is not the one that was promised. The file was removed."""

    def __init__(self, filename: str, url: str, expected: str, found: str) -> None:
        super().__init__(filename, url, expected, found)
        self.filename = filename
        self.url = without_secrets(url)
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        return f"{self.filename} from {self.url} is not the promised file: its sha256 differs"

    @property
    def hint(self) -> str | None:
        """What a person can do about it."""
        return "ask the index's keeper why the file changed, or relock to accept its present hash"

    def details(self) -> tuple[str, ...]:
        """Both hashes."""
        return (f"promised {self.expected}", f"received {self.found}")


class DirectUnusable(DefinitionError):
    """A direct requirement that cannot be taken; ``reason`` is a clause."""

    def __init__(self, requirement: str, reason: str) -> None:
        super().__init__(requirement, reason)
        self.requirement = requirement
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.requirement}: {self.reason}"


class CacheUnwritable(PrefixError):
    """What was fetched cannot be put on disk."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot write {self.path}: {self.reason}"

    @property
    def hint(self) -> str | None:
        """Another place is always possible."""
        return "make room there, or let ENVMGR_CACHE name another directory"
