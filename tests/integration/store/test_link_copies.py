"""Copies of entries with links: a site's manifest is somebody else's word."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from envmgr.store.copy import NotCopied
from envmgr.store.entry import MANIFEST, Entry, read_manifest
from envmgr.store.store import Store, open_store
from envmgr.store.verify import check_entry
from envmgr.wheel.manifest import LinkFacts, Manifest, encode_manifest
from tests.support.views import add
from tests.support.wheels import make_wheel

LINKS = """\
pack/libx.so.1,pack/libx.so
pack/libx.so,pack/sub/libx.so
pack/sub,pack/alias
"""
WHEEL = make_wheel(
    "pack",
    files={"pack/__init__.py": "", "pack/libx.so.1": b"x", "pack/sub/m.py": "y = 1\n"},
    dist_info_files={"LINKS": LINKS},
)


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    return add(open_store((tmp_path / "site",)), WHEEL, tmp_path)


@pytest.fixture
def own(tmp_path: Path) -> Store:
    return open_store((tmp_path / "own",))


def tell(entry: Entry, change: Callable[[Manifest], Manifest]) -> None:
    """Let the manifest of an entry say something else."""
    data = encode_manifest(change(read_manifest(entry)))
    entry.path.chmod(0o755)
    (entry.path / MANIFEST).chmod(0o644)
    (entry.path / MANIFEST).write_bytes(data)


def test_links_come_along(entry: Entry, own: Store) -> None:
    copy = own.add_copy(entry)
    assert check_entry(copy).findings == ()
    assert read_manifest(copy) == read_manifest(entry)
    for link in read_manifest(entry).links:
        assert str((copy.path / link.path).readlink()) == link.text
    assert (copy.path / "site-packages/pack/sub/libx.so").read_bytes() == b"x"


EVIL = {
    "out of the entry": LinkFacts("site-packages/pack/evil", "../../../../../etc"),
    "an absolute path": LinkFacts("site-packages/pack/evil", "/etc"),
    "over a file": LinkFacts("site-packages/pack/__init__.py", "libx.so.1"),
    "another target": LinkFacts("site-packages/pack/libx.so", "sub/m.py"),
    "in no part": LinkFacts("evil", "site-packages/pack"),
    "above the entry": LinkFacts("../evil", "pack"),
}


@pytest.mark.parametrize("evil", EVIL)
def test_a_manifest_that_tells_of_other_links_is_not_believed(
    entry: Entry, own: Store, evil: str
) -> None:
    link = EVIL[evil]

    def change(manifest: Manifest) -> Manifest:
        others = [each for each in manifest.links if each.path != link.path]
        links = tuple(sorted([*others, link], key=lambda each: each.path))
        return msgspec.structs.replace(manifest, links=links)

    tell(entry, change)
    with pytest.raises(NotCopied) as refused:
        own.add_copy(entry)
    assert refused.value.reason == "the manifest has other links than LINKS"
    assert list((own.path / "entries").iterdir()) == []


def test_a_manifest_that_tells_of_no_links_is_not_believed(entry: Entry, own: Store) -> None:
    tell(entry, lambda manifest: msgspec.structs.replace(manifest, links=()))
    with pytest.raises(NotCopied):
        own.add_copy(entry)


def test_links_that_no_rule_allows_are_not_made(entry: Entry, own: Store) -> None:
    """Even where LINKS and the manifest agree."""
    info = f"site-packages/{read_manifest(entry).dist_info}"
    rows = b"pack/__init__.py,../evil\n"
    for name in ("LINKS", "RECORD"):
        path = entry.path / info / name
        path.parent.chmod(0o755)
        path.chmod(0o644)
        path.write_bytes(rows if name == "LINKS" else b"")

    def change(manifest: Manifest) -> Manifest:
        told = {f"{info}/LINKS": rows, f"{info}/RECORD": b""}
        files = tuple(
            msgspec.structs.replace(
                file,
                size=len(told[file.path]),
                sha256=hashlib.sha256(told[file.path]).hexdigest(),
            )
            if file.path in told
            else file
            for file in manifest.files
        )
        evil = LinkFacts("site-packages/../evil", "pack/__init__.py")
        return msgspec.structs.replace(manifest, files=files, links=(evil,))

    tell(entry, change)
    with pytest.raises(NotCopied) as refused:
        own.add_copy(entry)
    assert refused.value.reason.startswith("its links cannot be told: LINKS cannot be used")
