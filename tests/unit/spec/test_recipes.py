from pathlib import Path

import pytest

from envmgr.names import PackageName
from envmgr.spec.problems import FileUnreadable, RecipeInvalid
from envmgr.spec.recipes import parse_known_links, read_known_links, recipe_path
from envmgr.spec.views import LinkWay

FILE = Path("/srv/links.yaml")
GOOD = """\
schema: 1
packages:
  - name: Py_Side6
    versions: ">=6,<7"
    beside: Py.Side6_Addons
    way: hardlink
    reason: It resolves links.
    evidence: Seen.
"""
NAME, BESIDE = PackageName("py-side6"), PackageName("py-side6-addons")


def test_a_package_is_read_with_its_versions_and_its_neighbour() -> None:
    (known,) = parse_known_links(GOOD.encode(), FILE)

    assert (known.name, known.beside, known.way) == (NAME, BESIDE, LinkWay.HARDLINK)
    assert known.holds_for(NAME, "6.1", {BESIDE})
    assert known.holds_for(NAME, "6.2rc1", {BESIDE})
    assert not known.holds_for(NAME, "7.0", {BESIDE})
    assert not known.holds_for(NAME, "6.1", set())
    assert not known.holds_for(PackageName("other"), "6.1", {BESIDE})


@pytest.mark.parametrize(("written", "composed"), [("true", True), ("false", False), ("", False)])
def test_a_package_may_do_with_a_composition(written: str, composed: bool) -> None:
    line = f"    composed: {written}\n    reason" if written else "    reason"
    (known,) = parse_known_links(GOOD.replace("    reason", line).encode(), FILE)
    assert known.composed is composed


def test_whether_a_composition_will_do_is_true_or_false() -> None:
    with pytest.raises(RecipeInvalid) as caught:
        parse_known_links(
            GOOD.replace("    reason", "    composed: often\n    reason").encode(), FILE
        )
    assert caught.value.details()[0].startswith("/srv/links.yaml:7:15:")


def test_every_problem_of_the_file_is_told_with_its_place() -> None:
    text = GOOD.replace("hardlink", "fold")
    with pytest.raises(RecipeInvalid) as caught:
        parse_known_links(text.replace("reason", "because").encode(), FILE)

    places = [line.split(" ")[0] for line in caught.value.details()]
    assert places == ["/srv/links.yaml:6:10:", "/srv/links.yaml:7:5:"]


@pytest.mark.parametrize(
    ("right", "wrong", "place"),
    [("Py_Side6", "_", "3:11"), (">=6,<7", "six", "4:15"), ("Py.Side6_Addons", "_", "5:13")],
)
def test_a_name_or_versions_without_meaning_are_told_with_their_place(
    right: str, wrong: str, place: str
) -> None:
    with pytest.raises(RecipeInvalid) as caught:
        parse_known_links(GOOD.replace(right, wrong).encode(), FILE)

    (problem,) = caught.value.details()
    assert problem.startswith(f"/srv/links.yaml:{place}:")


def test_a_file_that_is_empty_or_absent_is_an_error_and_not_an_empty_list(tmp_path: Path) -> None:
    with pytest.raises(RecipeInvalid):
        parse_known_links(b"", FILE)
    with pytest.raises(FileUnreadable, match=r"links\.yaml"):
        read_known_links(tmp_path / "links.yaml")


def test_the_list_that_envmgr_comes_with_can_be_read_and_gives_reasons() -> None:
    known = read_known_links()

    assert known
    assert recipe_path("links.yaml").is_file()
    assert all(each.reason.endswith(".") and each.evidence for each in known)
    assert len({each.name for each in known}) == len(known)
