from pathlib import Path

import pytest

from envmgr.spec.addresses import AddressInvalid, parse_address, without_credentials

HERE = Path("/srv/project")


@pytest.mark.parametrize(
    ("text", "url", "shown"),
    [
        ("https://a.example.org/simple", "https://a.example.org/simple/", None),
        ("https://a.example.org/simple//", "https://a.example.org/simple/", None),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/", None),
        ("HTTPS://A.example.org/simple/", "HTTPS://A.example.org/simple/", None),
        ("file:///srv/wheels/", "file:///srv/wheels", "file:///srv/wheels"),
        ("file://localhost/srv/wheels", "file:///srv/wheels", "file://localhost/srv/wheels"),
        ("wheels", "file:///srv/project/wheels", "wheels"),
        ("../w h/é", "file:///srv/project/../w%20h/%C3%A9", "../w h/é"),
        ("https://me@a.example.org/", "https://me@a.example.org/", "https://a.example.org/"),
    ],
)
def test_an_address_becomes_a_url_and_a_text_to_show(
    text: str, url: str, shown: str | None
) -> None:
    assert parse_address(text, HERE, {}) == (url, shown or url)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("${A}", "https://u:p@a.example.org/simple/"),
        ("${A}/", "https://u:p@a.example.org/simple/"),
        ("https://${B}@a.example.org/", "https://b%40%2F%3A@a.example.org/"),
        ("https://u:${B}@a.example.org/", "https://u:b%40%2F%3A@a.example.org/"),
        ("https://${C}:${C}@${C}.example.org/${C}/", "https://c:c@c.example.org/c/"),
        ("${C}/wheels", "file:///srv/project/c/wheels"),
    ],
)
def test_variables_are_expanded_and_encoded_where_they_are_credentials(text: str, url: str) -> None:
    expand = {"A": "https://u:p@a.example.org/simple", "B": "b@/:", "C": "c"}
    got, shown = parse_address(text, HERE, expand)
    assert got == url
    assert "${" in shown


@pytest.mark.parametrize(
    ("text", "offset"),
    [("https://${NO}/", 8), ("https://u:${NO}@a/", 10), ("https://${ENVMGR_NO}/", 8)],
)
def test_an_unknown_variable_is_pointed_at(text: str, offset: int) -> None:
    with pytest.raises(AddressInvalid) as caught:
        parse_address(text, HERE, {})
    place = caught.value.offset
    assert place is not None
    assert text[place:].startswith("${")
    assert place == offset


def test_a_url_is_shown_without_what_is_secret_in_it() -> None:
    text = "get https://u:p@a.example.org/x@y and file:///b@c"
    assert without_credentials(text) == "get https://a.example.org/x@y and file:///b@c"
