"""Laws of archives."""

import io
import os
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from envmgr.wheel.archive import RefusedWheel, open_wheel
from envmgr.wheel.central_directory import (
    Directory,
    InvalidArchive,
    NeedBytesFrom,
    UnsafeMember,
    find_directory,
    find_member_in_tail,
    inflate_member,
    parse_directory,
    path_problem,
)
from envmgr.wheel.unpack import unpacked_members
from tests.support.wheels import Wheel, make_wheel
from tests.support.zips import ZipMember, render_zip

SEGMENTS = st.text("abé. -", min_size=1, max_size=4).filter(lambda s: s not in {".", ".."})
PATHS = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)
CONTENTS = st.dictionaries(PATHS, st.binary(max_size=200), max_size=6)
SAMPLE = make_wheel(
    "a",
    files={"a/__init__.py": "x = 1\n" * 20, "a/data.bin": bytes(range(256))},
    data={"scripts/tool": "#!python\n"},
)


def _contents(wheel: Wheel) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as directory:
        path = wheel.write_to(Path(directory))
        with open_wheel(path, wheel.filename) as opened:
            return {member.path: member.data for member in unpacked_members(opened)}


HONEST = _contents(SAMPLE)


@given(
    CONTENTS, st.binary(max_size=30), st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
)
def test_what_zipfile_wrote_is_read_alike(
    contents: dict[str, bytes], comment: bytes, method: int
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.comment = comment
        for name, content in contents.items():
            archive.writestr(name, content)
    data = file.getvalue()
    directory = find_directory(data, 0)
    assert isinstance(directory, Directory)
    try:
        members = parse_directory(
            data[directory.offset : directory.offset + directory.size], directory
        )
    except UnsafeMember:
        assert _collide(contents)
        return
    assert not _collide(contents)
    assert {m.name: inflate_member(data[m.offset :], m) for m in members} == contents


def _collide(paths: Iterable[str]) -> bool:
    plain = [unicodedata.normalize("NFC", path) for path in paths]
    nested = any(one.startswith(f"{other}/") for one in plain for other in plain)
    return nested or len(set(plain)) < len(plain)


@given(CONTENTS, st.booleans(), st.binary(max_size=30))
def test_zipfile_reads_what_the_tests_write(
    contents: dict[str, bytes], zip64: bool, prefix: bytes
) -> None:
    members = [ZipMember(name=name, data=data, zip64=zip64) for name, data in contents.items()]
    data = render_zip(members, zip64=zip64, prefix=prefix)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == contents


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SAMPLE.data) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_changes_no_file(at: int, change: int) -> None:
    spoilt = bytearray(SAMPLE.data)
    spoilt[at] ^= change
    with suppress(RefusedWheel):
        assert _contents(Wheel(SAMPLE.filename, bytes(spoilt))) == HONEST


@given(st.binary(), st.integers(0, 100_000))
def test_any_bytes_are_an_archives_end_or_refused(data: bytes, offset: int) -> None:
    for tail in (data, data + SAMPLE.data[-60:]):
        with suppress(InvalidArchive):
            find_member_in_tail(tail, offset)


@given(st.integers(1, len(SAMPLE.data)))
def test_a_tail_of_any_length_leads_to_metadata(length: int) -> None:
    offset = len(SAMPLE.data) - length
    found = find_member_in_tail(SAMPLE.data[offset:], offset)
    while isinstance(found, NeedBytesFrom):
        assert found.offset < offset
        offset = found.offset
        found = find_member_in_tail(SAMPLE.data[offset:], offset)
    assert inflate_member(SAMPLE.data[found.offset : found.span_limit], found) == SAMPLE.metadata


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("./\\"), max_size=12))
def test_a_path_without_a_problem_stays_where_it_is_put(path: str) -> None:
    if path_problem(path) is None:
        inside = os.path.normpath(f"/some/place/{path}")
        assert inside == f"/some/place/{path}"
