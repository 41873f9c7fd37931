"""Laws of the parts that take short cuts: setting lines aside by text, halving versions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from envmgr.names import ExtraName
from envmgr.resolve import ranges
from envmgr.resolve.lines import sort_lines
from tests.support.universe import TARGET

EXTRAS = (None, "x", "y")

atoms = st.sampled_from(
    [
        'extra == "x"', "extra == 'X'", 'extra=="y"', '"x" == extra', 'extra != "x"',
        'python_version >= "3.8"', 'python_version < "3"', "sys_platform == 'linux'",
        "os_name == 'nt'", "platform_version == \"extra == 'x'\"", "platform_version == '('",
        "platform_version != ') or'", 'extra in "x y"',
    ]
)  # fmt: skip
markers = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join),
        inner.map(lambda text: f"({text})"),
    ),
    max_leaves=5,
)


def counts(line: str, extra: str | None) -> bool:
    marker = Requirement(line).marker
    return marker is None or marker.evaluate({**TARGET.markers, "extra": extra or ""})


@given(st.lists(markers, min_size=1, max_size=4))
@settings(deadline=None, max_examples=400)
def test_no_line_that_counts_is_set_aside(texts: list[str]) -> None:
    every = tuple(f"p{place} ; {text}" for place, text in enumerate(texts))
    lines = sort_lines(every)
    without = {line for line in lines.for_extra(None) if counts(line, None)}
    for extra in EXTRAS:
        looked_at = without | set(lines.for_extra(ExtraName(extra) if extra else None))
        for line in every:
            if counts(line, extra):
                assert line in looked_at, (extra, line)


numbers = st.integers(0, 3).map(str)
releases = st.lists(numbers, min_size=1, max_size=3).map(".".join)
texts = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["", "", "", "1!"]),
    releases,
    st.sampled_from(["", "", "a1", "b2", "rc1"]),
    st.sampled_from(["", "", ".post1", ".post0"]),
    st.sampled_from(["", "", ".dev0", ".dev1"]),
)
versions = st.builds("{}{}".format, texts, st.sampled_from(["", "", "", "+l1", "+2"])).map(Version)
clauses = st.one_of(
    st.tuples(st.sampled_from(["==", "!="]), releases, st.just(".*")).map("".join),
    st.tuples(st.sampled_from([">=", "<=", ">", "<", "==", "!=", "~=", "==="]), texts).map("".join),
)


@pytest.fixture(autouse=True)
def _halving_even_few_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "SCANNED", 0)


@given(st.lists(versions, min_size=1, max_size=40), st.lists(clauses, max_size=3), st.booleans())
@settings(deadline=None, max_examples=500)
def test_halving_finds_what_asking_each_version_finds(
    some: list[Version], wanted: list[str], newest_first: bool
) -> None:
    try:
        specifier = SpecifierSet(",".join(wanted))
    except InvalidSpecifier:
        return
    order = sorted(some, reverse=True) if newest_first else some
    asked = [specifier.contains(version, prereleases=True) for version in order]
    mask = ranges.VersionOrder(order).mask(specifier)
    assert [bool(mask >> place & 1) for place in range(len(order))] == asked
