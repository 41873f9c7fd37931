"""The one door: what it asks of its source, what it tells, and what it does about resolvelib."""

import re
import sys
from collections import Counter

import pytest

from envmgr.errors import ExitCode, IndexFailure, UnsatisfiableError
from envmgr.events import Event, StageAdvanced
from envmgr.index.types import Offer
from envmgr.names import PackageName
from envmgr.resolve.facts import Facts
from envmgr.resolve.graph import is_valid
from envmgr.resolve.impossible import ResolutionImpossible
from envmgr.resolve.provider import propose
from envmgr.resolve.solve import resolve
from envmgr.resolve.types import Conflict, Resolution
from tests.support.universe import Universe, make_problem, parse_universe


class Unreachable(IndexFailure):
    pass


class FailingUniverse(Universe):
    def offer(self, name: PackageName) -> Offer:
        if name == "b":
            raise Unreachable
        return super().offer(name)


def resolved(answer: object) -> dict[str, str]:
    assert isinstance(answer, Resolution), answer
    return {name: str(one.candidate.version) for name, one in answer.chosen.items()}


def test_roots_are_prefetched_before_anything_is_asked() -> None:
    universe = parse_universe("a 1: c | d\nb 1\nc 1\nd 1")
    resolve(make_problem("a", "b"), universe)
    assert universe.prefetched == ["a", "b", "c", "d"]


def test_names_are_prefetched_once() -> None:
    universe = parse_universe("a 1: b | c\nb 1: a | c\nc 1 2: a | b")
    resolve(make_problem("a", "b", "c <2"), universe)
    assert sorted(universe.prefetched) == ["a", "b", "c"]


def test_only_chosen_versions_are_read_where_nothing_clashes() -> None:
    universe = parse_universe("a 1 2 3: b\nb 1 2 3")
    resolve(make_problem("a"), universe)
    assert {one for one in universe.asked if " " in one} == {"a 3", "b 3"}


def test_pins_are_not_searched_for_where_yanked_versions_would_not_help() -> None:
    old = " ".join(map(str, range(1, 30)))
    universe = parse_universe(
        f"base {old}\nbase 30\nplugin 1 3: base >=30\nplugin 2 yanked: base >=30"
    )
    answer = resolve(make_problem("base <30", "plugin"), universe)
    assert isinstance(answer, Conflict)
    assert "plugin 2" in universe.asked
    assert "base 1" not in universe.asked


def test_a_name_that_has_nothing_left_is_found_before_others_are_read_to_their_end() -> None:
    many = " ".join(map(str, range(3, 150)))
    universe = parse_universe(
        f"base 1 2 9\nall 1: wide | narrow\nwide 1 2: base\nwide {many}: base >=9\n"
        f"narrow {' '.join(map(str, range(1, 20)))}: base >=9"
    )
    answer = resolve(make_problem("all", "base <9"), universe)
    assert isinstance(answer, Conflict)
    assert "Every narrow from 1 to 19 needs base >=9." in answer.sentences
    read = Counter(asked.partition(" ")[0] for asked in universe.asked if " " in asked)
    assert read["narrow"] == 19
    assert read["wide"] < 40


def test_suspicion_of_a_name_changes_nothing_about_what_is_chosen() -> None:
    many = " ".join(map(str, range(3, 60)))
    universe = parse_universe(
        f"base 1 9\nall 1: wide | other\nwide 1 2: base\nwide {many}: base >=9\n"
        f"other 1 2 3 4 5: base <9\nother 6 7 8 9 10 11 12 13 14 15 16: base >=9"
    )
    answer = resolve(make_problem("all", "base <9"), universe)
    assert resolved(answer) == {"all": "1", "base": "1", "other": "5", "wide": "2"}


def test_each_name_is_reported_once() -> None:
    events: list[Event] = []
    resolve(make_problem("a", "b"), parse_universe("a 1: b\na 2: b >=2\nb 1"), events.append)
    advanced = Counter(event.item for event in events if isinstance(event, StageAdvanced))
    assert advanced == {"a": 1, "b": 1}


def test_long_walks_through_versions_say_what_is_tried() -> None:
    events: list[Event] = []
    many = " ".join(map(str, range(2, 40)))
    universe = parse_universe(f"base 1 9\nwide 1: base\nwide {many}: base >=9")
    resolve(make_problem("wide", "base <9"), universe, events.append)
    told = [each.item for each in events if isinstance(each, StageAdvanced) and each.done == 0]
    assert told[:2] == ["trying wide 31", "trying wide 23"]
    assert len(told) < 8


