"""The one client of a run, made when it is first needed; none at all when offline."""

from typing import TYPE_CHECKING

from envmgr.errors import IndexFailure
from envmgr.events import Reporter
from envmgr.index.access import Access
from envmgr.index.clock import Clock
from envmgr.index.failures import IndexUnreachable
from envmgr.index.logins import Logins
from envmgr.index.workers import Once
from envmgr.names import IndexName

if TYPE_CHECKING:
    from envmgr.index.client import Client


class Network:
    """Gives the client; urllib3 is imported for the first request and not before."""

    def __init__(self, access: Access, *, offline: bool, clock: Clock, report: Reporter) -> None:
        self._access = access
        self._clock = clock
        self.logins = Logins(access, report)
        self.offline = offline
        self._once = Once(self._make)

    def client(self, index: IndexName | None, url: str) -> "Client":
        """Return the client. Raises IndexUnreachable, naming what was wanted, when offline."""
        if self.offline:
            reason = "it is not in the cache, and envmgr is offline"
            raise IndexUnreachable(index, url, reason, offline=True)
        return self._once.get()

    def close(self) -> None:
        """Hang up, if anybody called."""
        if self._once.begun:
            try:
                self._once.get().close()
            except IndexFailure:
                return  # it could not be made; whoever wanted it was told

    def _make(self) -> "Client":
        from envmgr.index.client import Client

        return Client(self._access, self.logins, clock=self._clock)
