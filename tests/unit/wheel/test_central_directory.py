import struct
from collections.abc import Iterable

import pytest

from envmgr.wheel.central_directory import (
    Directory,
    InvalidArchive,
    Member,
    NeedBytesFrom,
    UnsafeMember,
    check_places,
    data_offset,
    find_directory,
    find_member_in_tail,
    inflate_member,
    parse_directory,
    path_problem,
)
from tests.support.wheels import make_wheel
from tests.support.zips import (
    DIRECTORY_MODE,
    EXECUTABLE_MODE,
    STORED,
    SYMLINK_MODE,
    ZipMember,
    render_zip,
)

TEXT = b"some text, some text, some text"


def _members(data: bytes) -> tuple[Member, ...]:
    directory = find_directory(data, 0)
    assert isinstance(directory, Directory)
    return parse_directory(data[directory.offset : directory.offset + directory.size], directory)


def _one(member: ZipMember) -> Member:
    (found,) = _members(render_zip([member]))
    return found


def _content(data: bytes, member: Member) -> bytes:
    return inflate_member(data[member.offset : member.span_limit], member)


@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("comment", [b"", b"a comment", b"PK\5\6 is how an archive ends"])
@pytest.mark.parametrize("prefix", [b"", b"#!/bin/sh\nexec something\n"])
def test_members_are_found_and_read_in_every_kind_of_archive(
    zip64: bool, comment: bytes, prefix: bytes
) -> None:
    made = [
        ZipMember(name="a.py", data=TEXT, zip64=zip64, extra=b"xy\2\0zz"),
        ZipMember(name="d/ä.py", data=b"", method=STORED),
        ZipMember(name="run", data=TEXT, mode=EXECUTABLE_MODE, descriptor=True, extra=b"xy\2\0zz"),
    ]
    data = render_zip(made, zip64=zip64, comment=comment, prefix=prefix)
    members = _members(data)
    assert [m.name for m in members] == ["a.py", "d/ä.py", "run"]
    assert [m.executable for m in members] == [False, False, True]
    assert [_content(data, m) for m in members] == [TEXT, b"", TEXT]


def test_an_empty_archive_has_no_members() -> None:
    assert _members(render_zip([])) == ()


def test_a_directory_is_told_by_its_slash() -> None:
    assert _one(ZipMember(name="d/", mode=DIRECTORY_MODE, method=STORED)).is_directory
    assert not _one(ZipMember(name="d")).is_directory


@pytest.mark.parametrize("known", [0, 10, 21, 22, 60, 200, 1000])
@pytest.mark.parametrize("zip64", [False, True])
def test_a_short_tail_says_from_where_more_is_needed_until_it_is_enough(
    known: int, zip64: bool
) -> None:
    wheel = make_wheel("a", requires=["b"], zip64=zip64, comment=b"c" * 30)
    offset = max(0, len(wheel.data) - known)
    for _ in range(5):
        found = find_member_in_tail(wheel.data[offset:], offset)
        if isinstance(found, Member):
            break
        assert found.offset < offset
        offset = found.offset
    assert isinstance(found, Member)
    assert found.name == "a-1.0.dist-info/METADATA"
    assert _content(wheel.data, found) == wheel.metadata


def test_only_metadata_at_the_top_counts() -> None:
    wheel = make_wheel("a", files={"a/_vendor/b-1.dist-info/METADATA": "Name: b"})
    found = find_member_in_tail(wheel.data, 0)
    assert isinstance(found, Member)
    assert found.name == "a-1.0.dist-info/METADATA"


@pytest.mark.parametrize("count", [0, 2])
def test_no_metadata_or_two_are_refused(count: int) -> None:
    made = [ZipMember(name=f"a-{n}.dist-info/METADATA") for n in range(count)]
    with pytest.raises(InvalidArchive, match=rf"it has {count} members \*.dist-info/METADATA"):
        find_member_in_tail(render_zip(made), 0)


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>not found</html>", render_zip([ZipMember(name="a")])[:-1]],
    ids=["empty", "html", "cut"],
)
def test_what_has_no_end_is_no_archive(data: bytes) -> None:
    with pytest.raises(InvalidArchive, match="cut short"):
        find_directory(data, 0)


