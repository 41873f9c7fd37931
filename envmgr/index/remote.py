"""An index over HTTP, with its cache before it."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from envmgr.index.addresses import without_password, without_secrets
from envmgr.index.cache import IndexCache, PageHead
from envmgr.index.choosing import Choice, Chooser
from envmgr.index.clock import Clock
from envmgr.index.failures import IndexRefused, IndexUnreadable
from envmgr.index.network import Network
from envmgr.index.offers import UnreadableBytes, decode_choice, encode_choice
from envmgr.index.pages import ACCEPT, Page, UnreadablePage, parse_page
from envmgr.names import PackageName
from envmgr.spec.types import IndexSpec

ABSENT = frozenset((404, 410))
"""Statuses that mean "this index does not have the name", and no other does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How answers are taken from the cache, the same for all indexes of a run."""

    refresh: bool
    """Ask again whatever is fresh; what did not change is not sent again."""
    clock: Clock
    target_key: str
    """Stands for everything a choice depends on but the page."""
    later: Callable[[Callable[[], object]], None]
    """Takes writing to the cache, so that nobody waits for it."""


class RemoteIndex:
    """Answers for one index. Thread-safe."""

    def __init__(
        self, spec: IndexSpec, cache: IndexCache, network: Network, chooser: Chooser, rules: Rules
    ) -> None:
        self.spec = spec
        self.cache = cache
        self._network = network
        self._chooser = chooser
        self._rules = rules

    def known(self, name: PackageName) -> bool | None:
        """Whether the index has a name, as far as its cache tells; ``None``: it must be asked."""
        head = self.cache.head(name)
        return head.present if head is not None and self._is_usable(head) else None

    def choose(self, name: PackageName) -> Choice | None:
        """Return what there is of a project; ``None`` if the index lacks the name.

        Raises IndexUnreachable, IndexRefused, IndexUnreadable.
        """
        head = self.cache.head(name)
        if head is None or not self._is_usable(head):
            return self._ask(name, head)
        if not head.present:
            return None
        choice = self._chosen_before(name, head)
        if choice is not None:
            return choice
        page = self.cache.page(name, head)
        if page is None:  # the head outlived its page
            return self._ask(name, None)
        return self._choose_from(page, name, head, keep=True)

    def _is_usable(self, head: PageHead) -> bool:
        if self._network.offline:
            return True
        return (
            not self._rules.refresh
            and head.fetched_at <= self._rules.clock.now() < head.fresh_until
        )

    def _chosen_before(self, name: PackageName, head: PageHead) -> Choice | None:
        data = self.cache.offer(self._rules.target_key, name)
        if data is None:
            return None
        try:
            return decode_choice(data, head.digest, name, self.spec.name)
        except UnreadableBytes:
            return None

    def _choose_from(self, page: Page, name: PackageName, head: PageHead, *, keep: bool) -> Choice:
        choice = self._chooser.choose(page, name, self.spec.name)
        if keep:
            key, data = self._rules.target_key, encode_choice(choice, head.digest)
            self._rules.later(lambda: self.cache.keep_offer(key, name, data))
        return choice

    def _ask(self, name: PackageName, known: PageHead | None) -> Choice | None:
        """Fetch the page, or learn that the one in the cache is still right."""
        from envmgr.index.freshness import UNSAID, fresh_until, keeps

        url = f"{self.spec.url.rstrip('/')}/{name}/"
        headers = {"Accept": ACCEPT, **_conditions(known)}
        client = self._network.client(self.spec.name, self._shown(name))
        answer = client.get(url, headers, self.spec.name, wanted=frozenset((200,)))
        now = self._rules.clock.now()
        if answer.status in ABSENT:
            head = PageHead("", now, now + UNSAID)
            self._rules.later(lambda: self.cache.keep_page(name, head, None))
            return None
        if answer.status == 304 and known is not None:
            return self._still_right(name, known, fresh_until(answer.headers, now))
        if answer.status != 200:
            raise IndexRefused(self.spec.name, url, answer.status)
        found_at = without_secrets(answer.url)
        try:
            page = parse_page(answer.headers.get("content-type", ""), answer.body, found_at)
        except UnreadablePage as error:
            raise IndexUnreadable(self.spec.name, url, error.reason) from None
        head = PageHead(
            sha256(found_at.encode() + b"\0" + answer.body).hexdigest()[:24],
            now,
            fresh_until(answer.headers, now),
            answer.headers.get("etag"),
            answer.headers.get("last-modified"),
        )
        keep = keeps(answer.headers)
        if keep:
            self._rules.later(lambda: self.cache.keep_page(name, head, page))
        return self._choose_from(page, name, head, keep=keep)

    def _still_right(self, name: PackageName, known: PageHead, fresh_until: float) -> Choice | None:
        now = self._rules.clock.now()
        head = msgspec.structs.replace(known, fetched_at=now, fresh_until=fresh_until)
        choice = self._chosen_before(name, head)
        if choice is None:
            page = self.cache.page(name, head)
            if page is None:
                return self._ask(name, None)
            choice = self._choose_from(page, name, head, keep=True)
        self._rules.later(lambda: self.cache.keep_page(name, head, None))
        return choice

    def _shown(self, name: PackageName) -> str:
        return f"{self.spec.shown_url.rstrip('/')}/{name}/"


def cache_address(spec: IndexSpec) -> str:
    """Return what an index's cache is keyed by: its URL, without the password."""
    return without_password(spec.url)


def _conditions(known: PageHead | None) -> dict[str, str]:
    if known is None or not known.present:
        return {}
    conditions = {}
    if known.etag is not None:
        conditions["If-None-Match"] = known.etag
    if known.last_modified is not None:
        conditions["If-Modified-Since"] = known.last_modified
    return conditions
