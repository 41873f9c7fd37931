"""Every file of ``tests/corpus/links``: ``bad`` ones break one rule each, ``good`` ones none.

The file ``.expected`` beside one says what must come of it.
"""

from pathlib import Path

import pytest

from envmgr.wheel.links import InvalidLinks, LinkRow, parse_links, relative_text
from envmgr.wheel.manifest import LinkFacts
from envmgr.wheel.unpack import entry_links

CORPUS = Path(__file__).parents[2] / "corpus" / "links"
FILES = (
    "site-packages/pack/__init__.py",
    "site-packages/pack/libfoo.so.1",
    "site-packages/pack/libbar.so",
    "site-packages/pack/sub/deep/libz.so",
    "site-packages/lib-1.0.dist-info/METADATA",
    "data/lib/libomp.so.5",
    "scripts/tool",
)


def planned(file: Path) -> tuple[LinkFacts, ...]:
    return entry_links(parse_links(file.read_bytes().decode()), FILES, "lib-1.0.dist-info")


def expected(file: Path) -> str:
    return file.with_suffix(".expected").read_text("utf-8")


@pytest.mark.parametrize("file", sorted(CORPUS.glob("bad/*.links")), ids=lambda file: file.stem)
def test_a_bad_file_is_refused_for_its_one_fault(file: Path) -> None:
    with pytest.raises(InvalidLinks) as refusal:
        planned(file)

    kind = "unsafe" if refusal.value.unsafe else "broken"
    assert f"{kind}: line {refusal.value.line}: {refusal.value.reason}\n" == expected(file)


@pytest.mark.parametrize("file", sorted(CORPUS.glob("good/*.links")), ids=lambda file: file.stem)
def test_a_good_file_gives_its_links_targets_first(file: Path) -> None:
    assert "".join(f"{link.path} -> {link.text}\n" for link in planned(file)) == expected(file)


def test_the_corpus_is_there() -> None:
    assert len(list(CORPUS.glob("bad/*.links"))) > 40
    assert len(list(CORPUS.glob("good/*.links"))) > 10


def test_lines_are_told_by_their_number_in_the_file() -> None:
    assert parse_links('a/b,a/c\n\n"a/d","a/e"\r\n') == (
        LinkRow(1, "a/b", "a/c"),
        LinkRow(3, "a/d", "a/e"),
    )


@pytest.mark.parametrize(
    ("path", "target", "text"),
    [
        ("a/b", "a/c", "c"),
        ("a/b", "a/c/d", "c/d"),
        ("a/x/b", "a/c", "../c"),
        ("a/x/y/b", "a/z/c", "../../z/c"),
        ("a/x/b", "a/x", "../x"),
    ],
)
def test_a_link_says_the_shortest_way(path: str, target: str, text: str) -> None:
    assert relative_text(path, target) == text
    assert LinkFacts(path, text).target == target
