"""Laws of pages, choices and what the cache keeps of them."""

import json
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import parse_wheel_filename as parse_by_packaging
from packaging.version import Version

from envmgr.index.choosing import Choice, Chooser
from envmgr.index.html_pages import parse_html_page
from envmgr.index.offers import (
    decode_choice,
    decode_metadata,
    encode_choice,
    encode_metadata,
)
from envmgr.index.pages import Hashes, Page, PageFile, UnreadablePage, parse_json_page, parse_page
from envmgr.index.types import (
    Excluded,
    NoCompatibleTag,
    PythonMismatch,
    SourceOnly,
    UnsupportedVariant,
    UnusableMetadata,
    UploadedTooLate,
    UploadTimeUnknown,
    WheelCandidate,
)
from envmgr.names import ExtraName, IndexName, PackageName
from envmgr.wheel.metadata import CoreMetadata
from tests.support.locks import target_for

URL = "https://index.example.org/simple/spam/"
SPAM = PackageName("spam")
LAB = IndexName("lab")
TARGET = target_for((3, 12, 4))

hexes = st.text("0123456789abcdef", min_size=64, max_size=64)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
versions = st.from_regex(
    r"[0-9]{1,2}(\.[0-9]{1,2}){0,2}(a[0-9]|rc1|\.post1|\.dev2)?", fullmatch=True
)
moments = st.integers(0, 2**31).map(lambda seconds: datetime.fromtimestamp(seconds + 0.25, UTC))
tags = st.sampled_from(
    [
        "py3-none-any",
        "py2.py3-none-any",
        "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp312-cp312-manylinux_2_28_x86_64",
        "cp38-abi3-manylinux_2_17_x86_64",
        "cp311-cp311-manylinux_2_28_x86_64",
        "cp312-cp312-win_amd64",
        "cp312-cp312-musllinux_1_2_x86_64",
    ]
)
pythons = st.sampled_from([None, ">=3.8", ">=3.13", "<3.12", ">=3.12,<4", "==3.12.*"])


@st.composite
def wheel_files(draw: st.DrawFn) -> PageFile:
    build = draw(st.sampled_from(["", "-1", "-2b"]))
    filename = f"spam-{draw(versions)}{build}-{draw(tags)}.whl"
    return PageFile(
        filename=filename,
        url=draw(st.sampled_from(["../../files/", "", "https://files.example.org/"])) + filename,
        hashes=draw(st.none() | hexes.map(lambda text: Hashes(sha256=text))),
        requires_python=draw(pythons),
        size=draw(st.none() | st.integers(0, 2**40)),
        upload_time=draw(st.none() | moments.map(datetime.isoformat)),
        yanked=draw(st.booleans() | texts),
        core_metadata=draw(st.none() | st.booleans() | hexes.map(lambda text: Hashes(sha256=text))),
    )


pages = st.lists(wheel_files(), max_size=30).map(lambda files: Page(URL, tuple(files)))


@given(pages)
def test_a_page_written_as_json_is_read_back(page: Page) -> None:
    body = msgspec.json.encode({"files": page.files, "meta": {"api-version": "1.1"}})
    assert parse_json_page(body, URL) == page


@given(pages)
def test_html_and_json_say_the_same(page: Page) -> None:
    read = parse_html_page("\n".join(map(anchor, page.files)).encode(), URL)
    assert [facts(file) for file in read.files] == [facts(file) for file in page.files]


def anchor(file: PageFile) -> str:
    has, digest = file.metadata
    attributes = {
        "href": file.url + (f"#sha256={file.sha256}" if file.sha256 else ""),
        "data-requires-python": file.requires_python,
        "data-yanked": file.yank_reason,
        "data-core-metadata": (f"sha256={digest}" if digest else "true") if has else None,
    }
    inside = " ".join(f'{k}="{escape(v)}"' for k, v in attributes.items() if v is not None)
    return f"<a {inside}>{escape(file.filename)}</a>"


def facts(file: PageFile) -> tuple[object, ...]:
    return file.filename, file.sha256, file.requires_python, file.yank_reason, file.metadata


@given(pages)
def test_the_choice_is_what_a_slow_and_obvious_one_would_be(page: Page) -> None:
    best: dict[Version, tuple[object, ...]] = {}
    for file in page.files:
        _, version, build, found = parse_by_packaging(file.filename)
        ranks = [TARGET.tag_ranks[str(tag)] for tag in found if str(tag) in TARGET.tag_ranks]
        if not ranks or not TARGET.accepts_python(file.requires_python):
            continue
        key = (
            file.yank_reason is not None,
            min(ranks),
            [-n if isinstance(n, int) else n for n in build],
        )
        order = (key[0], key[1], -(build[0] if build else -1), file.filename)
        if version not in best or order < best[version]:
            best[version] = order
    choice = Chooser(TARGET).choose(page, SPAM, LAB)
    expected = [(version, order[-1]) for version, order in sorted(best.items(), reverse=True)]
    assert [(c.version, c.filename) for c in choice.candidates] == expected


