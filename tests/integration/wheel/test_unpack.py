import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from envmgr.wheel.archive import BrokenWheel, UnsafeWheel, open_wheel
from envmgr.wheel.manifest import FileFacts
from envmgr.wheel.unpack import (
    STREAMED_FROM,
    UnknownScheme,
    Unpacked,
    destination,
    manifest_of,
    unpacked_members,
)
from tests.support.elves import Elf
from tests.support.wheels import Content, RecordRows, Wheel, make_wheel, record_hash

LIBRARY = bytes(Elf(soname="libx.so", needed=["liby.so"], runpath="$ORIGIN/../other"))


def _write_all(wheel: Wheel, directory: Path) -> dict[str, Unpacked]:
    written = {}
    with open_wheel(wheel.write_to(directory), wheel.filename) as opened:
        for number, member in enumerate(unpacked_members(opened)):
            descriptor = os.open(directory / str(number), os.O_RDWR | os.O_CREAT | os.O_EXCL)
            try:
                written[member.path] = member.write_to(descriptor)
            finally:
                os.close(descriptor)
            content = (directory / str(number)).read_bytes()
            assert hashlib.sha256(content).hexdigest() == written[member.path].file.sha256
            assert content == member.data
    return written


def test_every_member_goes_where_its_scheme_says(tmp_path: Path) -> None:
    wheel = make_wheel(
        "a",
        files={"a/__init__.py": "", "a.pth": "x"},
        data={
            "purelib/pure.py": "1",
            "platlib/plat/x.py": "2",
            "data/share/x": "3",
            "scripts/tool": "#!python\n",
            "headers/a.h": "5",
        },
    )
    info = "site-packages/a-1.0.dist-info"
    assert set(_write_all(wheel, tmp_path)) == {
        "site-packages/a/__init__.py",
        "site-packages/a.pth",
        "site-packages/pure.py",
        "site-packages/plat/x.py",
        "data/share/x",
        "scripts/tool",
        "headers/a.h",
        f"{info}/METADATA",
        f"{info}/WHEEL",
        f"{info}/RECORD",
    }


def test_scripts_are_executable_and_kept_as_they_are(tmp_path: Path) -> None:
    wheel = make_wheel(
        "a",
        files={"a/run.sh": "x", "a/plain": "y"},
        data={"scripts/tool": "#!python\nprint()\n"},
        executable=["a/run.sh"],
    )
    written = _write_all(wheel, tmp_path)
    executable = {path for path, unpacked in written.items() if unpacked.file.executable}
    assert executable == {"scripts/tool", "site-packages/a/run.sh"}
    assert written["scripts/tool"].file == FileFacts(
        "scripts/tool", 17, True, hashlib.sha256(b"#!python\nprint()\n").hexdigest()
    )
    with open_wheel(tmp_path / wheel.filename, wheel.filename) as opened:
        scripts = [member.path for member in unpacked_members(opened) if member.is_script]
    assert scripts == ["scripts/tool"]


@pytest.mark.parametrize("size", [len(LIBRARY), STREAMED_FROM])
def test_libraries_are_read_small_and_large(tmp_path: Path, size: int) -> None:
    wheel = make_wheel("a", files={"a/libx.so": LIBRARY.ljust(size, b"\0"), "a/x.py": "\x7fELF?"})
    written = _write_all(wheel, tmp_path)
    found = [unpacked.elf for unpacked in written.values() if unpacked.elf is not None]
    assert [(facts.path, facts.soname) for facts in found] == [
        ("site-packages/a/libx.so", "libx.so")
    ]


def test_the_manifest_tells_what_was_unpacked(tmp_path: Path) -> None:
    wheel = make_wheel(
        "A.b",
        "1.0.0+x",
        files={"a_b/libx.so": LIBRARY},
        data={"data/share/y": ""},
        entry_points={"console_scripts": {"ab": "a_b:main"}},
        purelib=False,
    )
    written = _write_all(wheel, tmp_path).values()
    with open_wheel(tmp_path / wheel.filename, wheel.filename) as opened:
        manifest = manifest_of(
            opened, [u.file for u in written], [u.elf for u in written if u.elf is not None]
        )
    assert (manifest.name, manifest.version) == ("a-b", "1.0.0+x")
    assert manifest.wheel == wheel.filename
    assert manifest.dist_info == "a_b-1.0.0+x.dist-info"
    assert manifest.root_is_purelib is False
    assert manifest.top_level == ("a_b",)
    assert manifest.data == ("data",)
    assert [point.name for point in manifest.entry_points] == ["ab"]
    assert manifest.reaching == ("site-packages/a_b",)
    assert len(manifest.files) == len(written)


