import msgspec
import pytest

from envmgr.names import PackageName
from envmgr.wheel.manifest import (
    MANIFEST_VERSION,
    ElfFacts,
    EntryPoint,
    FileFacts,
    LinkFacts,
    Manifest,
    ManifestUnreadable,
    decode_manifest,
    encode_manifest,
    link_ends,
    make_manifest,
)

HASH = "0" * 64


def _manifest(
    *paths: str, elf: tuple[ElfFacts, ...] = (), links: tuple[LinkFacts, ...] = ()
) -> Manifest:
    return make_manifest(
        name=PackageName("a"),
        version="1.0",
        wheel="a-1.0-py3-none-any.whl",
        root_is_purelib=False,
        dist_info="a-1.0.dist-info",
        entry_points=(EntryPoint("console_scripts", "a", "a:main"),),
        files=[FileFacts(path, 1, False, HASH) for path in paths],
        elf=elf,
        links=links,
    )


def _library(path: str, *runpath: str) -> ElfFacts:
    return ElfFacts(path, "x86_64", 64, None, ("libx.so",), (), runpath, {}, ())


def test_the_parts_and_what_stands_at_the_top_are_told() -> None:
    manifest = _manifest(
        "site-packages/b/x.py",
        "site-packages/a-1.0.dist-info/METADATA",
        "site-packages/a.py",
        "scripts/tool",
        "data/share/x",
    )
    assert manifest.top_level == ("a.py", "b")
    assert manifest.data == ("data", "scripts")
    assert manifest.dist_info == "a-1.0.dist-info"


def test_files_are_in_one_order_whatever_order_they_came_in() -> None:
    paths = ["site-packages/b.py", "site-packages/a.py", "data/x"]
    assert _manifest(*paths) == _manifest(*reversed(paths))
    assert [facts.path for facts in _manifest(*paths).files] == sorted(paths)


def test_links_are_sorted_among_the_files_and_make_parts_like_them() -> None:
    links = (LinkFacts("data/x", "y"), LinkFacts("data/lib/a", "../y"))

    manifest = _manifest("data/y", "site-packages/a.py", links=links)

    assert [each.path for each in manifest.links] == ["data/lib/a", "data/x"]
    assert [each.path for each in manifest.files_and_links] == [
        "data/lib/a",
        "data/x",
        "data/y",
        "site-packages/a.py",
    ]
    assert manifest.data == ("data",)
    assert [each.target for each in manifest.links] == ["data/y", "data/y"]


def test_the_end_of_a_link_is_found_over_others_and_circles_end() -> None:
    chain = [LinkFacts("p/a", "b"), LinkFacts("p/b", "c/d"), LinkFacts("p/x", "y")]
    circle = [LinkFacts("q/a", "b"), LinkFacts("q/b", "a")]

    ends = link_ends([*chain, *circle])

    assert {path: ends[path] for path in ("p/a", "p/b", "p/x")} == {
        "p/a": "p/c/d",
        "p/b": "p/c/d",
        "p/x": "p/y",
    }
    assert ends.keys() == {link.path for link in (*chain, *circle)}


def test_reaching_is_computed_from_the_libraries() -> None:
    library = _library("site-packages/a/lib/x.so", "$ORIGIN/../../other/lib")
    manifest = _manifest("site-packages/a/lib/x.so", elf=(library,))
    assert manifest.reaching == ("site-packages/a/lib",)
    assert manifest.elf == (library,)


def test_a_manifest_survives_being_written_and_read() -> None:
    library = ElfFacts(
        "site-packages/x.so", "aarch64", 64, "x", ("c",), ("r",), (), {"c": ("v",)}, ("w",)
    )
    manifest = _manifest("site-packages/x.so", elf=(library,))
    assert decode_manifest(encode_manifest(manifest)) == manifest
    assert encode_manifest(manifest) == encode_manifest(decode_manifest(encode_manifest(manifest)))


def test_a_manifest_of_another_version_says_so_whatever_else_it_holds() -> None:
    data = msgspec.msgpack.encode({"manifest_version": MANIFEST_VERSION + 1, "name": 3})
    with pytest.raises(ManifestUnreadable) as caught:
        decode_manifest(data, "the manifest of a")
    assert str(caught.value) == (
        f"the manifest of a cannot be read: it has version {MANIFEST_VERSION + 1}, "
        f"and this envmgr reads {MANIFEST_VERSION}"
    )


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\x80", msgspec.msgpack.encode({"manifest_version": MANIFEST_VERSION})]
)
def test_a_damaged_manifest_is_an_integrity_error(data: bytes) -> None:
    with pytest.raises(ManifestUnreadable, match="cannot be read"):
        decode_manifest(data)


def test_a_manifest_cut_anywhere_is_never_read_as_another() -> None:
    whole = encode_manifest(_manifest("site-packages/a.py"))
    for length in range(len(whole)):
        with pytest.raises(ManifestUnreadable):
            decode_manifest(whole[:length])
