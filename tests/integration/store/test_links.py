"""Wheels with LINKS in a store: what becomes of them, what is refused, noticed and put back."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from envmgr.errors import ExitCode
from envmgr.files import remove_tree
from envmgr.store.entry import MANIFEST, Entry, read_manifest
from envmgr.store.heal import Source, heal_from_wheel, heal_in_place
from envmgr.store.sources import SOURCES
from envmgr.store.store import Store, open_store
from envmgr.store.tamper import find_tampering
from envmgr.store.verify import check_entry
from envmgr.wheel.archive import BrokenWheel, RefusedWheel, UnsafeWheel
from envmgr.wheel.manifest import LinkFacts, encode_manifest
from tests.support.elves import Elf
from tests.support.views import add
from tests.support.wheels import RecordRows, Wheel, make_wheel

LIBRARY = bytes(Elf(soname="libomp.so.5", needed=["libc.so.6"]))
LINKS = """\
pack/libx.so.1,pack/libx.so
pack/libx.so,pack/sub/libx.so
pack/sub,pack/alias
omp-1.0.data/data/lib/libomp.so.5,omp-1.0.data/data/lib/libomp.so
"""
PLANNED = (
    LinkFacts("data/lib/libomp.so", "libomp.so.5"),
    LinkFacts("site-packages/pack/alias", "sub"),
    LinkFacts("site-packages/pack/libx.so", "libx.so.1"),
    LinkFacts("site-packages/pack/sub/libx.so", "../libx.so"),
)


def linked(links: str = LINKS, **options: object) -> Wheel:
    return make_wheel(
        "omp",
        files={"pack/__init__.py": "", "pack/libx.so.1": b"x", "pack/sub/m.py": "y = 1\n"},
        data={"data/lib/libomp.so.5": LIBRARY},
        dist_info_files={"LINKS": links},
        **options,  # type: ignore[arg-type]
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield open_store((tmp_path / "home",))
    remove_tree(tmp_path / "home")


@pytest.fixture
def entry(store: Store, tmp_path: Path) -> Entry:
    return add(store, linked(), tmp_path)


def kinds(entry: Entry, *, fast: bool = False) -> list[tuple[str, str]]:
    return [(found.kind, found.path) for found in check_entry(entry, fast=fast).findings]


def test_links_are_relative_links_and_the_manifest_says_them(entry: Entry) -> None:
    manifest = read_manifest(entry)

    assert manifest.links == PLANNED
    for link in PLANNED:
        assert os.fspath((entry.path / link.path).readlink()) == link.text
    assert (entry.path / "site-packages/pack/sub/libx.so").read_bytes() == b"x"
    assert (entry.path / "site-packages/pack/alias/m.py").read_text() == "y = 1\n"
    assert (entry.path / "data/lib/libomp.so").read_bytes() == LIBRARY


def test_elf_facts_are_of_the_file_alone(entry: Entry) -> None:
    assert [facts.path for facts in read_manifest(entry).elf] == ["data/lib/libomp.so.5"]


def test_a_library_is_found_under_the_name_of_a_link(store: Store, tmp_path: Path) -> None:
    needing = bytes(Elf(needed=["libx.so"], runpath="$ORIGIN/../lib"))
    files = {"pack/lib/libx.so.1": b"x", "pack/deep/libneed.so": needing}
    links = {"LINKS": "pack/lib/libx.so.1,pack/lib/libx.so\n"}
    lacking = add(store, make_wheel("omp", files=files), tmp_path)
    having = add(store, make_wheel("omp", "2.0", files=files, dist_info_files=links), tmp_path)

    assert read_manifest(lacking).reaching == ("site-packages/pack/deep",)
    assert read_manifest(having).reaching == ()


def test_where_a_link_leads_to_a_directory_that_reaches_out_the_way_is_real(
    store: Store, tmp_path: Path
) -> None:
    reaching = bytes(Elf(needed=["libq.so.1"], runpath="$ORIGIN/../../other/lib"))
    wheel = make_wheel(
        "pack",
        files={"pack/a/lib/libx.so": reaching, "pack/b/x.py": ""},
        dist_info_files={"LINKS": "pack/a,pack/b/alias\npack/b/x.py,pack/b/y.py\n"},
    )

    assert read_manifest(add(store, wheel, tmp_path)).reaching == (
        "site-packages/pack/a/lib",
        "site-packages/pack/b",
    )


def test_links_are_among_the_files_that_importlib_lists(entry: Entry) -> None:
    lines = (entry.path / SOURCES).read_text().splitlines()

    assert {"pack/libx.so", "pack/alias", "../../../lib/libomp.so"} <= set(lines)


def test_the_manifest_can_be_computed_again(entry: Entry) -> None:
    before = read_manifest(entry)
    entry.path.chmod(0o755)
    (entry.path / MANIFEST).unlink()

    assert read_manifest(entry) == before


def without_rows(rows: RecordRows) -> RecordRows:
    return [row for row in rows if not row[0].endswith("libx.so")]


def with_rows(rows: RecordRows) -> RecordRows:
    return [*rows, ["pack/libx.so", "", ""], ["omp-1.0.data/data/lib/libomp.so", "", ""]]


@pytest.mark.parametrize("edit", [without_rows, with_rows])
def test_record_may_name_links_or_not(
    store: Store, tmp_path: Path, edit: Callable[[RecordRows], RecordRows]
) -> None:
    assert read_manifest(add(store, linked(edit_record=edit), tmp_path)).links == PLANNED


def test_record_must_not_have_a_link_for_a_file(store: Store, tmp_path: Path) -> None:
    def edit(rows: RecordRows) -> RecordRows:
        return [*rows, ["pack/libx.so", rows[1][1], rows[1][2]]]

    with pytest.raises(BrokenWheel, match=r"RECORD has pack/libx.so for a file, and LINKS"):
        add(store, linked(edit_record=edit), tmp_path)


@pytest.mark.parametrize(
    ("links", "kind", "reason"),
    [
        ("pack/libx.so.1,/etc/x\n", UnsafeWheel, "line 1: '/etc/x': its name is absolute"),
        ("\npack/libx.so.1,../x\n", UnsafeWheel, "line 2: '../x': its name has '..' as a part"),
        ("pack/gone,pack/x\n", BrokenWheel, "line 1: the wheel holds neither site-packages/pack"),
        ("pack/a,pack/b\npack/b,pack/a\n", BrokenWheel, "line 2: site-packages/pack/b and"),
        ("pack/libx.so.1,pack/sub/m.py\n", UnsafeWheel, "line 1: the wheel holds both"),
        ("pack/libx.so.1\n", BrokenWheel, "line 1: expected two paths, found 1"),
        ("\x80", BrokenWheel, "it is not UTF-8"),
    ],
)  # fmt: skip
def test_bad_links_are_refused_with_file_and_line_and_leave_nothing(
    store: Store, tmp_path: Path, links: str, kind: type[RefusedWheel], reason: str
) -> None:
    wheel = make_wheel(
        "omp",
        files={"pack/libx.so.1": b"x", "pack/sub/m.py": "y = 1\n"},
        dist_info_files={"LINKS": links.encode("latin-1")},
    )

    with pytest.raises(kind) as refusal:
        add(store, wheel, tmp_path)

    assert f"omp-1.0.dist-info/LINKS: {reason}" in str(refusal.value)
    assert refusal.value.exit_code is ExitCode.INTEGRITY
    assert not (store.path / "entries").exists() or not os.listdir(store.path / "entries")


def test_wheel_version_2_is_known_with_links_and_not_without(store: Store, tmp_path: Path) -> None:
    text = "Wheel-Version: 2.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"

    assert read_manifest(add(store, linked(wheel_text=text), tmp_path)).links == PLANNED
    with pytest.raises(BrokenWheel, match=r"wheel version 2\.0 is not one this program knows"):
        add(store, make_wheel("plain", wheel_text=text), tmp_path)


def test_verify_is_content_with_what_was_unpacked(entry: Entry) -> None:
    assert kinds(entry) == []
    assert kinds(entry, fast=True) == []


def spoil(entry: Entry, path: str, target: str | None) -> None:
    place = entry.path / path
    place.parent.chmod(0o755)
    place.unlink()
    if target is not None:
        place.symlink_to(target)
    place.parent.chmod(0o555)


def test_links_that_are_gone_or_lead_elsewhere_are_found_and_put_back(
    entry: Entry, tmp_path: Path
) -> None:
    spoil(entry, "site-packages/pack/libx.so", "/etc/passwd")
    spoil(entry, "data/lib/libomp.so", None)
    (entry.path / "site-packages/pack").chmod(0o755)
    (entry.path / "site-packages/pack/alias").unlink()
    (entry.path / "site-packages/pack/alias").mkdir(0o555)
    (entry.path / "site-packages/pack/extra.so").symlink_to("libx.so.1")
    (entry.path / "site-packages/pack").chmod(0o555)
    found = [
        ("missing", "data/lib/libomp.so"),
        ("changed", "site-packages/pack/alias"),
        ("extra", "site-packages/pack/extra.so"),
        ("changed", "site-packages/pack/libx.so"),
    ]
    assert kinds(entry) == found
    assert kinds(entry, fast=True) == found
    wheel = linked()

    heal_in_place(check_entry(entry))
    heal_from_wheel(check_entry(entry), Source(tmp_path / wheel.filename, wheel.filename))

    assert kinds(entry) == []
    assert os.fspath((entry.path / "site-packages/pack/libx.so").readlink()) == "libx.so.1"


def test_a_link_where_a_file_should_be_is_a_change(entry: Entry) -> None:
    spoil(entry, "site-packages/pack/libx.so.1", "__init__.py")

    assert kinds(entry) == [("changed", "site-packages/pack/libx.so.1")]


def test_an_entry_made_before_links_were_known_lacks_them(entry: Entry, tmp_path: Path) -> None:
    manifest = read_manifest(entry)
    for link in manifest.links:
        spoil(entry, link.path, None)
    without = msgspec.structs.replace(manifest, links=())
    entry.path.chmod(0o755)
    (entry.path / MANIFEST).chmod(0o644)
    (entry.path / MANIFEST).write_bytes(encode_manifest(without))
    (entry.path / MANIFEST).chmod(0o444)
    entry.path.chmod(0o555)

    checked = check_entry(entry)

    missing = [found.path for found in checked.findings if found.kind == "missing"]
    assert missing == [link.path for link in PLANNED]
    wheel = linked()
    heal_from_wheel(checked, Source(tmp_path / wheel.filename, wheel.filename))
    assert kinds(entry) == []


def test_tampering_with_links_is_noticed(entry: Entry) -> None:
    assert find_tampering(entry) is None
    spoil(entry, "site-packages/pack/libx.so", "/etc/passwd")
    spoil(entry, "data/lib/libomp.so", None)

    found = find_tampering(entry)

    assert found is not None
    assert found.changed == ("site-packages/pack/libx.so",)
    assert found.removed == ("data/lib/libomp.so",)
    assert found.added == ()


def test_nobody_is_accused_where_an_entry_with_links_is_looked_through(entry: Entry) -> None:
    for directory in ("site-packages", "site-packages/pack", "site-packages/pack/sub"):
        os.utime(entry.path / directory)

    assert find_tampering(entry) is None
