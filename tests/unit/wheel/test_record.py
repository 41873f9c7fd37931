import pytest

from envmgr.wheel.record import InvalidRecord, RecordRow, parse_record
from tests.support.wheels import record_hash

SHA256 = record_hash(b"x")
HEX = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


def test_a_row_has_path_hash_and_size() -> None:
    assert parse_record(f"a/b.py,{SHA256},1\n") == (RecordRow("a/b.py", "sha256", HEX, 1),)


def test_hash_and_size_may_be_absent() -> None:
    row = parse_record("a-1.dist-info/RECORD,,\n")[0]
    assert (row.digest, row.size, row.sha256_hex) == (None, None, None)


def test_quoted_paths_are_unquoted() -> None:
    assert [row.path for row in parse_record('"a,b ""c"".py",,\r\nd,,\r\n')] == ['a,b "c".py', "d"]


def test_a_unicode_line_separator_in_a_path_is_part_of_it() -> None:
    assert [row.path for row in parse_record("a\u2028b,,\n")] == ["a\u2028b"]


def test_empty_lines_are_skipped_and_equal_rows_are_one() -> None:
    assert len(parse_record(f"a,{SHA256},1\n\na,{SHA256},1\n")) == 1


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_stronger_hashes_are_kept_as_they_are(algorithm: str) -> None:
    row = parse_record(f"a,{record_hash(b'x', algorithm)},1\n")[0]
    assert row.algorithm == algorithm
    assert row.sha256_hex is None


def test_a_hash_in_hex_is_read_too() -> None:
    assert parse_record(f"a,sha256={HEX.upper()},1\n")[0].digest == HEX


def test_padding_is_tolerated() -> None:
    assert parse_record(f"a,{SHA256}=,1\n")[0].digest == HEX


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"a,{record_hash(b'x', 'sha1')},1", "'sha1' is not a hash of sha256 or better"),
        (f"a,{record_hash(b'x', 'md5')},1", "'md5' is not a hash of sha256 or better"),
        ("a,sha256,1", "not a hash of sha256 or better"[:10]),
        ("a,sha256=!!!!,1", "not urlsafe base64"),
        ("a,sha256=AAAA,1", "a sha256 is 32 bytes long, not 3"),
        (f"a,{SHA256},-1", "'-1' is not a size"),
        (f"a,{SHA256},1.0", "'1.0' is not a size"),
        ("a", "found 1 fields"),
        ("a,,,", "found 4 fields"),
        (",,", "expected path"),
        ('"a,,', "unexpected end of data"),
        (f"a,{SHA256},1\na,{SHA256},2", "a is listed twice, differently"),
    ],
)
def test_what_cannot_be_used_is_refused_with_line_and_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        parse_record("ok,,\n" + text)
    assert reason in caught.value.reason
    assert caught.value.line >= 2
    assert f"line {caught.value.line}" in str(caught.value)
