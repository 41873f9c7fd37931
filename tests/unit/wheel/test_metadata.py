import pytest
from packaging.version import Version

from envmgr.wheel.metadata import InvalidMetadata, parse_metadata

HEAD = "Metadata-Version: 2.1\nName: Foo_Bar\nVersion: 1.0\n"


def test_what_a_resolution_needs_is_read() -> None:
    text = (
        HEAD
        + "Requires-Python: >=3.9\n"
        + "Requires-Dist: b (>=1)\nRequires-Dist: a; extra == 'X_y'\n"
        + "Provides-Extra: X_y\n\nRequires-Dist: in-the-description\n"
    )
    metadata = parse_metadata(text.encode())
    assert metadata.name == "foo-bar"
    assert metadata.version == Version("1.0")
    assert metadata.requires_python == ">=3.9"
    assert metadata.requires_dist == ("b (>=1)", "a; extra == 'X_y'")
    assert metadata.provides_extra == {"x-y"}


def test_absent_fields_are_empty() -> None:
    metadata = parse_metadata(HEAD)
    assert (metadata.requires_python, metadata.requires_dist) == (None, ())
    assert metadata.provides_extra == frozenset()


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_line_ending_will_do(line_end: str) -> None:
    text = (HEAD + "Requires-Dist: a\n\nRequires-Dist: b\n").replace("\n", line_end)
    assert parse_metadata(text.encode()).requires_dist == ("a",)


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse_metadata(b"\xef\xbb\xbf" + HEAD.encode()).name == "foo-bar"
    assert parse_metadata("\ufeff" + HEAD).name == "foo-bar"


def test_latin_1_in_a_field_nobody_needs_is_no_obstacle() -> None:
    metadata = parse_metadata(HEAD.encode() + b"Author: Ren\xe9\nRequires-Dist: a\n")
    assert metadata.requires_dist == ("a",)


def test_unicode_line_separators_are_not_line_ends() -> None:
    metadata = parse_metadata(HEAD + "Summary: a\u2028Requires-Dist: b\x0bc\x85d\n")
    assert metadata.requires_dist == ()


def test_folded_lines_belong_to_their_header() -> None:
    metadata = parse_metadata(HEAD + "Requires-Dist: a\n  >=1\n\t,<2\nRequires-Dist: b\n")
    assert metadata.requires_dist == ("a >=1 ,<2", "b")


def test_header_names_are_case_insensitive_and_the_first_value_counts() -> None:
    metadata = parse_metadata("NAME: a\nversion: 1\nVersion: 2\nrequires-DIST: b\n")
    assert (metadata.name, metadata.version) == ("a", Version("1"))
    assert metadata.requires_dist == ("b",)


def test_a_newer_minor_version_is_read() -> None:
    text = "Metadata-Version: 2.99\nName: a\nVersion: 1\nNew-Field: x\nRequires-Dist: b\n"
    assert parse_metadata(text).requires_dist == ("b",)


def test_an_extra_nobody_could_name_is_left_out() -> None:
    metadata = parse_metadata(HEAD + "Provides-Extra: not a name\nProvides-Extra: fine\n")
    assert metadata.provides_extra == {"fine"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no Name"),
        ("\n" + HEAD, "no Name"),
        ("Version: 1\n", "no Name"),
        ("Name: a\n", "no Version"),
        ("Name: -\nVersion: 1\n", "'-' is not a valid package name"),
        ("Name: a\nVersion: one\n", "'one' is not a version"),
        ("Name: a\nVersion: " + "9" * 5000, "is not a version"),
        ("Metadata-Version: 3.0\nName: a\nVersion: 1\n", "3.0 is newer"),
        ("Metadata-Version: new\nName: a\nVersion: 1\n", "'new' is not a metadata version"),
        ("Wheel-Version: 2.0\nName: a\nVersion: 1\n", "wheel version 2.0 is newer"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidMetadata) as caught:
        parse_metadata(text)
    assert reason in caught.value.reason
    assert caught.value.reason in str(caught.value)
