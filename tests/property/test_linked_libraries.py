"""Laws of ``wheel link``: no path loses its content, and doing it twice is doing it once."""

from hypothesis import given
from hypothesis import strategies as st

from envmgr.wheel.linked import link_libraries
from envmgr.wheel.links import InvalidLinks, LinkRow, plan_links
from envmgr.wheel.manifest import link_ends
from envmgr.wheel.writing import Part, PartLink
from tests.support.elves import Elf

NAMES = ("libfoo.so", "libfoo.so.1", "libfoo.so.1.2", "libbar.so", "libbar.so.1", "text.txt")
CONTENTS = (
    bytes(Elf(soname="libfoo.so.1")),
    bytes(Elf(soname="libfoo.so", needed=["libbar.so"])),
    bytes(Elf(needed=["libfoo.so.1.2", "libbar.so.1"])),
    bytes(Elf()),
    b"text",
)
PATHS = tuple(f"site-packages/{place}/{name}" for place in ("p", "q") for name in NAMES)


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[Part], list[PartLink]]:
    """Files, and links among them that a wheel could have."""
    files = draw(st.dictionaries(st.sampled_from(PATHS), st.sampled_from(CONTENTS), min_size=1))
    parts = [Part(path, data) for path, data in files.items()]
    there, links = list(files), []
    for path in draw(st.lists(st.sampled_from(PATHS), unique=True)):
        if path not in there:
            links.append(PartLink(path, draw(st.sampled_from(there))))
            there.append(path)
    return parts, links


def contents(parts: list[Part], links: list[PartLink]) -> dict[str, bytes]:
    """What is read under every path, whether a file or a link; refused links raise."""
    files = {part.path: part.data for part in parts}
    rows = [LinkRow(line, link.target, link.path) for line, link in enumerate(links, 1)]
    ends = link_ends(plan_links(rows, files, "p-1.dist-info"))
    return files | {path: files[end] for path, end in ends.items()}


@given(trees())
def test_every_path_has_the_content_it_had(tree: tuple[list[Part], list[PartLink]]) -> None:
    parts, links = tree
    try:
        before = contents(parts, links)
    except InvalidLinks:  # a link at a place that the wheel does not have
        return

    linked = link_libraries(parts, links)

    assert contents(list(linked.parts), list(linked.links)) == before


@given(trees())
def test_twice_is_once(tree: tuple[list[Part], list[PartLink]]) -> None:
    once = link_libraries(*tree)

    twice = link_libraries(once.parts, once.links)

    assert {part.path for part in twice.parts} == {part.path for part in once.parts}
    assert {*twice.links} == {*once.links}
