"""Every file here is one case: a universe, what is asked of it, and the right answer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from envmgr.events import Event, Warned
from envmgr.resolve.impossible import ResolutionImpossible
from envmgr.resolve.solve import resolve
from envmgr.resolve.types import Conflict, Problem, Resolution
from tests.support.universe import Universe, make_family, make_problem, make_target, parse_universe

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.yaml"))
ASKED = ("groups", "constraints", "overrides", "prereleases", "preferred", "locked_files")
EXPECTED = {
    "chosen", "extras", "in_groups", "markers", "families", "warnings", "explanation", "hint",
    "roots",
}  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    name: str
    problem: Problem
    universe: Universe
    expect: dict[str, Any]


def read_scenario(path: Path) -> Scenario:
    said = yaml.load(path.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506 - texts only
    known = {"name", "why", "universe", "root", "python", "families", "expect", *ASKED}
    assert said.keys() <= known, path
    assert said["why"], f"{path}: a case without a reason"
    assert said["expect"].keys() <= EXPECTED, path
    asked = {key: said[key] for key in ASKED if key in said}
    target = make_target(said.get("python", "3.12.4"))
    families = [make_family(name, **one) for name, one in said.get("families", {}).items()]
    problem = make_problem(*said["root"], target=target, families=families, **asked)
    return Scenario(said["name"], problem, parse_universe(said["universe"]), said["expect"])


def test_there_are_scenarios() -> None:
    assert len(FILES) >= 40


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_ends_as_it_should(path: Path) -> None:
    scenario = read_scenario(path)
    events: list[Event] = []
    answer = resolve(scenario.problem, scenario.universe, events.append)
    if "explanation" in scenario.expect:
        assert isinstance(answer, Conflict), answer
        check_conflict(answer, scenario.expect)
    else:
        assert isinstance(answer, Resolution), answer
        check_resolution(answer, scenario.expect)
        warnings = [event.text for event in events if isinstance(event, Warned)]
        assert warnings == scenario.expect.get("warnings", [])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_ends_the_same_way_twice(path: Path) -> None:
    first, second = read_scenario(path), read_scenario(path)
    assert resolve(first.problem, first.universe) == resolve(second.problem, second.universe)


def check_resolution(resolution: Resolution, expect: dict[str, Any]) -> None:
    chosen = resolution.chosen
    assert {name: str(one.candidate.version) for name, one in chosen.items()} == expect["chosen"]
    assert list(chosen) == sorted(chosen)
    for name, extras in expect.get("extras", {}).items():
        assert sorted(chosen[name].extras) == extras
    for name, groups in expect.get("in_groups", {}).items():
        assert sorted(group or "dependencies" for group in chosen[name].groups) == sorted(groups)
    assert resolution.families == expect.get("families", {})
    assert list(resolution.families) == sorted(resolution.families)
    if "markers" in expect:
        outcomes = [
            f"{one.marker} [{','.join(one.extras)}] {str(one.holds).lower()}"
            for one in resolution.markers
        ]
        assert outcomes == expect["markers"]


def check_conflict(conflict: Conflict, expect: dict[str, Any]) -> None:
    assert list(conflict.sentences) == expect["explanation"]
    assert conflict.hint == expect.get("hint")
    assert [str(root.requirement) for root in conflict.roots] == expect["roots"]
    failure = ResolutionImpossible(conflict)
    assert failure.details() == conflict.sentences
    assert str(failure)
