"""Laws of wheel file names."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import InvalidWheelFilename as PackagingRefuses
from packaging.utils import parse_wheel_filename as packaging_parses

from envmgr.wheel.filename import InvalidWheelFilename, parse_wheel_filename, split_wheel_filename

NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._]{0,10}[A-Za-z0-9])?", fullmatch=True)
VERSIONS = st.from_regex(
    r"([0-9]{1,2}!)?[0-9]{1,3}(\.[0-9]{1,3}){0,3}((a|b|rc)[0-9])?(\.post[0-9])?(\.dev[0-9])?"
    r"(\+[a-z0-9]{1,4}(\.[a-z0-9]{1,4})?)?",
    fullmatch=True,
)
BUILDS = st.from_regex(r"[0-9]{1,4}[a-z_.]{0,4}", fullmatch=True)
PYTHONS = st.from_regex(r"[a-z][a-z0-9_]{0,6}(\.[a-z][a-z0-9_]{0,6}){0,2}", fullmatch=True)
TAGS = st.from_regex(r"[a-z0-9_]{1,8}(\.[a-z0-9_]{1,8}){0,2}", fullmatch=True)
LABELS = st.from_regex(r"[0-9a-z_.]{1,12}", fullmatch=True)
SOUP = st.text("-._+0123456789abcXYZ\u0661\n", max_size=60).map(lambda text: text + ".whl")


@given(NAMES, VERSIONS, st.none() | BUILDS, PYTHONS, TAGS, TAGS, st.none() | LABELS)
def test_the_parts_of_a_name_come_back(
    name: str,
    version: str,
    build: str | None,
    python: str,
    abi: str,
    platform: str,
    label: str | None,
) -> None:
    parts = (name, version, build, python, abi, platform, label)
    text = "-".join(part for part in parts if part is not None) + ".whl"
    assert split_wheel_filename(text) == parts
    parsed = parse_wheel_filename(text)
    assert parsed.label == label
    assert (parsed.build is None) == (build is None)
    if parsed.build is not None and build is not None:
        assert parsed.build[0] == int(build[: len(build) - len(parsed.build[1])])
    tags = list(parsed.tags)
    assert len(tags) == len(parsed.python) * len(parsed.abi) * len(parsed.platform)
    assert tags[0] == "-".join((parsed.python[0], parsed.abi[0], parsed.platform[0]))


@given(NAMES, VERSIONS, st.none() | BUILDS, PYTHONS, TAGS, TAGS)
def test_names_without_a_label_mean_what_packaging_says(
    name: str, version: str, build: str | None, python: str, abi: str, platform: str
) -> None:
    parts = (name, version, build, python, abi, platform)
    text = "-".join(part for part in parts if part is not None) + ".whl"
    try:
        expected = packaging_parses(text)
    except PackagingRefuses:  # names with two underscores in a row, which old wheels have
        assert "__" in name
        return
    parsed = parse_wheel_filename(text)
    assert parsed.name == str(expected[0])
    assert (parsed.version, parsed.build or ()) == expected[1:3]
    assert frozenset(parsed.tags) == {str(tag) for tag in expected[3]}


@given(SOUP | st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    split = split_wheel_filename(text)
    with suppress(InvalidWheelFilename):
        parsed = parse_wheel_filename(text)
        assert split is not None
        assert parsed.text == text