def test_an_unreachable_index_is_never_no_versions() -> None:
    universe = FailingUniverse(**vars(parse_universe("a 1: b\na 0\nb 1")))
    with pytest.raises(Unreachable):
        resolve(make_problem("a"), universe)


def test_a_chain_longer_than_the_stack_is_resolved() -> None:
    length = sys.getrecursionlimit() + 100
    lines = [f"p{number} 1: p{number + 1}" for number in range(length)]
    universe = parse_universe("\n".join([*lines, f"p{length} 1: p0"]))
    assert len(resolved(resolve(make_problem("p0"), universe))) == length + 1


def test_an_answer_that_resolvelib_does_not_find_is_found() -> None:
    """It jumps back past b: d, which failed, is not among the requirements of b."""
    text = "a 1: b\nb 1\nb 3: c\nc 2: d\nd 1: d >=3"
    assert propose(Facts(make_problem("a"), parse_universe(text), lambda _event: None)) is None
    assert resolved(resolve(make_problem("a"), parse_universe(text))) == {"a": "1", "b": "1"}


def test_a_search_that_goes_on_too_long_is_taken_over() -> None:
    versions = range(1, 300)
    lines = [f"core {' '.join(map(str, versions))}"]
    for number in versions:
        lines += [f"tool {number}: mid =={number}", f"mid {number}: core =={number}"]
    problem, text = make_problem("tool", "core <3"), "\n".join(lines)
    assert propose(Facts(problem, parse_universe(text), lambda _event: None)) is None
    assert resolved(resolve(problem, parse_universe(text))) == {
        "core": "2",
        "mid": "2",
        "tool": "2",
    }


def test_a_proposal_that_breaks_a_requirement_is_not_believed() -> None:
    facts = Facts(make_problem("a"), parse_universe("a 1: b >=2\nb 1 2"), lambda _event: None)
    assert is_valid(facts, {PackageName("a"): 0, PackageName("b"): 0})
    assert not is_valid(facts, {PackageName("a"): 0, PackageName("b"): 1})
    assert not is_valid(facts, {PackageName("a"): 0})


def pigeons(count: int) -> str:
    """As many pigeons, and one hole less."""
    lines = [
        f"pigeon{one} {hole}: hole{hole} =={one}"
        for one in range(count)
        for hole in range(1, count)
    ]
    lines += [f"hole{hole} {' '.join(map(str, range(count)))}" for hole in range(1, count)]
    return "\n".join(lines)


def test_pigeons_without_enough_holes_are_refuted() -> None:
    problem = make_problem(*(f"pigeon{one}" for one in range(6)))
    answer = resolve(problem, parse_universe(pigeons(6)))
    assert isinstance(answer, Conflict)
    assert len(answer.roots) == 6


def test_long_searches_say_what_is_weighed() -> None:
    events: list[Event] = []
    problem = make_problem(*(f"pigeon{one}" for one in range(6)))
    resolve(problem, parse_universe(pigeons(6)), events.append)
    told = [each.item for each in events if isinstance(each, StageAdvanced) and each.done == 0]
    assert told
    assert all(
        re.fullmatch(r"weighing (pigeon|hole)\d, \d+ contradictions so far", one) for one in told
    )


def test_a_yanked_version_is_refuted_without_trying_every_combination() -> None:
    others = [f"other{number}" for number in range(12)]
    lines = [f"{name} 1 2 3 4 5 6" for name in others]
    universe = parse_universe("\n".join(["spoilt 1 yanked", *lines]))
    answer = resolve(make_problem(*others, "spoilt"), universe)
    assert isinstance(answer, Conflict)
    assert [str(root.requirement) for root in answer.roots] == ["spoilt"]


def test_a_conflict_becomes_a_failure_with_exit_code_6() -> None:
    answer = resolve(make_problem("a", "b >=2"), parse_universe("a 1: b <2\nb 1 2"))
    assert isinstance(answer, Conflict)
    failure = ResolutionImpossible(answer)
    assert isinstance(failure, UnsatisfiableError)
    assert failure.exit_code is ExitCode.UNSATISFIABLE
    assert str(failure) == "a and b >=2 cannot be had together"
    assert failure.details() == (
        "The file asks for a and b >=2 (dependencies), but a 1 needs b <2.",
    )


def test_edges_say_what_is_in_force() -> None:
    answer = resolve(
        make_problem("a[x]", overrides=["b >=2"]),
        parse_universe("a 1: b <2 | [x] c\nb 1 2\nc 1"),
    )
    assert isinstance(answer, Resolution)
    edges = answer.chosen[PackageName("a")].requires
    assert [(edge.child, edge.extra, str(edge.requirement)) for edge in edges] == [
        ("b", None, "b >=2"),
        ("c", "x", 'c; extra == "x"'),
    ]
