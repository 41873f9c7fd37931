import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envmgr.errors import ExitCode
from envmgr.wheel.archive import BrokenWheel, RefusedWheel, UnsafeWheel, open_wheel
from envmgr.wheel.manifest import EntryPoint
from envmgr.wheel.unpack import unpacked_members
from tests.support.values import replace
from tests.support.wheels import RecordRows, Wheel, make_wheel, record_hash
from tests.support.zips import SYMLINK_MODE, ZipMember

Members = list[ZipMember]
INFO = "a-1.0.dist-info"
LONG_EXTRA = b"xx\x58\2" + bytes(600)
CODE = b'__version__ = "1.0"\n'
INIT = "a/__init__.py"


def _refusal(directory: Path, wheel: Wheel) -> RefusedWheel:
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(RefusedWheel) as caught:
        open_wheel(wheel.write_to(directory), wheel.filename)
    assert len(os.listdir("/dev/fd")) == before, "the file stays open"
    assert caught.value.exit_code is ExitCode.INTEGRITY
    assert caught.value.wheel == wheel.filename
    assert caught.value.hint is not None
    return caught.value


def test_a_good_wheel_says_what_it_is(tmp_path: Path) -> None:
    wheel = make_wheel(
        "A.b",
        "1.0",
        requires=["c>1"],
        entry_points={"console_scripts": {"ab": "a_b:main"}},
        tag="py2.py3-none-any",
        purelib=False,
        executable=["a_b/__init__.py"],
    )
    with open_wheel(wheel.write_to(tmp_path), wheel.filename) as opened:
        assert opened.filename.name == opened.core_metadata.name == "a-b"
        assert opened.core_metadata.requires_dist == ("c>1",)
        assert opened.dist_info == "a_b-1.0.dist-info"
        assert opened.data_directory == "a_b-1.0.data"
        assert opened.root_is_purelib is False
        assert opened.info.tags == ("py2-none-any", "py3-none-any")
        assert opened.entry_points == (EntryPoint("console_scripts", "ab", "a_b:main"),)
        assert [m.name for m in opened.members if m.executable] == ["a_b/__init__.py"]
        assert opened.read("a_b/__init__.py") == b'__version__ = "1.0"\n'
        with pytest.raises(KeyError):
            opened.read("b")


def test_content_is_the_same_whole_and_in_pieces(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(300_000)  # noqa: S311 - data, not a secret
    files = {"a/noise": noise, "a/zeros": bytes(3_000_000), "a/empty": b""}
    wheel = make_wheel("a", files=files)
    with open_wheel(wheel.write_to(tmp_path), wheel.filename) as opened:
        for member in opened.members[:3]:
            assert opened.extract_bytes(member) == files[member.name]
            assert b"".join(opened.stream(member)) == files[member.name]


def test_several_threads_read_one_archive(tmp_path: Path) -> None:
    files = {f"a/{n}": bytes([n % 256]) * n * 97 for n in range(300)}
    wheel = make_wheel("a", files=files)
    with (
        open_wheel(wheel.write_to(tmp_path), wheel.filename) as opened,
        ThreadPoolExecutor(8) as threads,
    ):
        contents = threads.map(opened.extract_bytes, opened.members[:300])
        assert list(contents) == list(files.values())


@pytest.mark.parametrize(
    "wheel",
    [
        make_wheel("a", prefix=b"#!/bin/sh\n", comment=b"signed by nobody", zip64=True),
        make_wheel("a", edit_members=lambda ms: [replace(m, zip64=True) for m in ms]),
        make_wheel("a", edit_members=lambda ms: [replace(m, descriptor=True) for m in ms]),
        make_wheel("a", edit_members=lambda ms: [replace(m, extra=LONG_EXTRA) for m in ms]),
        make_wheel("a", files={"a/" + "長" * 80: b"1"}),
        make_wheel("a", edit_members=lambda ms: [ZipMember(name="a/", mode=0o040755), *ms]),
        make_wheel("a", files={"a.py": "", "a/_vendor/b-2.dist-info/METADATA": "Name: b"}),
        make_wheel("a", dist_info_files={"RECORD.jws": "{}", "RECORD.p7s": "x"},
                   edit_record=lambda rows: [r for r in rows if "RECORD." not in r[0]]),
        make_wheel("a", metadata="\ufeffMetadata-Version: 2.1\nName: A\nVersion: 1.0.0\n"),
        make_wheel("a", metadata=b"Metadata-Version: 2.1\nName: a\nVersion: 1\nAuthor: \xe9\n"),
        make_wheel("a.B-c", "1.0", dist_info="A_b.C-1.0.0.dist-info"),
        make_wheel("a", "1.0+local.2", build="3", label="x86_64_v3"),
        make_wheel("a", edit_record=lambda rows: [*rows, ["a/__pycache__/x.pyc", "", ""]]),
        make_wheel("a", edit_record=lambda rows: [[r[0], r[1], ""] for r in rows]),
        make_wheel("a", files={"other.data/x": "not a scheme directory, only a name"}),
        make_wheel("a", files={}),
    ],
    ids=[
        "everything about ZIP", "zip64 members", "data descriptors", "long extra fields",
        "long names", "directory member", "vendored dist-info", "signatures", "BOM and spelling",
        "latin-1",
        "unnormalised dist-info", "local version, build, label", "row without file", "no sizes",
        "a directory named data", "nothing but metadata",
    ],
)  # fmt: skip
def test_what_is_odd_but_right_is_accepted(tmp_path: Path, wheel: Wheel) -> None:
    with open_wheel(wheel.write_to(tmp_path), wheel.filename) as opened:
        for member in opened.members:
            assert len(opened.extract_bytes(member)) == member.size


def _add(*members: ZipMember) -> Callable[[Members], Members]:
    return lambda given: [*given, *members]


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (ZipMember(name="../evil.py"), "'..'"),
        (ZipMember(name="a/../../evil.py"), "'..'"),
        (ZipMember(name="/etc/evil"), "absolute"),
        (ZipMember(name="C:\\evil"), "backslash"),
        (ZipMember(name="a\\..\\evil"), "backslash"),
        (ZipMember(name="a/evil\0.py"), "control character"),
        (ZipMember(name="a/NUL"), "device"),
        (ZipMember(name="a/con.py"), "device"),
        (ZipMember(name="a/__init__.py"), "there twice"),
        (ZipMember(name="a/__init__.py/x"), "file and a directory"),
        (ZipMember(name="a/link", data=b"/etc/passwd", mode=SYMLINK_MODE), "symbolic link"),
        (ZipMember(name=b"a/\xe9.py"), "not UTF-8"),
    ],
)
def test_a_member_that_could_do_harm_is_unsafe(
    tmp_path: Path, member: ZipMember, reason: str
) -> None:
    refusal = _refusal(tmp_path, make_wheel("a", edit_members=_add(member)))
    assert isinstance(refusal, UnsafeWheel)
    assert refusal.member is not None
    assert reason in refusal.reason
    assert "a-1.0-py3-none-any.whl is unsafe at" in str(refusal)


