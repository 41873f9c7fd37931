from contextlib import suppress

import pytest

from envmgr.index.html_pages import parse_html_page
from envmgr.index.pages import UnreadablePage

URL = "https://index.example.org/simple/spam/"
SHA = "cd" * 32


def test_an_anchor_becomes_a_file() -> None:
    page = parse_html_page(
        f"""<!DOCTYPE html><html><body>
        <a href="../../files/spam-1.0-py3-none-any.whl#sha256={SHA}"
           data-requires-python="&gt;=3.8,&lt;4" data-core-metadata="sha256={SHA}">spam</a>
        </body></html>""".encode(),
        URL,
    )
    (file,) = page.files
    assert file.filename == "spam-1.0-py3-none-any.whl"
    assert (file.sha256, file.requires_python) == (SHA, ">=3.8,<4")
    assert file.metadata == (True, SHA)
    assert file.yank_reason is None
    assert page.url == URL


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [("", None), ("data-yanked", ""), ('data-yanked=""', ""), ('data-yanked="a &amp; b"', "a & b")],
)
def test_the_presence_of_data_yanked_yanks(attribute: str, reason: str | None) -> None:
    (file,) = parse_html_page(f'<a href="x.whl" {attribute}>x</a>'.encode(), URL).files
    assert file.yank_reason == reason


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ('data-core-metadata="true"', (True, None)),
        ('data-core-metadata="false" data-dist-info-metadata="true"', (False, None)),
        (f'data-dist-info-metadata="sha256={SHA}"', (True, SHA)),
        ('data-core-metadata="md5=00"', (True, None)),
    ],
)
def test_metadata_attributes_are_read(attributes: str, told: tuple[bool, str | None]) -> None:
    (file,) = parse_html_page(f'<a href="x.whl" {attributes}>x</a>'.encode(), URL).files
    assert file.metadata == told


def test_a_base_changes_where_files_are() -> None:
    page = parse_html_page(
        b'<base href="/pool/"><base href="/other/"><a href="spam-1.zip">x</a>', URL
    )
    assert page.url == "https://index.example.org/pool/"


def test_a_percent_encoded_name_is_decoded_and_a_query_is_not_part_of_it() -> None:
    (file,) = parse_html_page(b'<a href="spam-1%2Blocal-py3-none-any.whl?t=a/b">x</a>', URL).files
    assert file.filename == "spam-1+local-py3-none-any.whl"
    assert file.url == "spam-1%2Blocal-py3-none-any.whl?t=a/b"


def test_anchors_that_lead_to_no_file_are_passed_over() -> None:
    body = b'<a>1</a><a href="">2</a><a href="../">3</a><a name="x">4</a><a href="http://[x">5</a>'
    assert parse_html_page(body, URL).files == ()


def test_a_newer_major_version_of_the_api_is_refused() -> None:
    with pytest.raises(UnreadablePage, match="version 2"):
        parse_html_page(b'<meta name="pypi:repository-version" content="2.0">', URL)


def test_a_page_that_asks_for_a_password_is_no_project_without_files() -> None:
    with pytest.raises(UnreadablePage, match="login"):
        parse_html_page(b'<a href="/register">Join</a><input type="password" name="p">', URL)


def test_a_declaration_that_is_none_is_no_bug_of_ours() -> None:
    with suppress(UnreadablePage):  # releases of Python differ in what they forgive
        assert parse_html_page(b"<![\x00", URL).files == ()


def test_a_form_without_a_password_does_no_harm() -> None:
    body = b'<form><input type="submit" name="refresh"><input></form><a href="a-1.zip">x</a>'
    assert [file.filename for file in parse_html_page(body, URL).files] == ["a-1.zip"]


def test_a_quarantined_project_has_no_files() -> None:
    page = parse_html_page(
        b'<meta name="pypi:project-status" content="quarantined">'
        b'<meta name="pypi:project-status-reason" content="malware"><a href="x.whl">x</a>',
        URL,
    )
    assert (page.files, page.status, page.status_reason) == ((), "quarantined", "malware")


@pytest.mark.parametrize("charset", ["no-such-charset", "utf-8"])
def test_bytes_that_are_no_text_spoil_only_themselves(charset: str) -> None:
    page = parse_html_page(b'<a href="a-1.zip">\xff\xfe</a><a href="b-1.zip">', URL, charset)
    assert [file.filename for file in page.files] == ["a-1.zip", "b-1.zip"]
