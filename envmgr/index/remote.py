"""An index over HTTP, with its cache before it."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeAlias

import msgspec
from msgspec import Struct

from envmgr.index.addresses import without_password, without_secrets
from envmgr.index.cache import Body, IndexCache, PageHead, PageRecord
from envmgr.index.choosing import Choice, Chooser
from envmgr.index.clock import Clock
from envmgr.index.failures import IndexRefused, IndexUnreadable
from envmgr.index.network import Network
from envmgr.index.offers import UnreadableBytes, decode_choice, encode_choice
from envmgr.index.pages import ACCEPT, Page, UnreadablePage, parse_page
from envmgr.names import IndexName, PackageName
from envmgr.spec.types import IndexSpec

ABSENT = frozenset((404, 410))
"""Statuses that mean "this index does not have the name", and no other does."""


class Rules(Struct, frozen=True, kw_only=True):
    """How answers are taken from the cache, the same for all indexes of a run."""

    refresh: bool
    """Ask again whatever is fresh; what did not change is not sent again."""
    clock: Clock
    target_key: str
    """Stands for everything a choice depends on but the page."""
    later: Callable[[Callable[[], object]], None]
    """Takes writing to the cache, so that nobody waits for it."""


class _Chosen(Struct, frozen=True):
    """What there is of a project, and the same as offers.encode_choice packs it."""

    choice: Choice
    packed: bytes


Elsewhere: TypeAlias = Callable[[IndexName, PackageName], bytes | None]
"""Answers as RemoteIndex.packed does, in another process. Raises NobodyElse besides."""


class NobodyElse(Exception):
    """The other process is gone, so that whoever asked it has to ask the index."""


class RemoteIndex:
    """Answers for one index. Thread-safe."""

    def __init__(
        self,
        spec: IndexSpec,
        cache: IndexCache,
        network: Network,
        chooser: Chooser,
        rules: Rules,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        """``elsewhere`` is asked in place of the network for pages, and keeps them."""
        self.spec = spec
        self.cache = cache
        self._network = network
        self._chooser = chooser
        self._rules = rules
        self._elsewhere = elsewhere
        self._records: dict[PackageName, PageRecord | None] = {}

    def known(self, name: PackageName) -> bool | None:
        """Whether the index has a name, as far as its cache tells; ``None``: it must be asked."""
        record = self._record(name)
        return record.head.present if record and self._is_usable(record.head) else None

    def choose(self, name: PackageName) -> Choice | None:
        """Return what there is of a project; ``None`` if the index lacks the name.

        Raises IndexUnreachable, IndexRefused, IndexUnreadable.
        """
        record = self._record(name)
        if record is None or not self._is_usable(record.head):
            return self._asked(name, record)
        if not record.head.present:
            return None
        choice = self._chosen_before(name, record)
        if choice is not None:
            return choice
        head = record.head
        page = self._page_before(name, head)
        if page is None:  # the record outlived its page
            return self._asked(name, None)
        chosen = self._choose_from(page, name)
        record = record.choosing(self._rules.target_key, chosen.packed)
        self._rules.later(partial(self.cache.keep_record, name, record, head))
        return chosen.choice

    def packed(self, name: PackageName) -> bytes | None:
        """Ask for a project, and return what there is of it as offers.encode_choice packs it.

        Raises as ``choose``.
        """
        chosen = self._ask(name, self._record(name))
        return None if chosen is None else chosen.packed

    def _asked(self, name: PackageName, known: PageRecord | None) -> Choice | None:
        if self._elsewhere is not None:
            with suppress(NobodyElse):
                data = self._elsewhere(self.spec.name, name)
                return None if data is None else decode_choice(data, name, self.spec.name)
        chosen = self._ask(name, known)
        return None if chosen is None else chosen.choice

    def _record(self, name: PackageName) -> PageRecord | None:
        """Read what the cache knows, once."""
        if name not in self._records:
            self._records[name] = self.cache.record(name)
        return self._records[name]

    def _is_usable(self, head: PageHead) -> bool:
        if self._network.offline:
            return True
        return (
            not self._rules.refresh
            and head.fetched_at <= self._rules.clock.now() < head.fresh_until
        )

    def _chosen_before(self, name: PackageName, record: PageRecord) -> Choice | None:
        data = record.choices.get(self._rules.target_key)
        if data is None:
            return None
        try:
            return decode_choice(data, name, self.spec.name)
        except UnreadableBytes:
            return None

    def _page_before(self, name: PackageName, head: PageHead) -> Page | None:
        body = self.cache.body(name, head)
        if body is None:
            return None
        try:
            return parse_page(body.content_type, body.data, body.url)
        except UnreadablePage:
            return None

    def _choose_from(self, page: Page, name: PackageName) -> _Chosen:
        choice = self._chooser.choose(page, name, self.spec.name)
        return _Chosen(choice, encode_choice(choice))

    def _ask(self, name: PackageName, known: PageRecord | None) -> _Chosen | None:
        """Fetch the page, or learn that the one in the cache is still right."""
        from envmgr.index.freshness import UNSAID, fresh_until, keeps

        url = f"{self.spec.url.rstrip('/')}/{name}/"
        headers = {"Accept": ACCEPT, **_conditions(known)}
        client = self._network.client(self.spec.name, self._shown(name))
        answer = client.get(url, headers, self.spec.name, wanted=frozenset((200,)))
        now = self._rules.clock.now()
        if answer.status in ABSENT:
            nothing = PageRecord(PageHead(False, now, now + UNSAID))
            self._rules.later(partial(self.cache.keep_page, name, nothing, None))
            return None
        if answer.status == 304 and known is not None:
            return self._still_right(name, known, fresh_until(answer.headers, now))
        if answer.status != 200:
            raise IndexRefused(self.spec.name, url, answer.status)
        content_type = answer.headers.get("content-type", "")
        body = Body(without_secrets(answer.url), content_type, answer.body)
        try:
            page = parse_page(content_type, body.data, body.url)
        except UnreadablePage as error:
            raise IndexUnreadable(self.spec.name, url, error.reason) from None
        head = PageHead(
            True,
            now,
            fresh_until(answer.headers, now),
            answer.headers.get("etag"),
            answer.headers.get("last-modified"),
        )
        chosen = self._choose_from(page, name)
        if keeps(answer.headers):
            record = PageRecord(head, {self._rules.target_key: chosen.packed})
            self._rules.later(partial(self.cache.keep_page, name, record, body))
        return chosen

    def _still_right(
        self, name: PackageName, known: PageRecord, fresh_until: float
    ) -> _Chosen | None:
        now = self._rules.clock.now()
        head = msgspec.structs.replace(known.head, fetched_at=now, fresh_until=fresh_until)
        record = msgspec.structs.replace(known, head=head)
        choice = self._chosen_before(name, record)
        if choice is None:
            page = self._page_before(name, known.head)
            if page is None:
                return self._ask(name, None)
            chosen = self._choose_from(page, name)
            record = record.choosing(self._rules.target_key, chosen.packed)
        else:
            chosen = _Chosen(choice, record.choices[self._rules.target_key])
        self._rules.later(partial(self.cache.keep_record, name, record, known.head))
        return chosen

    def _shown(self, name: PackageName) -> str:
        return f"{self.spec.shown_url.rstrip('/')}/{name}/"


def cache_address(spec: IndexSpec) -> str:
    """Return what an index's cache is keyed by: its URL, without the password."""
    return without_password(spec.url)


def _conditions(known: PageRecord | None) -> dict[str, str]:
    if known is None or not known.head.present:
        return {}
    conditions = {}
    if known.head.etag is not None:
        conditions["If-None-Match"] = known.head.etag
    if known.head.last_modified is not None:
        conditions["If-Modified-Since"] = known.head.last_modified
    return conditions
