"""A project's page as HTML (PEP 503, 592, 629, 658, 714, 740, 792, 833)."""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from envmgr.index.addresses import last_part
from envmgr.index.pages import (
    Hashes,
    Page,
    PageFile,
    UnreadablePage,
    check_api_version,
    make_page,
)


def parse_html_page(body: bytes, url: str, charset: str = "utf-8") -> Page:
    """Read an HTML page: every anchor with an ``href`` that ends in a file name.

    Raises UnreadablePage for a newer major version of the API, for what is no
    HTML, and for a page that asks for a password, as servers give to whom they
    do not know.
    """
    try:
        text = body.decode(charset, "replace")
    except LookupError:
        text = body.decode("utf-8", "replace")
    reader = _Reader()
    try:
        reader.feed(text)
        reader.close()
    except AssertionError as error:  # html.parser's word for a declaration that is none
        raise UnreadablePage(f"its HTML is wrong: {error}") from None
    check_api_version(reader.meta.get("pypi:repository-version"))
    if reader.asks_for_password:
        raise UnreadablePage("it asks for a login")
    base = url if reader.base is None else urljoin(url, reader.base)
    files = []
    for attributes in reader.anchors:
        try:
            found = _file(attributes)
        except ValueError:  # not even a URL
            continue
        if found is not None:
            files.append(found)
    return make_page(
        base,
        tuple(files),
        reader.meta.get("pypi:project-status"),
        reader.meta.get("pypi:project-status-reason"),
    )


class _Reader(HTMLParser):
    """Collects ``base``, ``meta`` and anchors; html.parser unescapes attributes.

    Notices a field for a password.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.base: str | None = None
        self.meta: dict[str, str] = {}
        self.anchors: list[dict[str, str | None]] = []
        self.asks_for_password = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"a", "base", "meta", "input"}:
            return
        attributes = dict(reversed(attrs))  # the first of two equal attributes counts
        if tag == "input":
            kind = (attributes.get("type") or "").strip().lower()
            self.asks_for_password = self.asks_for_password or kind == "password"
        elif tag == "a" and attributes.get("href"):
            self.anchors.append(attributes)
        elif tag == "base" and self.base is None and attributes.get("href"):
            self.base = attributes["href"]
        elif tag == "meta" and attributes.get("name"):
            name, content = attributes["name"], attributes.get("content")
            self.meta.setdefault((name or "").strip().lower(), (content or "").strip())


def _file(attributes: dict[str, str | None]) -> PageFile | None:
    href = (attributes["href"] or "").strip()
    filename = last_part(href)
    if not filename:
        return None
    kind, _, digest = urlsplit(href).fragment.partition("=")
    yanked = attributes["data-yanked"] or "" if "data-yanked" in attributes else False
    return PageFile(
        filename=filename,
        url=href,
        hashes=Hashes(sha256=digest) if kind.lower() == "sha256" else None,
        requires_python=attributes.get("data-requires-python") or None,
        yanked=yanked,
        core_metadata=_told(attributes, "data-core-metadata"),
        dist_info_metadata=_told(attributes, "data-dist-info-metadata"),
    )


def _told(attributes: dict[str, str | None], name: str) -> bool | Hashes | None:
    """Read ``true`` or ``sha256=<hex>`` (PEP 658); another hash still means "there is one"."""
    value = attributes.get(name)
    if value is None:
        return None
    kind, _, digest = value.strip().partition("=")
    return Hashes(sha256=digest) if kind.lower() == "sha256" else value.strip().lower() != "false"
