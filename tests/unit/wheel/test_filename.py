import pytest
from packaging.version import Version

from envmgr.wheel.filename import InvalidWheelFilename, parse_wheel_filename, split_wheel_filename


def test_a_plain_name_is_taken_apart() -> None:
    parsed = parse_wheel_filename("numpy-2.4.6-cp312-cp312-manylinux_2_27_x86_64.whl")
    assert (parsed.name, parsed.version) == ("numpy", Version("2.4.6"))
    assert (parsed.python, parsed.abi, parsed.platform) == (
        ("cp312",),
        ("cp312",),
        ("manylinux_2_27_x86_64",),
    )
    assert (parsed.build, parsed.label) == (None, None)
    assert str(parsed) == "numpy-2.4.6-cp312-cp312-manylinux_2_27_x86_64.whl"


def test_compressed_tags_are_multiplied_out() -> None:
    parsed = parse_wheel_filename("a-1-py2.py3-none-any.whl")
    assert list(parsed.tags) == ["py2-none-any", "py3-none-any"]
    wide = parse_wheel_filename("a-1-cp311.cp312-abi3.none-linux_x86_64.any.whl")
    assert len(set(wide.tags)) == 8


def test_names_and_tags_are_normalised_and_the_text_is_kept() -> None:
    parsed = parse_wheel_filename("Foo.Bar_baz-1.0.0-PY3-None-Any.whl")
    assert parsed.name == "foo-bar-baz"
    assert list(parsed.tags) == ["py3-none-any"]
    assert parsed.text == "Foo.Bar_baz-1.0.0-PY3-None-Any.whl"


@pytest.mark.parametrize(
    ("written", "build"), [("1", (1, "")), ("007", (7, "")), ("2_post.1", (2, "_post.1"))]
)
def test_a_build_tag_is_a_number_and_the_rest(written: str, build: tuple[int, str]) -> None:
    assert parse_wheel_filename(f"a-1-{written}-py3-none-any.whl").build == build


def test_build_tags_order_by_number() -> None:
    builds = [parse_wheel_filename(f"a-1-{n}-py3-none-any.whl").build for n in ("10", "9", "9b")]
    assert sorted(b for b in builds if b) == [(9, ""), (9, "b"), (10, "")]


def test_six_parts_are_a_build_tag_or_a_label_by_the_third_parts_first_character() -> None:
    built = parse_wheel_filename("a-1-1x-py3-none-any.whl")
    labelled = parse_wheel_filename("a-1-py3-none-any-1x.whl")
    assert (built.build, built.label) == ((1, "x"), None)
    assert (labelled.build, labelled.label) == (None, "1x")


def test_seven_parts_have_both() -> None:
    parsed = parse_wheel_filename("a-1-3-py3-none-linux_x86_64-x86_64_v3.whl")
    assert (parsed.build, parsed.label) == ((3, ""), "x86_64_v3")


def test_a_local_version_keeps_its_plus() -> None:
    parsed = parse_wheel_filename("torch-2.13.0+cu128-cp312-cp312-linux_x86_64.whl")
    assert parsed.version == Version("2.13.0+cu128")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a-1-py3-none-any.tar.gz", "does not end in .whl"),
        ("a-1-py3-none-any.WHL", "does not end in .whl"),
        ("a-1-py3-none-any.whl\n", "does not end in .whl"),
        (".whl", "one of its parts is empty"),
        ("a--py3-none-any.whl", "one of its parts is empty"),
        ("a-1-none-any.whl", "4 parts"),
        ("a-1-1-py3-none-any-x-y.whl", "8 parts"),
        ("a-1-x-py3-none-any-y.whl", "'x' does not begin with a digit"),
        ("a-1-3-none-any.whl", "Python tag begins with a digit"),
        ("a-1-2-3-none-any.whl", "Python tag begins with a digit"),
        ("a-1-py3.3-none-any.whl", "'py3.3' is not a Python tag"),
        ("a-1-py3-none-any-Upper.whl", "not a variant label"),
        ("a-1-py3-none-any-x+y.whl", "not a variant label"),
        ("a-one-py3-none-any.whl", "'one' is not a version"),
        ("a-1_local-py3-none-any.whl", "'1_local' is not a version"),
        ("_a-1-py3-none-any.whl", "'_a' is not a valid package name"),
        ("ä-1-py3-none-any.whl", "not a valid package name"),
        ("a-1-py2..py3-none-any.whl", "not a Python tag"),
        ("a-1-py3-none-.whl", "one of its parts is empty"),
        ("a-1-py3-none-a/b.whl", "not a platform tag"),
        ("a-1-py3-n\N{ARABIC-INDIC DIGIT ONE}-any.whl", "is not an ABI tag"),
        ("a-1-\N{ARABIC-INDIC DIGIT ONE}-py3-none-any.whl", "is not a Python tag"),
        ("a-1-9999999999999999999999-py3-none-any.whl", "not a build tag"),
        ("a-" + "9" * 5000 + "-py3-none-any.whl", "too many digits"),
    ],
)
def test_what_is_no_wheel_name_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidWheelFilename) as caught:
        parse_wheel_filename(text)
    assert reason in caught.value.reason
    assert text in str(caught.value) or "\n" in text


def test_splitting_gives_the_parts_as_written() -> None:
    assert split_wheel_filename("Foo-1.0-2-py3-none-any-cuda.whl") == (
        "Foo",
        "1.0",
        "2",
        "py3",
        "none",
        "any",
        "cuda",
    )


def test_splitting_does_not_judge_versions_and_names() -> None:
    assert split_wheel_filename("_-nonsense-py3-none-any.whl") == (
        "_",
        "nonsense",
        None,
        "py3",
        "none",
        "any",
        None,
    )


@pytest.mark.parametrize("text", ["a.zip", "a-1.whl", "a-1-1-none-any.whl", "a-1--none-any.whl"])
def test_splitting_gives_nothing_for_what_cannot_be_a_wheel(text: str) -> None:
    assert split_wheel_filename(text) is None
