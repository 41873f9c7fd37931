"""What the solvers ask of the source before they need it, and what they refuse to believe."""

from envmgr.events import silent
from envmgr.index.types import UnusableMetadata
from envmgr.names import PackageName
from envmgr.resolve.facts import RUN_AHEAD, Facts
from envmgr.resolve.solve import resolve
from envmgr.resolve.types import Resolution
from tests.support.universe import make_problem, parse_universe

MANY = " ".join(str(number) for number in range(1, 60))


def test_one_version_after_the_other_is_read_ahead_each_once() -> None:
    universe = parse_universe(f"a {MANY}")
    facts = Facts(make_problem("a"), universe, silent)
    name = PackageName("a")
    facts.metadata(name, 0)
    assert universe.ahead == [], "the first choice is usually the last"
    facts.metadata(name, 1)
    assert universe.ahead == ["a 57", "a 56", "a 55", "a 54"]
    for option in range(2, 30):
        facts.metadata(name, option)
    assert len(universe.ahead) == len(set(universe.ahead)), "nothing is fetched twice"
    assert len(universe.ahead) == 29 + RUN_AHEAD - 1
    assert len(facts.package(name).options) == 59


def test_a_marker_without_meaning_makes_metadata_unusable_and_is_backtracked_from() -> None:
    universe = parse_universe("a 1\na 2: b ; os_name ~= 'x'\nb 1")
    facts = Facts(make_problem("a"), universe, silent)
    refusal = facts.demands((PackageName("a"), 0, None))
    assert isinstance(refusal, UnusableMetadata)
    assert "os_name" in refusal.reason
    answer = resolve(make_problem("a"), universe)
    assert isinstance(answer, Resolution)
    assert str(answer.chosen[PackageName("a")].candidate.version) == "1"
