"""Laws of the text files in a wheel."""

import base64
import csv
import email.parser
import email.policy
import io
from contextlib import suppress

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from envmgr.wheel.entry_points import parse_entry_points
from envmgr.wheel.headers import parse_headers
from envmgr.wheel.manifest import (
    ElfFacts,
    EntryPoint,
    FileFacts,
    LinkFacts,
    Manifest,
    ManifestUnreadable,
    decode_manifest,
    encode_manifest,
)
from envmgr.wheel.metadata import InvalidMetadata, parse_metadata
from envmgr.wheel.record import InvalidRecord, RecordRow, parse_record

LINES = st.lists(
    st.sampled_from(
        [
            "Name: a",
            "Version:1",
            "X-y :  b c ",
            "\tfolded",
            "  again ",
            "",
            "no header",
            ": x",
            "Name : b",
        ]
    )
    | st.text("ab: \t,;é\u2028\x0b", max_size=12),
    max_size=8,
)


@given(st.sampled_from(["", "First: 1"]), LINES, st.sampled_from(["\n", "\r\n", "\r"]))
def test_headers_are_those_of_the_email_parser(first: str, lines: list[str], line_end: str) -> None:
    text = line_end.join([first, *lines] if first else lines)
    message = email.parser.HeaderParser(policy=email.policy.compat32).parsestr(text)
    expected = [(name.lower(), " ".join(_folds(value))) for name, value in message.items()]
    assert [(name, value) for name, value in parse_headers(text)] == expected


def _folds(value: object) -> list[str]:
    pieces = str(value).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [piece.strip() for piece in pieces if piece.strip()]


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_metadata_or_refused(data: bytes) -> None:
    for given_data in (data, b"Name: a\nVersion: 1\n" + data):
        with suppress(InvalidMetadata):
            assert parse_metadata(given_data).name


PATHS = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from('",'), min_size=1)
ROWS = st.lists(
    st.builds(
        lambda path, hashed, size: (path, hashed, size),
        PATHS,
        st.none() | st.binary(min_size=32, max_size=32),
        st.none() | st.integers(0, 10**12),
    ),
    unique_by=lambda row: row[0],
)


@given(ROWS)
def test_a_record_that_was_written_is_read(
    rows: list[tuple[str, bytes | None, int | None]],
) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    for path, digest, size in rows:
        encoded = "" if digest is None else base64.urlsafe_b64encode(digest).decode().rstrip("=")
        writer.writerow([path, encoded and f"sha256={encoded}", "" if size is None else size])
    assert parse_record(text.getvalue()) == tuple(
        RecordRow(path, digest and "sha256", digest and digest.hex(), size)  # type: ignore[arg-type]
        for path, digest, size in rows
    )


@given(st.text() | st.text('a,"=\n-_/', max_size=40))
def test_any_text_is_a_record_or_refused(text: str) -> None:
    with suppress(InvalidRecord):
        rows = parse_record(text)
        assert len({row.path for row in rows}) == len(rows)


WORDS = st.text("abc.: []-é", min_size=1, max_size=8).map(str.strip).filter(bool)


@given(st.dictionaries(st.tuples(WORDS, WORDS), WORDS))
def test_entry_points_that_were_written_are_read(points: dict[tuple[str, str], str]) -> None:
    usable = {
        (group.strip("[] ") or "g", f"n{name}"): value for (group, name), value in points.items()
    }
    text = "".join(f"[{group}]\n{name} = {value}\n" for (group, name), value in usable.items())
    expected = {(group.strip(), name): value for (group, name), value in usable.items()}
    found = parse_entry_points(text)
    assert {(point.group, point.name): point.value for point in found} == expected


TEXTS = st.lists(st.text(), max_size=2).map(tuple)
ELF = st.builds(
    ElfFacts,
    st.text(),
    st.text(),
    st.sampled_from([32, 64]),
    st.none() | st.text(),
    TEXTS,
    TEXTS,
    TEXTS,
    st.dictionaries(st.text(), TEXTS, max_size=2),
    TEXTS,
)


@st.composite
def _manifests(draw: st.DrawFn) -> Manifest:
    return Manifest(
        name=draw(st.just("a")),  # type: ignore[arg-type]
        version="1",
        wheel=draw(st.text()),
        root_is_purelib=draw(st.booleans()),
        dist_info="a-1.dist-info",
        top_level=tuple(draw(st.lists(st.text(), max_size=3))),
        data=(),
        entry_points=tuple(draw(st.lists(st.builds(EntryPoint, st.text(), st.text(), st.text())))),
        elf=tuple(draw(st.lists(ELF, max_size=2))),
        reaching=(),
        files=tuple(
            draw(
                st.lists(
                    st.builds(FileFacts, st.text(), st.integers(0, 2**62), st.booleans(), st.text())
                )
            )
        ),
        links=tuple(draw(st.lists(st.builds(LinkFacts, st.text(), st.text()), max_size=3))),
    )


@given(_manifests())
def test_a_manifest_that_was_written_is_read(manifest: Manifest) -> None:
    assert decode_manifest(encode_manifest(manifest)) == manifest


@given(st.binary() | st.dictionaries(st.text(), st.integers(-9, 9)).map(msgspec.msgpack.encode))
def test_any_bytes_are_a_manifest_or_refused(data: bytes) -> None:
    with suppress(ManifestUnreadable):
        decode_manifest(data)
