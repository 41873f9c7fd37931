"""Wheels as they are written: RECORD, LINKS, modes, times, and the same bytes each time."""

import io
import zipfile

import pytest

from envmgr.wheel.links import parse_links
from envmgr.wheel.record import parse_record
from envmgr.wheel.writing import NewWheel, Part, PartLink, render_wheel, with_wheel_version

INFO = "a-1.0.dist-info"
PARTS = (
    Part(f"{INFO}/WHEEL", b"Wheel-Version: 1.0\n"),
    Part("a/tool", b"#!/bin/sh\n", executable=True),
    Part("a/libx.so.1", b"x"),
)
WHEEL = NewWheel(
    filename="a-1.0-py3-none-any.whl",
    dist_info=INFO,
    parts=PARTS,
    links=(PartLink("a/libx.so", "a/libx.so.1"),),
)


def opened(data: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(data))


def test_record_has_hashes_of_what_is_in_the_archive_and_no_links() -> None:
    with opened(render_wheel(WHEEL)) as archive:
        rows = {row.path: row for row in parse_record(archive.read(f"{INFO}/RECORD").decode())}
        names = archive.namelist()

    assert names == [
        "a/libx.so.1",
        "a/tool",
        f"{INFO}/WHEEL",
        f"{INFO}/LINKS",
        f"{INFO}/RECORD",
    ]
    assert rows.keys() == {*names}
    assert rows["a/libx.so.1"].size == 1
    assert [path for path, row in rows.items() if row.digest is None] == [f"{INFO}/RECORD"]


def test_links_are_written_as_the_example_of_the_standard_has_them() -> None:
    with opened(render_wheel(WHEEL)) as archive:
        (row,) = parse_links(archive.read(f"{INFO}/LINKS").decode())

    assert (row.first, row.second) == ("a/libx.so.1", "a/libx.so")


def test_without_links_there_is_no_file_for_them() -> None:
    plain = NewWheel(filename=WHEEL.filename, dist_info=INFO, parts=PARTS)

    with opened(render_wheel(plain)) as archive:
        assert f"{INFO}/LINKS" not in archive.namelist()


def test_the_order_of_parts_decides_nothing_and_the_time_is_what_was_asked_for() -> None:
    turned = NewWheel(filename=WHEEL.filename, dist_info=INFO, parts=PARTS[::-1], links=WHEEL.links)

    assert render_wheel(turned) == render_wheel(WHEEL)
    assert render_wheel(WHEEL, 1_700_000_000) != render_wheel(WHEEL)
    with opened(render_wheel(WHEEL, 1_700_000_000)) as archive:
        assert {each.date_time for each in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}


@pytest.mark.parametrize(("timestamp", "year"), [(0, 1980), (10**12, 2107)])
def test_times_that_zip_does_not_know_become_its_nearest(timestamp: int, year: int) -> None:
    with opened(render_wheel(WHEEL, timestamp)) as archive:
        assert {each.date_time[0] for each in archive.infolist()} == {year}


def test_programs_stay_programs() -> None:
    with opened(render_wheel(WHEEL)) as archive:
        modes = {each.filename: oct(each.external_attr >> 16) for each in archive.infolist()}

    assert modes["a/tool"] == "0o100755"
    assert modes["a/libx.so.1"] == modes[f"{INFO}/RECORD"] == "0o100644"


def test_the_version_of_the_format_can_be_changed_and_nothing_else() -> None:
    text = b"Wheel-Version: 1.0\r\nGenerator: x\r\n"

    assert with_wheel_version(text, "2.0") == b"Wheel-Version: 2.0\r\nGenerator: x\r\n"
