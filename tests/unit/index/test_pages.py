import json
from collections.abc import Mapping

import pytest

from envmgr.index.pages import (
    JSON_TYPE,
    Page,
    PageFile,
    UnreadablePage,
    parse_json_page,
    parse_page,
)

URL = "https://index.example.org/simple/spam/"
SHA = "ab" * 32


def page_of(*files: Mapping[str, object], **extra: object) -> Page:
    body = {"meta": {"api-version": "1.0"}, "name": "spam", "files": list(files), **extra}
    return parse_json_page(json.dumps(body).encode(), URL)


def file_of(**facts: object) -> PageFile:
    named = {"filename": "spam-1-py3-none-any.whl", "url": "spam-1-py3-none-any.whl", "hashes": {}}
    (file,) = page_of(named | {key.replace("_", "-"): value for key, value in facts.items()}).files
    return file


def test_a_json_page_gives_what_is_needed_of_each_file() -> None:
    file = file_of(
        hashes={"sha256": SHA.upper(), "md5": "x"},
        requires_python=">=3.8",
        size=7,
        upload_time="2026-01-02T03:04:05.678901Z",
    )
    assert (file.sha256, file.requires_python, file.size) == (SHA, ">=3.8", 7)
    assert file.upload_time == "2026-01-02T03:04:05.678901Z"
    assert (file.yank_reason, file.metadata) == (None, (False, None))


def test_unknown_and_private_keys_are_ignored() -> None:
    page = page_of(
        {"filename": "a", "url": "a", "hashes": {}, "_x": 1, "gpg-sig": True, "provenance": None},
        _private={"deep": [1]},
        versions=["1"],
    )
    assert len(page.files) == 1


@pytest.mark.parametrize(
    ("yanked", "reason"), [(False, None), (None, None), (True, ""), ("bad", "bad"), ("", "")]
)
def test_yanked_is_a_truth_or_a_reason(yanked: object, reason: str | None) -> None:
    assert file_of(yanked=yanked).yank_reason == reason


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"core_metadata": True}, (True, None)),
        ({"core_metadata": {"sha256": SHA}}, (True, SHA)),
        ({"core_metadata": {"md5": "x"}}, (True, None)),
        ({"dist_info_metadata": {"sha256": SHA}}, (True, SHA)),
        ({"core_metadata": False, "dist_info_metadata": {"sha256": SHA}}, (False, None)),
        ({"core_metadata": None, "dist_info_metadata": True}, (True, None)),
        ({"core_metadata": {"sha256": SHA}, "dist_info_metadata": False}, (True, SHA)),
    ],
)
def test_the_new_metadata_key_counts_before_the_old(
    facts: dict[str, object], told: tuple[bool, str | None]
) -> None:
    assert file_of(**facts).metadata == told


@pytest.mark.parametrize("sha256", ["", "ab", "zz" * 32, "ab" * 31 + "a/", "a" * 65])
def test_a_sha256_that_cannot_be_one_is_none(sha256: str) -> None:
    assert file_of(hashes={"sha256": sha256}).sha256 is None


def test_a_newer_minor_version_of_the_api_is_read_and_a_newer_major_refused() -> None:
    assert page_of(meta={"api-version": "1.99"}).files == ()
    with pytest.raises(UnreadablePage, match=r"version 2\.0"):
        page_of(meta={"api-version": "2.0"})


@pytest.mark.parametrize("key", ["status", "state"])
def test_a_quarantined_project_has_no_files_and_says_why(key: str) -> None:
    file = {"filename": "a", "url": "a", "hashes": {}}
    page = page_of(file, **{"project-status": {key: "quarantined", "reason": "malware"}})
    assert page == Page(URL, (), "quarantined", "malware")


def test_an_archived_project_keeps_its_files() -> None:
    file = {"filename": "a", "url": "a", "hashes": {}}
    page = page_of(file, **{"project-status": {"status": "archived"}})
    assert (len(page.files), page.status) == (1, "archived")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"files": {}}',
        b'{"meta": {}}',
        b'{"files": [{"url": "x"}]}',
        b'{"files": [{"filename": 1, "url": "x"}]}',
        b"\xff\xfe{}",
    ],
)
def test_json_that_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadablePage):
        parse_json_page(body, URL)


@pytest.mark.parametrize(
    "content_type", [JSON_TYPE, f"{JSON_TYPE}; charset=utf-8", "Application/JSON"]
)
def test_the_content_type_decides_how_a_body_is_read(content_type: str) -> None:
    assert parse_page(content_type, b'{"files": []}', URL) == Page(URL, ())
    html = parse_page(
        "text/html; charset=latin-1", '<a href="é-1.zip">x</a>'.encode("latin-1"), URL
    )
    assert [file.filename for file in html.files] == ["é-1.zip"]


@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "text/plain"])
def test_another_content_type_is_no_page(content_type: str) -> None:
    with pytest.raises(UnreadablePage, match="content type"):
        parse_page(content_type, b'{"files": []}', URL)
