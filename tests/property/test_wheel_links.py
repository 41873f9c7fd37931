"""Laws of LINKS: what is written is read, and no accepted link leads out of its entry."""

import os
import tempfile
import unicodedata
from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from envmgr.wheel.central_directory import path_problem
from envmgr.wheel.links import InvalidLinks, LinkRow, parse_links, plan_links, render_links
from envmgr.wheel.manifest import LinkFacts

FILES = ("site-packages/p/a", "site-packages/p/d/b", "site-packages/q/c", "data/lib/a")
SEGMENT = st.sampled_from(["p", "q", "d", "a", "b", "c", "x", "y", "lib", "..", ".", "", "P"])
PATH = st.builds(
    lambda part, segments: "/".join([part, *segments]),
    st.sampled_from(["site-packages", "data", "scripts", "..", ""]),
    st.lists(SEGMENT, min_size=1, max_size=4),
)
ROWS = st.lists(st.tuples(PATH, PATH), max_size=6)
SAFE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="/\\:"),
    min_size=1,
    max_size=8,
).filter(lambda text: path_problem(text) is None and unicodedata.normalize("NFC", text) == text)


def planned(pairs: list[tuple[str, str]]) -> tuple[LinkFacts, ...] | None:
    with suppress(InvalidLinks):
        return plan_links(parse_links(render_links(pairs)), FILES, "p-1.0.dist-info")
    return None


@given(st.lists(st.tuples(SAFE, SAFE), max_size=5))
def test_what_is_written_is_read(pairs: list[tuple[str, str]]) -> None:
    text = render_links(pairs)
    rows = parse_links(text)
    assert [(row.first, row.second) for row in rows] == pairs
    assert render_links((row.first, row.second) for row in rows) == text


@given(ROWS)
def test_accepted_links_end_at_what_the_wheel_holds(pairs: list[tuple[str, str]]) -> None:
    links = planned(pairs)
    if links is None:
        return
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory, "entry")
        for path in FILES:
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(path)
        for link in links:
            place = root / link.path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(link.text)
            end = place.resolve(strict=True)
            assert end.is_relative_to(root.resolve())
            assert os.path.lexists(root / link.target)
            assert not place.parent.resolve().is_relative_to(end)
        walked = sum(len(names) for _, _, names in os.walk(root, followlinks=True))
        assert walked < 100


@given(ROWS, st.randoms())
def test_the_order_of_lines_decides_nothing(pairs: list[tuple[str, str]], random: object) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = planned(pairs), planned(shuffled)
    assert (one is None) == (other is None)
    assert one is None or sorted(one, key=repr) == sorted(other or (), key=repr)


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=10))
def test_targets_come_before_what_leads_to_them(pairs: list[tuple[str, str]]) -> None:
    rows = [
        LinkRow(line, f"site-packages/p/{one}", f"site-packages/p/{two}")
        for line, (one, two) in enumerate(pairs, 1)
    ]
    with suppress(InvalidLinks):
        seen = {*FILES, "site-packages/p/d"}
        for link in plan_links(rows, FILES, "p-1.0.dist-info"):
            assert link.target in seen
            seen.add(link.path)