def _wrong_hash(path: str, algorithm: str = "sha256") -> Callable[[RecordRows], RecordRows]:
    wrong = record_hash(b"other", algorithm)
    return lambda rows: [[row[0], wrong if row[0] == path else row[1], row[2]] for row in rows]


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("size", [10, STREAMED_FROM + 1])
def test_content_with_another_hash_than_records_is_broken(
    tmp_path: Path, algorithm: str, size: int
) -> None:
    wheel = make_wheel("a", files={"x": bytes(size)}, edit_record=_wrong_hash("x", algorithm))
    with pytest.raises(BrokenWheel, match="not what RECORD says") as caught:
        _write_all(wheel, tmp_path)
    assert caught.value.member == "x"


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_a_stronger_hash_is_checked_and_the_sha256_told(tmp_path: Path, algorithm: str) -> None:
    def edit(rows: RecordRows) -> RecordRows:
        return [["x", record_hash(b"content", algorithm), "7"], *rows[1:]]

    written = _write_all(make_wheel("a", files={"x": "content"}, edit_record=edit), tmp_path)
    assert written["site-packages/x"].file.sha256 == hashlib.sha256(b"content").hexdigest()


@pytest.mark.parametrize(
    ("files", "data"),
    [
        ({"x.py": "1"}, {"purelib/x.py": "1"}),
        ({}, {"purelib/x.py": "1", "platlib/x.py": "1"}),
        ({"x": "1"}, {"platlib/x/y.py": "1"}),
        ({}, {"purelib/a-1.0.dist-info/METADATA": "Name: b"}),
    ],
)
def test_two_members_that_land_on_one_path_are_unsafe(
    tmp_path: Path, files: Mapping[str, Content], data: Mapping[str, Content]
) -> None:
    wheel = make_wheel("a", files=files, data=data)
    with (
        open_wheel(wheel.write_to(tmp_path), wheel.filename) as opened,
        pytest.raises(UnsafeWheel, match=r"twice|file and a directory"),
    ):
        unpacked_members(opened)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("include/x.h", "is in none of purelib, platlib, data, scripts, headers"),
        ("x", "is in none of"),
        ("purelib/b-1.0.dist-info/METADATA", "belongs to another project"),
    ],
)
def test_a_member_that_belongs_nowhere_is_broken(tmp_path: Path, path: str, reason: str) -> None:
    wheel = make_wheel("a", data={path: ""})
    with (
        open_wheel(wheel.write_to(tmp_path), wheel.filename) as opened,
        pytest.raises(BrokenWheel, match=reason) as caught,
    ):
        unpacked_members(opened)
    assert caught.value.member == f"a-1.0.data/{path}"


def test_only_the_own_data_directory_is_spread() -> None:
    assert destination("a-1.data/scripts/x", "a-1.data") == "scripts/x"
    assert destination("a-1.data.py", "a-1.data") == "site-packages/a-1.data.py"
    assert destination("sub/a-1.data/scripts/x", "a-1.data") == (
        "site-packages/sub/a-1.data/scripts/x"
    )
    with pytest.raises(UnknownScheme, match=r"a-1.data/purelib is in none"):
        destination("a-1.data/purelib", "a-1.data")


def test_a_large_member_is_never_in_memory_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = 0
    write = os.write

    def watch(descriptor: int, data: bytes) -> int:
        nonlocal longest
        longest = max(longest, len(data))
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", watch)
    noise = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(STREAMED_FROM // 32))
    written = _write_all(make_wheel("a", files={"x": noise}), tmp_path)
    assert written["site-packages/x"].file.size == STREAMED_FROM
    assert 0 < longest < STREAMED_FROM // 4
