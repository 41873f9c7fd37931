"""The verifier finds every kind of wrong; each case breaks a right resolution in one place."""

from collections.abc import Callable

import pytest
from packaging.version import Version

from envmgr.names import ExtraName, PackageName
from envmgr.resolve.solve import resolve
from envmgr.resolve.types import Chosen, Problem, Resolution
from envmgr.resolve.verify import verify
from tests.support.universe import Universe, make_problem, parse_universe
from tests.support.values import replace

UNIVERSE = """
a 1: b >=1,<3 | [x] c
b 1 2 3
b 2.5rc1
b 1.5 yanked(spoilt)
b 1.7 python(<3)
b 1.8 broken(no METADATA)
c 1
loner 1: loner2
loner2 1: loner
"""


def problem(**more: list[str]) -> Problem:
    return make_problem("a[x]", **more)  # type: ignore[arg-type]


def right(asked: Problem) -> Resolution:
    answer = resolve(asked, parse_universe(UNIVERSE))
    assert isinstance(answer, Resolution)
    return answer


def chosen(universe: Universe, name: str, version: str) -> Chosen:
    candidate = next(
        one.candidate
        for one in universe.releases[PackageName(name)]
        if one.candidate.version == Version(version)
    )
    return Chosen(candidate=candidate, extras=frozenset(), groups=frozenset({None}), requires=())


def having(resolution: Resolution, name: str, version: str) -> Resolution:
    taken = chosen(parse_universe(UNIVERSE), name, version)
    return replace(resolution, chosen={**resolution.chosen, PackageName(name): taken})


def without(resolution: Resolution, name: str) -> Resolution:
    kept = {key: value for key, value in resolution.chosen.items() if key != name}
    return replace(resolution, chosen=kept)


def with_extra(resolution: Resolution, name: str, extra: str | None) -> Resolution:
    one = resolution.chosen[PackageName(name)]
    extras = frozenset() if extra is None else frozenset({ExtraName(extra)})
    changed = replace(one, extras=extras)
    return replace(resolution, chosen={**resolution.chosen, PackageName(name): changed})


def forged(resolution: Resolution) -> Resolution:
    one = resolution.chosen[PackageName("c")]
    candidate = replace(one.candidate, url="https://evil.example.org/c-1-py3-none-any.whl")
    changed = replace(one, candidate=candidate)
    return replace(resolution, chosen={**resolution.chosen, PackageName("c"): changed})


def test_a_right_resolution_violates_nothing() -> None:
    assert verify(problem(), parse_universe(UNIVERSE), right(problem())) == ()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda r: having(r, "b", "3"), "a needs b"),
        (lambda r: without(r, "b"), "missing"),
        (lambda r: without(r, "a"), "missing"),
        (lambda r: without(r, "c"), "missing"),
        (lambda r: with_extra(r, "a", None), "extras are active"),
        (lambda r: with_extra(r, "b", "y"), "that nothing asks for"),
        (lambda r: having(r, "b", "2.5rc1"), "pre-release"),
        (lambda r: having(r, "b", "1.5"), "yanked"),
        (lambda r: having(r, "b", "1.7"), "requires Python <3"),
        (lambda r: having(r, "b", "1.8"), "no METADATA"),
        (lambda r: having(having(r, "loner", "1"), "loner2", "1"), "nothing needs it"),
        (forged, "never offered"),
    ],
)
def test_a_wrong_resolution_is_found_out(
    damage: Callable[[Resolution], Resolution], told: str
) -> None:
    violations = verify(problem(), parse_universe(UNIVERSE), damage(right(problem())))
    assert any(told in violation for violation in violations), violations


def test_a_resolution_against_a_constraint_is_found_out() -> None:
    violations = verify(problem(constraints=["b <2"]), parse_universe(UNIVERSE), right(problem()))
    assert violations == ("b 2 is chosen against the constraint <2",)


def test_a_resolution_against_an_override_is_found_out() -> None:
    violations = verify(problem(overrides=["b ==3"]), parse_universe(UNIVERSE), right(problem()))
    assert len(violations) == 1
    assert "in force as ==3" in violations[0]


def test_another_wheel_than_the_direct_one_is_found_out() -> None:
    url = "https://example.org/b-2-py3-none-any.whl"
    universe = parse_universe(f"{UNIVERSE}\nb 2 = {url}")
    asked = make_problem("a[x]", f"b @ {url}")
    violations = verify(asked, universe, right(problem()))
    assert violations == (f"the file needs b @ {url}, and b 2 is chosen",)


def test_a_url_that_the_file_does_not_name_is_found_out() -> None:
    url = "https://example.org/b-2-py3-none-any.whl"
    told = UNIVERSE.replace("a 1: b >=1,<3", f"a 1: b @ {url}")
    violations = verify(problem(), parse_universe(told), right(problem()))
    assert violations == (f"a needs b @ {url}, a URL that the file does not name",)


AWAY = ["b ; sys_platform == 'none'"]


def test_what_an_override_takes_away_is_superfluous() -> None:
    violations = verify(problem(overrides=AWAY), parse_universe(UNIVERSE), right(problem()))
    assert "b is chosen and nothing needs it" in violations


def test_what_an_override_takes_away_is_not_missed() -> None:
    without = right(problem(overrides=AWAY))
    assert "b" not in without.chosen
    assert verify(problem(overrides=AWAY), parse_universe(UNIVERSE), without) == ()
    assert any("missing" in told for told in verify(problem(), parse_universe(UNIVERSE), without))