def test_what_follows_the_end_is_refused() -> None:
    with pytest.raises(InvalidArchive):
        find_directory(render_zip([ZipMember(name="a")]) + b"more", 0)


def test_a_long_tail_is_asked_for_before_giving_up() -> None:
    assert find_directory(b"x" * 100, 200_000) == NeedBytesFrom(200_100 - 22 - 0xFFFF)


def test_two_ends_are_refused() -> None:
    inner = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 1) + b"x"
    with pytest.raises(InvalidArchive, match="more than one end"):
        find_directory(render_zip([ZipMember(name="a")], comment=inner), 0)


@pytest.mark.parametrize(
    ("at", "form", "value", "reason"),
    [
        (4, "<H", 1, "one part of several"),
        (8, "<H", 9, "one part of several"),
        (12, "<L", 0xFFFFFFF0, "cut short"),
        (16, "<L", 0xFFFFFFFF, "needs a ZIP64 record"),
        (16, "<L", 10_000, "cut short"),
    ],
)
def test_an_end_that_lies_is_refused(at: int, form: str, value: int, reason: str) -> None:
    data = bytearray(render_zip([ZipMember(name="a")]))
    struct.pack_into(form, data, len(data) - 22 + at, value)
    with pytest.raises(InvalidArchive, match=reason):
        find_directory(bytes(data), 0)


@pytest.mark.parametrize("at", [4, 16, 24, 32, 40, 48])
def test_a_zip64_record_that_lies_is_refused(at: int) -> None:
    data = bytearray(render_zip([ZipMember(name="a")], zip64=True))
    record = data.rindex(b"PK\6\6")
    data[record + at] ^= 3
    with pytest.raises(InvalidArchive):
        _members(bytes(data))


def test_a_zip64_record_that_its_locator_does_not_point_at_is_refused() -> None:
    data = bytearray(render_zip([ZipMember(name="a")], zip64=True))
    data[data.rindex(b"PK\6\7") + 8] ^= 1
    with pytest.raises(InvalidArchive, match="not where it should be"):
        find_directory(bytes(data), 0)


@pytest.mark.parametrize(("at", "form"), [(8, "<H"), (10, "<H"), (12, "<L"), (16, "<L")])
def test_a_zip64_record_that_says_other_than_the_end_is_refused(at: int, form: str) -> None:
    data = bytearray(render_zip([ZipMember(name="a")], zip64=True))
    struct.pack_into(form, data, len(data) - 22 + at, 7)
    with pytest.raises(InvalidArchive, match="disagrees with its end"):
        find_directory(bytes(data), 0)


@pytest.mark.parametrize("delta", [-1, 1])
def test_a_directory_that_counts_wrongly_is_refused(delta: int) -> None:
    data = bytearray(render_zip([ZipMember(name="a"), ZipMember(name="b")]))
    for at in (8, 10):
        struct.pack_into("<H", data, len(data) - 22 + at, 2 + delta)
    with pytest.raises(InvalidArchive, match=r"ends too early|more than it counts"):
        _members(bytes(data))


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (ZipMember(name="a", flags=0x1), "encrypted"),
        (ZipMember(name="a", flags=0x2000), "encrypted"),
        (ZipMember(name="a", flags=0x20), "method 8"),
        (ZipMember(name="a", method=14), "method 14"),
        (ZipMember(name="a", mode=SYMLINK_MODE), "symbolic link"),
        (ZipMember(name="a", mode=0o020644), "neither a file nor a directory"),
        (ZipMember(name="a", mode=0o010644), "neither a file nor a directory"),
        (ZipMember(name="a", mode=DIRECTORY_MODE), "disagree"),
        (ZipMember(name="a/", data=b"x", method=STORED), "directory with content"),
        (ZipMember(name=b"\xff.py"), "not UTF-8"),
        (ZipMember(name="a", size=0xFFFFFFFF), "ZIP64 sizes are missing"),
    ],
)
def test_a_member_that_wheels_cannot_have_is_refused(member: ZipMember, reason: str) -> None:
    with pytest.raises(InvalidArchive, match=reason):
        _one(member)


