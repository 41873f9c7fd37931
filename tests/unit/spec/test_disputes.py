from pathlib import Path

import pytest

from envmgr.names import PackageName
from envmgr.spec.disputes import parse_known_disputes, read_known_disputes
from envmgr.spec.problems import RecipeInvalid

FILE = Path("/srv/disputes.yaml")
GOOD = """\
schema: 1
disputes:
  - path: /share/doc/*
    packages: [Bread_Shop, bread-docs, bread.licence]
    reason: Nobody reads it.
    evidence: Seen.
"""


@pytest.mark.parametrize(
    ("written", "claimants", "winner"),
    [
        ("/share/doc/x.txt", {"bread-shop", "bread-docs"}, "bread-shop"),
        ("/share/doc/x.txt", {"bread-licence", "bread-docs"}, "bread-docs"),
        ("/share/doc/x.txt", {"bread-shop", "bread-docs", "bread-licence"}, "bread-shop"),
        ("/share/doc/x.txt", {"bread-shop", "butter"}, None),
        ("/share/doc/x.txt", {"bread-shop", "bread-docs", "butter"}, None),
        ("/share/other/x.txt", {"bread-shop", "bread-docs"}, None),
        ("share/doc/x.txt", {"bread-shop", "bread-docs"}, None),
    ],
)
def test_the_first_package_that_brings_a_file_keeps_it_among_those_listed(
    written: str, claimants: set[str], winner: str | None
) -> None:
    (known,) = parse_known_disputes(GOOD.encode(), FILE)

    assert known.winner(written, claimants) == (winner and PackageName(winner))


@pytest.mark.parametrize(
    ("right", "wrong", "place"),
    [
        ("Bread_Shop", "_", "4:16"),
        ("[Bread_Shop, bread-docs, bread.licence]", "[bread, Bread]", "3:5"),
        ("reason", "because", "5:5"),
    ],
)
def test_what_means_nothing_is_told_with_its_place(right: str, wrong: str, place: str) -> None:
    with pytest.raises(RecipeInvalid) as caught:
        parse_known_disputes(GOOD.replace(right, wrong).encode(), FILE)

    assert any(each.startswith(f"{FILE}:{place}:") for each in caught.value.details())


def test_the_list_that_envmgr_comes_with_can_be_read_and_gives_reasons() -> None:
    known = read_known_disputes()

    assert known
    assert all(each.reason.endswith(".") and each.evidence for each in known)
    assert all(each.path.startswith("/share/doc/") for each in known)
