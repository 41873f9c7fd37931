from collections.abc import Callable

import pytest
from packaging.version import Version

from envmgr.index.member import MARGIN, checked_metadata, read_file_member, read_member
from envmgr.index.types import UnusableMetadata
from envmgr.names import PackageName
from envmgr.wheel.central_directory import InvalidArchive
from envmgr.wheel.metadata import CoreMetadata
from tests.support.wheels import make_wheel


def reader_of(data: bytes) -> tuple[Callable[[int, int], bytes], list[tuple[int, int]]]:
    asked: list[tuple[int, int]] = []

    def read(first: int, end: int) -> bytes:
        asked.append((first, end))
        return data[first:end]

    return read, asked


@pytest.mark.parametrize("tail", [30, 100, 1_000, 100_000, 10_000_000])
@pytest.mark.parametrize("comment", [b"", b"a comment"])
@pytest.mark.parametrize("padding", [0, 200_000])
def test_metadata_is_found_however_little_of_the_end_is_there(
    tail: int, comment: bytes, padding: int
) -> None:
    noise = {f"spam/{n}.py": "x = 1\n" * (padding // 500 + 1) for n in range(300)}
    wheel = make_wheel("spam", "1.0", requires=["eggs>1"], comment=comment, files=noise)
    read, _ = reader_of(wheel.data)
    content = read_member(read, len(wheel.data), wheel.data[-tail:])
    assert content == wheel.metadata


def test_one_read_is_enough_for_a_small_wheel() -> None:
    wheel = make_wheel("spam")
    read, asked = reader_of(wheel.data)
    assert read_file_member(read, len(wheel.data)) == wheel.metadata
    assert asked == [(0, len(wheel.data))]


def test_a_large_directory_costs_one_more_read_that_has_the_metadata_too() -> None:
    wheel = make_wheel("spam", files={f"spam/{n:060}.py": "" for n in range(1_500)})
    read, asked = reader_of(wheel.data)
    assert read_file_member(read, len(wheel.data)) == wheel.metadata
    assert len(asked) == 2
    assert asked[1][1] - asked[1][0] > MARGIN


@pytest.mark.parametrize("size", [0, 10, 500])
def test_what_is_no_archive_is_refused(size: int) -> None:
    data = b"x" * size
    read, _ = reader_of(data)
    with pytest.raises(InvalidArchive):
        read_file_member(read, size)


def test_metadata_must_be_of_the_name_and_version_of_the_file() -> None:
    data = make_wheel("spam", "1.0.0").metadata
    right = checked_metadata(data, PackageName("spam"), Version("1.0"))
    assert isinstance(right, CoreMetadata)
    assert checked_metadata(data, PackageName("eggs"), Version("1.0")) == UnusableMetadata(
        "its METADATA is of spam 1.0.0"
    )
    assert isinstance(checked_metadata(data, PackageName("spam"), Version("2")), UnusableMetadata)
    assert isinstance(checked_metadata(b"", PackageName("spam"), Version("1")), UnusableMetadata)
