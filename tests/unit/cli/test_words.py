import pytest

from envmgr.cli.words import nearest, split_at_word

VALUED = frozenset({"-n", "--name", "--progress"})


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [
        ("", "", ""),
        ("python -c x", "", "python -c x"),
        ("-n science python -V", "-n science", "python -V"),
        ("--name science python", "--name science", "python"),
        ("--name=science python", "--name=science", "python"),
        ("-nscience python", "-nscience", "python"),
        ("-vn science python", "-vn science", "python"),
        ("-vnscience python", "-vnscience", "python"),
        ("-q --progress json -v list", "-q --progress json -v", "list"),
        ("-n science -- -odd --name", "-n science", "-odd --name"),
        ("- python", "", "- python"),
        ("-n", "-n", ""),
    ],
)
def test_a_line_is_split_before_the_first_word_that_is_no_option(
    line: str, before: str, after: str
) -> None:
    split = split_at_word(line.split(), VALUED)

    assert (split.before, split.after) == (before.split(), after.split())


def test_the_second_double_dash_belongs_to_the_program() -> None:
    assert split_at_word(["--", "git", "--", "x"], VALUED).after == ["git", "--", "x"]


def test_the_nearest_word_is_found_and_a_distant_one_is_not() -> None:
    assert nearest("craete", ["create", "list"]) == "create"
    assert nearest("zzz", ["create", "list"]) is None
