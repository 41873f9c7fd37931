from envmgr.index.routing import Route, reserving_glob, route
from envmgr.names import IndexName, PackageName
from envmgr.spec.types import IndexSpec


def index(name: str, *packages: str) -> IndexSpec:
    url = f"https://{name}.example.org/simple/"
    return IndexSpec(name=IndexName(name), url=url, shown_url=url, packages=packages)


LAB, TEAM, WORLD, MIRROR = index("lab", "lab-*"), index("team", "*-tool"), index("w"), index("m")


def test_a_name_nobody_reserves_goes_to_all_that_reserve_nothing_in_order() -> None:
    assert route((LAB, WORLD, TEAM, MIRROR), PackageName("numpy")) == Route((WORLD, MIRROR))


def test_a_reserved_name_goes_to_its_index_alone_wherever_that_stands() -> None:
    assert route((WORLD, LAB), PackageName("lab-tools")) == Route((LAB,), "lab-*")


def test_of_two_indexes_that_reserve_a_name_the_first_has_it() -> None:
    assert route((WORLD, LAB, TEAM), PackageName("lab-tool")).indexes == (LAB,)
    assert route((WORLD, TEAM, LAB), PackageName("lab-tool")).indexes == (TEAM,)


def test_without_an_index_that_may_answer_nobody_is_asked() -> None:
    assert route((LAB,), PackageName("numpy")) == Route(())


def test_globs_match_whole_names() -> None:
    lab = index("lab", "spam", "lab-[ab]?")
    assert reserving_glob(lab, PackageName("spam")) == "spam"
    assert reserving_glob(lab, PackageName("spam-more")) is None
    assert reserving_glob(lab, PackageName("lab-a1")) == "lab-[ab]?"
    assert reserving_glob(lab, PackageName("lab-c1")) is None