@pytest.mark.parametrize(
    "name",
    [
        "a.py",
        "a/b/c",
        "..a/b..",
        "...",
        ".hidden",
        "a b",
        "ä/ö",
        "console/auxiliary.py",
        "com10",
        "c1:x",
    ],
)
def test_ordinary_names_are_no_problem(name: str) -> None:
    assert path_problem(name) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("/etc/passwd", "absolute"),
        ("//host/share", "absolute"),
        ("C:/x", "absolute"),
        ("c:x", "absolute"),
        ("../x", "'..'"),
        ("a/../../x", "'..'"),
        ("a/..", "'..'"),
        ("./a", "'.'"),
        ("a//b", "''"),
        ("a\\..\\b", "backslash"),
        ("a\0b", "control character"),
        ("a\nb", "control character"),
        ("a\x7f", "control character"),
        ("CON", "device"),
        ("a/nul", "device"),
        ("a/aux.txt", "device"),
        ("a/Com1/b", "device"),
        ("lpt9 .tar.gz", "device"),
        ("COM\N{SUPERSCRIPT TWO}", "device"),
    ],
)
def test_a_name_that_could_leave_its_directory_or_be_a_device_is_a_problem(
    name: str, reason: str
) -> None:
    problem = path_problem(name)
    assert problem is not None
    assert reason in problem
    with pytest.raises(UnsafeMember):
        _one(ZipMember(name=name))


@pytest.mark.parametrize(
    "names",
    [
        ("a", "a"),
        ("\N{LATIN SMALL LETTER E WITH ACUTE}", "e\N{COMBINING ACUTE ACCENT}"),
    ],
)
def test_two_members_in_one_place_are_refused(names: Iterable[str]) -> None:
    with pytest.raises(UnsafeMember, match="it is there twice"):
        _members(render_zip([ZipMember(name=name) for name in names]))


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b/c/d", "a/b")])
def test_a_file_that_is_also_a_directory_is_refused(names: tuple[str, str]) -> None:
    with pytest.raises(UnsafeMember, match="a file and a directory"):
        check_places(names)


def test_directories_may_be_listed_beside_what_they_hold() -> None:
    check_places(["a/", "a/b/", "a/b/c", "A"])


def test_members_that_share_bytes_are_refused() -> None:
    inner = ZipMember(name="b", data=TEXT, method=STORED)
    hidden = render_zip([inner])
    local = hidden[: hidden.index(b"PK\1\2")]
    data = bytearray(render_zip([ZipMember(name="a", data=local, method=STORED), inner]))
    second = data.rindex(b"PK\1\2")
    struct.pack_into("<L", data, second + 42, 31)
    with pytest.raises(InvalidArchive, match="runs into what follows"):
        _members(bytes(data))


def test_a_local_header_that_names_another_member_is_refused() -> None:
    data = render_zip([ZipMember(name="a.py", local_name="b.py", data=TEXT)])
    (member,) = _members(data)
    with pytest.raises(InvalidArchive, match="disagree"):
        data_offset(data, member)


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (ZipMember(name="a", data=TEXT, crc=1), "checksum"),
        (ZipMember(name="a", data=TEXT, size=3), "more than the 3 bytes"),
        (ZipMember(name="a", data=TEXT, payload=b"\xff" * 9), "cannot be inflated"),
    ],
)
def test_content_that_is_not_what_it_says_is_refused(member: ZipMember, reason: str) -> None:
    data = render_zip([member])
    with pytest.raises(InvalidArchive, match=reason):
        _content(data, _members(data)[0])


def test_a_member_larger_than_allowed_is_not_inflated() -> None:
    data = render_zip([ZipMember(name="a", data=TEXT)])
    with pytest.raises(InvalidArchive, match="announces 31 bytes"):
        inflate_member(data, _members(data)[0], limit=30)


@pytest.mark.parametrize("length", [0, 10, 29, 31, 40])
def test_a_span_that_is_too_short_is_refused(length: int) -> None:
    data = render_zip([ZipMember(name="a", data=TEXT)])
    with pytest.raises(InvalidArchive):
        inflate_member(data[:length], _members(data)[0])