@pytest.mark.parametrize(("name", "value"), [("../sh", "a:b"), ("x", "a:b; import os"), ("x", "a")])
def test_a_script_that_could_do_harm_is_unsafe(tmp_path: Path, name: str, value: str) -> None:
    wheel = make_wheel("a", entry_points={"console_scripts": {name: value}})
    refusal = _refusal(tmp_path, wheel)
    assert isinstance(refusal, UnsafeWheel)
    assert refusal.member == f"{INFO}/entry_points.txt"


def test_what_other_groups_name_is_not_judged(tmp_path: Path) -> None:
    wheel = make_wheel("a", entry_points={"plugins": {"../x y": "whatever it is"}})
    with open_wheel(wheel.write_to(tmp_path), wheel.filename) as opened:
        assert opened.entry_points == (EntryPoint("plugins", "../x y", "whatever it is"),)


def test_a_row_of_a_file_that_the_wheel_does_not_hold_harms_nobody(tmp_path: Path) -> None:
    wheel = make_wheel("a", edit_record=lambda rows: [*rows, ["gone", record_hash(b""), "0"]])
    with open_wheel(wheel.write_to(tmp_path), wheel.filename) as opened:
        unpacked = {member.path for member in unpacked_members(opened)}
    assert "site-packages/a/__init__.py" in unpacked
    assert not any("gone" in path for path in unpacked)


def _row(path: str, **changes: str) -> Callable[[RecordRows], RecordRows]:
    def edit(rows: RecordRows) -> RecordRows:
        return [
            [row[0], changes.get("hash", row[1]), changes.get("size", row[2])]
            if row[0] == path
            else row
            for row in rows
        ]

    return edit


