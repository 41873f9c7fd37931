import pytest

from envmgr.index.addresses import (
    absolute,
    credentials_in,
    file_path,
    is_file,
    last_part,
    origin,
    without_password,
    without_secrets,
)


def test_secrets_and_fragments_are_left_out() -> None:
    url = "https://user:p%40ss@example.org:8443/a@b/c?token=1#sha256=00"
    assert without_secrets(url) == "https://example.org:8443/a@b/c?token=1"
    assert without_password(url).startswith("https://user@example.org:8443/a@b/c")
    assert credentials_in(url) == ("user", "p@ss")


def test_a_url_without_a_user_has_no_credentials() -> None:
    assert credentials_in("https://example.org/a@b") is None
    assert credentials_in("https://token@example.org/") == ("token", "")
    assert without_password("https://example.org/x") == "https://example.org/x"


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://u:p@Example.org/x") == ("https", "example.org", 443)
    assert origin("http://example.org:8080/x") == ("http", "example.org", 8080)
    assert origin("https://example.org:443") == origin("https://example.org")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("../../f/x.whl#sha256=0", "https://example.org/f/x.whl"),
        ("/f/x.whl", "https://example.org/f/x.whl"),
        ("x.whl?a=b", "https://example.org/simple/p/x.whl?a=b"),
        ("https://u:p@other.example.org/x.whl#f", "https://other.example.org/x.whl"),
        ("//other.example.org/x.whl", "https://other.example.org/x.whl"),
    ],
)
def test_urls_are_relative_to_the_page(url: str, expected: str) -> None:
    assert absolute("https://user:secret@example.org/simple/p/", url) == expected


def test_file_urls_are_paths_of_this_machine() -> None:
    assert is_file("FILE:///x")
    assert not is_file("https://example.org/file:")
    assert file_path("file:///a%20b/c%23d.whl") == "/a b/c#d.whl"
    assert file_path("file://localhost/a") == "/a"
    assert last_part("file:///a/b%20c.whl?x=/y#z") == "b c.whl"
    with pytest.raises(ValueError, match="other"):
        file_path("file://other/a")
