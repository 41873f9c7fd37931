import pytest
from packaging.version import Version

from envmgr.index.types import NoCompatibleTag
from envmgr.resolve.words import listed, ranged, withheld_because
from tests.support.universe import make_target


def versions(text: str) -> list[Version]:
    return [Version(one) for one in text.split()]


@pytest.mark.parametrize(
    ("items", "text"), [("", ""), ("a", "a"), ("ab", "a and b"), ("abc", "a, b and c")]
)
def test_a_list_reads_as_a_sentence(items: str, text: str) -> None:
    assert listed(list(items)) == text


@pytest.mark.parametrize(
    ("some", "of", "text", "plural", "unbroken"),
    [
        ("1", "1 2", "1", False, True),
        ("1 2", "1 2 3", "1 and 2", True, True),
        ("3 1 2", "1 2 3 4", "1 to 3", True, True),
        ("1 3", "1 2 3", "1 and 3", True, False),
        ("1 2 3 5", "1 2 3 4 5", "1 to 3 and 5", True, False),
        ("1 3 5 7 9", "1 2 3 4 5 6 7 8 9", "1, 3, 5 and 2 more", True, False),
    ],
)
def test_versions_are_told_in_runs(
    some: str, of: str, text: str, plural: bool, unbroken: bool
) -> None:
    told = ranged(versions(some), versions(of))
    assert (told.text, told.plural, told.unbroken) == (text, plural, unbroken)


def test_tags_are_told_by_python_where_only_that_differs() -> None:
    reason = NoCompatibleTag(
        tuple(
            f"cp{v}-cp{v}-manylinux_2_17_x86_64.manylinux_2_36_x86_64" for v in (39, 310, 311, 38)
        )
    )
    told = withheld_because([reason], make_target("3.13.0"), plural=False)
    assert told == "has no wheel for Python 3.13 on linux x86_64: built for cp38 … cp311"


def test_tags_are_told_by_abi_where_the_python_is_the_same() -> None:
    reason = NoCompatibleTag(("cp313-cp313t-manylinux_2_36_x86_64",))
    told = withheld_because([reason], make_target("3.13.0"), plural=True)
    assert told == "have no wheel for Python 3.13 on linux x86_64: built for cp313-cp313t"


def test_tags_that_are_none_are_not_told() -> None:
    told = withheld_because([NoCompatibleTag(())], make_target("3.13.0"), plural=False)
    assert told == "has no wheel for Python 3.13 on linux x86_64"