@pytest.mark.parametrize(
    ("wheel", "member", "reason"),
    [
        (make_wheel("a", edit_record=lambda rows: rows[1:]), INIT, "does not list it"),
        (make_wheel("a", edit_record=_row(INIT, hash="")), INIT, "has no hash"),
        (make_wheel("a", edit_record=_row(INIT, size="7")), INIT, "RECORD says 7"),
        (
            make_wheel("a", edit_record=_row(INIT, hash=record_hash(CODE, "sha1"))),
            f"{INFO}/RECORD",
            "'sha1' is not a hash",
        ),
        (
            make_wheel("a", edit_record=_row(INIT, hash=record_hash(CODE, "md5"))),
            f"{INFO}/RECORD",
            "'md5' is not a hash",
        ),
        (make_wheel("a", edit_members=_add(ZipMember(name="b.py"))), "b.py", "does not list it"),
        (make_wheel("a", edit_members=lambda ms: ms[:-1]), f"{INFO}/RECORD", "missing"),
        (make_wheel("a", edit_members=lambda ms: [m for m in ms if m.name != f"{INFO}/METADATA"]),
         f"{INFO}/METADATA", "missing"),
        (make_wheel("a", edit_members=lambda ms: [m for m in ms if m.name != f"{INFO}/WHEEL"]),
         f"{INFO}/WHEEL", "missing"),
        (make_wheel("a", edit_members=lambda ms: [replace(m, crc=1) for m in ms]),
         f"{INFO}/WHEEL", "checksum"),
        (make_wheel("a", edit_members=lambda ms: [replace(m, flags=1) for m in ms]),
         INIT, "encrypted"),
        (make_wheel("a", wheel_text="Wheel-Version: 2.0\n"), f"{INFO}/WHEEL", "2.0"),
        (make_wheel("a", metadata_lines=["Wheel-Version: 2.0"]), f"{INFO}/METADATA", "2.0"),
        (make_wheel("a", metadata="Name: b\nVersion: 1.0\n"), f"{INFO}/METADATA", "that of b 1.0"),
        (make_wheel("a", metadata="Name: a\nVersion: 2\n"), f"{INFO}/METADATA", "that of a 2"),
        (make_wheel("a", metadata="Nothing\n"), f"{INFO}/METADATA", "no Name"),
        (make_wheel("a", dist_info="b-1.0.dist-info"), "b-1.0.dist-info", "not that of a 1.0"),
        (make_wheel("a", dist_info="a-2.dist-info"), "a-2.dist-info", "not that of a 1.0"),
        (make_wheel("a", dist_info="a.dist-info"), "a.dist-info", "not that of a 1.0"),
        (make_wheel("a", dist_info="info"), None, "0 .dist-info directories"),
        (make_wheel("a", files={"b-1.dist-info/METADATA": ""}), None, "2 .dist-info directories"),
        (make_wheel("a", files={"b-1.0.data/scripts/x": ""}), "b-1.0.data", "does not belong"),
        (make_wheel("a", filename="b-1.0-py3-none-any.whl"), INFO, "not that of b 1.0"),
        (make_wheel("a", filename="a-1.1-py3-none-any.whl"), INFO, "not that of a 1.1"),
        (make_wheel("a", filename="a.whl"), None, "1 parts"),
        (make_wheel("a", dist_info_files={"entry_points.txt": "x = y"}),
         f"{INFO}/entry_points.txt", "line 1"),
        (make_wheel("a", dist_info_files={"entry_points.txt": b"\xff"}),
         f"{INFO}/entry_points.txt", "not UTF-8"),
    ],
)  # fmt: skip
def test_a_wheel_that_contradicts_itself_is_broken(
    tmp_path: Path, wheel: Wheel, member: str | None, reason: str
) -> None:
    refusal = _refusal(tmp_path, wheel)
    assert isinstance(refusal, BrokenWheel)
    assert refusal.member == member
    assert reason in refusal.reason
    assert f"{wheel.filename} is broken" in str(refusal)


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data + b"x", lambda _: b""])
def test_a_file_that_is_cut_or_goes_on_is_broken(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    wheel = make_wheel("a")
    refusal = _refusal(tmp_path, Wheel(wheel.filename, spoil(wheel.data)))
    assert isinstance(refusal, BrokenWheel)


def test_a_wheel_cut_anywhere_is_broken(tmp_path: Path) -> None:
    wheel = make_wheel("a", files={"a.py": ""})
    for length in range(0, len(wheel.data), 7):
        _refusal(tmp_path, Wheel(wheel.filename, wheel.data[:length]))


def test_a_file_that_is_not_there_is_no_broken_wheel(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_wheel(tmp_path / "a-1.0-py3-none-any.whl", "a-1.0-py3-none-any.whl")


def _first(**changes: object) -> Callable[[Members], Members]:
    def edit(members: Members) -> Members:
        return [replace(members[0], **changes), *members[1:]]

    return edit


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (_first(payload=b"\xff" * 30), "cannot be inflated"),
        (_first(payload=b""), "cut short"),
        (_first(local_name="b/__init__.py"), "disagree"),
    ],
)
def test_content_that_is_damaged_is_broken_when_it_is_read(
    tmp_path: Path, edit: Callable[[Members], Members], reason: str
) -> None:
    wheel = make_wheel("a", edit_members=edit)
    with open_wheel(wheel.write_to(tmp_path), wheel.filename) as opened:
        member = opened.members[0]
        with pytest.raises(BrokenWheel, match=reason) as whole:
            opened.extract_bytes(member)
        with pytest.raises(BrokenWheel, match=reason):
            list(opened.stream(member))
    assert whole.value.member == INIT


def test_a_bomb_is_refused_at_the_size_it_announces(tmp_path: Path) -> None:
    def shrink(members: Members) -> Members:
        return [replace(members[0], size=10), *members[1:]]

    wheel = make_wheel(
        "a",
        files={"a/bomb": bytes(20_000_000)},
        edit_members=shrink,
        edit_record=_row("a/bomb", size="10"),
    )
    with (
        open_wheel(wheel.write_to(tmp_path), wheel.filename) as opened,
        pytest.raises(BrokenWheel, match="more than the 10 bytes"),
    ):
        opened.extract_bytes(opened.members[0])