@given(pages, st.none() | moments)
def test_every_version_is_a_candidate_or_excluded_and_never_both(
    page: Page, cutoff: datetime | None
) -> None:
    choice = Chooser(TARGET, cutoff).choose(page, SPAM, LAB)
    found = [c.version for c in choice.candidates] + [e.version for e in choice.excluded]
    assert sorted(found) == sorted({parse_by_packaging(file.filename)[1] for file in page.files})
    assert all(
        cutoff is None or (c.upload_time is not None and c.upload_time < cutoff)
        for c in choice.candidates
    )


@given(pages, st.randoms())
def test_the_order_of_a_page_decides_nothing(page: Page, random: object) -> None:
    shuffled = list({file.filename: file for file in page.files}.values())
    first = Chooser(TARGET).choose(Page(URL, tuple(shuffled)), SPAM, LAB)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    second = Chooser(TARGET).choose(Page(URL, tuple(shuffled)), SPAM, LAB)
    assert first.candidates == second.candidates
    assert [e.version for e in first.excluded] == [e.version for e in second.excluded]


def candidate_of(version: str, **facts: Any) -> WheelCandidate:
    """A candidate whose file name has the version, as every wheel's has."""
    filename = f"spam-{version}-py3-none-any.whl"
    return WheelCandidate(
        name=SPAM, version=Version(version), index=LAB, filename=filename, **facts
    )


candidates = st.builds(
    candidate_of,
    version=versions,
    url=st.sampled_from(
        ["https://example.org/f/spam-1-py3-none-any.whl", "https://example.org/get?id=7", "x/"]
    ),
    sha256=st.none() | hexes,
    size=st.none() | st.integers(0, 2**50),
    upload_time=st.none() | moments,
    requires_python=st.none() | texts,
    yanked=st.none() | texts,
    has_metadata=st.booleans(),
    metadata_sha256=st.none() | hexes,
    label=st.none() | st.just("cuda12"),
)
reasons = st.one_of(
    st.builds(NoCompatibleTag, st.lists(texts, max_size=3).map(tuple)),
    st.builds(PythonMismatch, texts),
    st.just(SourceOnly()),
    st.builds(UploadedTooLate, moments),
    st.just(UploadTimeUnknown()),
    st.builds(UnsupportedVariant, st.lists(texts, max_size=3).map(tuple)),
    st.builds(UnusableMetadata, texts),
)
choices = st.builds(
    Choice,
    candidates=st.lists(candidates, max_size=4).map(tuple),
    excluded=st.lists(st.builds(Excluded, versions.map(Version), reasons), max_size=4).map(tuple),
    note=st.none() | texts,
)


@given(choices)
def test_a_choice_comes_back_from_the_cache_as_it_went(choice: Choice) -> None:
    assert decode_choice(encode_choice(choice), SPAM, LAB) == choice


metadata = st.builds(
    CoreMetadata,
    name=st.just(SPAM),
    version=versions.map(Version),
    requires_python=st.none() | texts,
    requires_dist=st.lists(texts, max_size=4).map(tuple),
    provides_extra=st.frozensets(texts.map(ExtraName), max_size=3),
)


@given(metadata | st.builds(UnusableMetadata, texts))
def test_metadata_comes_back_from_the_cache_as_it_went(
    found: CoreMetadata | UnusableMetadata,
) -> None:
    assert decode_metadata(encode_metadata(found)) == found


@given(st.binary(max_size=200), st.sampled_from(["text/html", "application/json"]))
def test_any_body_is_a_page_or_refused(body: bytes, kind: str) -> None:
    try:
        page = parse_page(kind, body, URL)
    except UnreadablePage:
        return
    Chooser(TARGET).choose(page, SPAM, LAB)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.text("ht:/[]@#9", max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
keys = st.sampled_from(
    [
        "filename",
        "url",
        "hashes",
        "requires-python",
        "size",
        "upload-time",
        "yanked",
        "core-metadata",
    ]
)


@given(st.lists(st.dictionaries(keys, json_values, max_size=8), max_size=3))
def test_any_json_is_a_page_or_refused(files: list[dict[str, object]]) -> None:
    body = json.dumps(
        {"files": [{"filename": "spam-1-py3-none-any.whl", "url": "u"} | f for f in files]}
    )
    try:
        page = parse_json_page(body.encode(), URL)
    except UnreadablePage:
        return
    choice = Chooser(TARGET, datetime.now(UTC) + timedelta(1)).choose(page, SPAM, LAB)
    assert len(choice.candidates) + len(choice.excluded) <= len(page.files)
