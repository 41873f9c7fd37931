"""A project's page on an index (PEP 503, 691, 700, 714, 792), as a value."""

import msgspec

API_MAJOR = "1"
JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPES = frozenset(("application/vnd.pypi.simple.v1+html", "text/html"))
ACCEPT = f"{JSON_TYPE}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
"""PEP 691, content negotiation."""


class Hashes(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Those of a page's hashes that are looked at, in hex."""

    sha256: str | None = None


class PageFile(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    gc=False,  # no cycles can come of it, and a page makes thousands
    rename={
        "requires_python": "requires-python",
        "upload_time": "upload-time",
        "core_metadata": "core-metadata",
        "dist_info_metadata": "dist-info-metadata",
    },
):
    """One file as the page has it: nothing is checked but the types.

    A page has thousands of files of which few are chosen, so that names, URLs
    and times are looked at when a file is.
    """

    filename: str
    url: str
    """Perhaps relative to the page's own."""
    hashes: Hashes | None = None
    requires_python: str | None = None
    size: int | None = None
    upload_time: str | None = None
    yanked: bool | str | None = False
    core_metadata: bool | Hashes | None = None
    dist_info_metadata: bool | Hashes | None = None

    @property
    def sha256(self) -> str | None:
        """The file's sha256 in lower-case hex, if the page has one that can be."""
        return _sha256(self.hashes)

    @property
    def yank_reason(self) -> str | None:
        """``None`` for a file that is not yanked, otherwise the reason, perhaps empty (PEP 592)."""
        yanked = self.yanked
        if yanked is False:
            return None
        return yanked if isinstance(yanked, str) else "" if yanked else None

    @property
    def metadata(self) -> tuple[bool, str | None]:
        """Whether ``{url}.metadata`` exists, and its sha256.

        The old key counts only where the new one is absent (PEP 714).
        """
        told = self.core_metadata
        if told is None:
            told = self.dist_info_metadata
        if isinstance(told, Hashes):
            return True, _sha256(told)
        return told is True, None


class Page(msgspec.Struct, frozen=True, omit_defaults=True):
    """The files of one project on one index."""

    url: str
    """Where the page was found, after redirects: what relative URLs are relative to."""
    files: tuple[PageFile, ...]
    status: str = "active"
    """PEP 792: ``active``, ``archived``, ``deprecated``, ``quarantined``, or one unknown."""
    status_reason: str = ""


class UnreadablePage(ValueError):
    """A body that is no page; ``reason`` is a clause."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Meta(msgspec.Struct, rename={"api_version": "api-version"}):
    api_version: str | None = None


class _Status(msgspec.Struct):
    status: str | None = None
    state: str | None = None
    """PEP 792's text says ``state``, its examples and PyPI ``status``."""
    reason: str | None = None


class _JsonPage(msgspec.Struct, rename={"project_status": "project-status"}):
    files: tuple[PageFile, ...]
    meta: _Meta | None = None
    project_status: _Status | None = None


_DECODER = msgspec.json.Decoder(_JsonPage)


def parse_page(content_type: str, body: bytes, url: str) -> Page:
    """Read a response by its ``Content-Type`` (PEP 691). Raises UnreadablePage."""
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower()
    if kind in {JSON_TYPE, "application/json"}:
        return parse_json_page(body, url)
    if kind in HTML_TYPES:
        from envmgr.index.html_pages import parse_html_page

        return parse_html_page(body, url, _charset(parameters))
    raise UnreadablePage(f"its content type is {kind or 'not given'!r}")


def parse_json_page(body: bytes, url: str) -> Page:
    """Read a JSON page (PEP 691); unknown keys are ignored. Raises UnreadablePage."""
    try:
        page = _DECODER.decode(body)
    except msgspec.MsgspecError as error:
        raise UnreadablePage(f"its JSON is wrong: {error}") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise UnreadablePage(f"its JSON cannot be decoded: {error}") from None
    if page.meta is not None:
        check_api_version(page.meta.api_version)
    told = page.project_status or _Status()
    return make_page(url, page.files, told.status or told.state, told.reason)


def make_page(
    url: str, files: tuple[PageFile, ...], status: str | None = None, reason: str | None = None
) -> Page:
    """Make a page; a quarantined project has no files (PEP 792)."""
    status = (status or "active").strip().lower()
    return Page(url, () if status == "quarantined" else files, status, (reason or "").strip())


def check_api_version(version: str | None) -> None:
    """Refuse a newer major version of the API (PEP 629). Raises UnreadablePage."""
    if version is not None and version.strip().partition(".")[0] != API_MAJOR:
        raise UnreadablePage(
            f"it speaks version {version} of the API, this program knows version 1"
        )


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"') or "utf-8"
    return "utf-8"


def _sha256(hashes: Hashes | None) -> str | None:
    text = None if hashes is None else hashes.sha256
    if text is None or len(text) != 64:
        return None
    text = text.lower()
    return text if not text.strip("0123456789abcdef") else None
