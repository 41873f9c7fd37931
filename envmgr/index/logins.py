"""Which login goes to which URL: from the URL, from the indexes' URLs, or from netrc."""

from typing import TYPE_CHECKING

from envmgr.events import Reporter, Warned, silent
from envmgr.index.access import Access, Login
from envmgr.index.addresses import credentials_in, origin
from envmgr.index.workers import Once

if TYPE_CHECKING:
    from netrc import netrc


class Logins:
    """The logins of a run. Thread-safe; netrc is read when it is first needed."""

    def __init__(self, access: Access, report: Reporter = silent) -> None:
        """``report`` is told, once, of a netrc that cannot be read."""
        self._access = access
        self._report = report
        self._netrc = Once(self._read_netrc)

    def of(self, url: str) -> Login | None:
        """Return the login of a URL's place. Raises ValueError for what is no URL."""
        here = origin(url)
        login = credentials_in(url) or self._access.logins.get(here)
        if login is not None:
            return login
        netrc = self._netrc.get()
        found = None if netrc is None else netrc.authenticators(here[1])
        return None if found is None else (found[0] or "", found[2] or "")

    def _read_netrc(self) -> "netrc | None":
        path = self._access.netrc
        if path is None:
            return None
        from netrc import NetrcParseError, netrc

        try:
            return netrc(str(path))
        except FileNotFoundError:
            if self._access.netrc_required:
                self._report(Warned(f"there is no {path}, which NETRC names"))
        except (OSError, NetrcParseError, UnicodeDecodeError) as error:
            self._report(Warned(f"{path} cannot be read, so no login is taken from it: {error}"))
        return None
