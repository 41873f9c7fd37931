from pathlib import Path

import pytest

from envmgr.names import GroupName, PackageName
from envmgr.spec.digest import (
    activation_digest,
    canonical_form,
    resolution_digest,
    view_digest,
)
from envmgr.spec.environment import parse_environment
from envmgr.spec.keys import Digest
from envmgr.spec.types import EnvironmentSpec
from tests.support.values import replace
from tests.unit.spec.source import SOURCE

FULL = """\
schema: 1
name: climate
description: models
python: ">=3.12"
indexes:
  - {name: a, url: "https://a.example.org/", packages: [x-*, y]}
  - {name: b, url: "https://b.example.org/"}
dependencies: [numpy >=2, "scipy[x,y]"]
groups: {test: [pytest], plots: [matplotlib, seaborn]}
constraints: [protobuf <6]
overrides: [urllib3 >=2]
prereleases: [numba]
exclude-newer: 2026-11-01
variables: {A: 1, B: 2}
"""


def _spec(text: str = FULL, source: Path = SOURCE) -> EnvironmentSpec:
    return parse_environment(text, source, {})


def test_the_canonical_form_is_this_one_and_changes_only_with_its_number() -> None:
    assert canonical_form(_spec(), Digest.RESOLUTION) == (
        "envmgr resolution 1\n"
        '{"constraints":["protobuf <6"],'
        '"dependencies":["numpy >=2","scipy[x,y]"],'
        '"exclude-newer":"2026-11-02T00:00:00+00:00",'
        '"groups":{"plots":["matplotlib","seaborn"],"test":["pytest"]},'
        '"indexes":[{"name":"a","packages":["x-*","y"],"url":"https://a.example.org/"},'
        '{"name":"b","packages":[],"url":"https://b.example.org/"}],'
        '"overrides":["urllib3 >=2"],'
        '"prereleases":["numba"],'
        '"python":">=3.12"}'
    )
    assert canonical_form(_spec(), Digest.ACTIVATION) == (
        'envmgr activation 1\n{"variables":{"A":"1","B":"2"}}'
    )
    assert canonical_form(_spec(), Digest.VIEW) == "envmgr view 1\n{}"


def test_a_digest_is_a_sha256() -> None:
    kind, _, value = resolution_digest(_spec()).partition(":")
    assert kind == "sha256"
    assert len(bytes.fromhex(value)) == 32


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("description: models", "description: other"),
        ("schema: 1\n", "# a comment\n"),
        ("name: climate", "name: weather"),
        ("{A: 1, B: 2}", "{C: 3}"),
        ("[numpy >=2, ", "[ NumPy>=2 , "),
        ("[x-*, y]", "[Y, x_*]"),
        (
            "test: [pytest], plots: [matplotlib, seaborn]",
            "plots: [seaborn, matplotlib], Test: [pytest]",
        ),
        ('"scipy[x,y]"]', '"scipy [y, x]", numpy >=2]'),
        ("a.example.org/", "a.example.org"),
    ],
)
def test_what_does_not_decide_the_resolution_leaves_its_digest(before: str, after: str) -> None:
    assert before in FULL
    changed = _spec(FULL.replace(before, after))
    assert resolution_digest(changed) == resolution_digest(_spec())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('">=3.12"', '"3.12"'),
        ("name: b", "name: c"),
        ("https://b.", "https://c."),
        ("[x-*, y]", "[x-*]"),
        ("numpy >=2", "numpy >=2.1"),
        ("[x,y]", "[x]"),
        ("test: [pytest]", "tests: [pytest]"),
        ("test: [pytest]", "test: []"),
        ("protobuf <6", "protobuf <7"),
        ("urllib3 >=2", "urllib3"),
        ("[numba]", "[numba, llvmlite]"),
        ("2026-11-01", "2026-11-02"),
    ],
)
def test_what_decides_the_resolution_changes_its_digest(before: str, after: str) -> None:
    assert before in FULL
    changed = _spec(FULL.replace(before, after))
    assert resolution_digest(changed) != resolution_digest(_spec())
    assert activation_digest(changed) == activation_digest(_spec())
    assert view_digest(changed) == view_digest(_spec())


def test_the_order_of_indexes_decides() -> None:
    spec = _spec()
    turned = replace(spec, indexes=spec.indexes[::-1])
    assert resolution_digest(turned) != resolution_digest(spec)


def test_the_order_of_groups_and_variables_does_not() -> None:
    spec = _spec()
    turned = replace(
        spec,
        groups=dict(sorted(spec.groups.items())),
        variables=dict(sorted(spec.variables.items(), reverse=True)),
    )
    assert list(turned.groups) == [GroupName("plots"), GroupName("test")]
    assert resolution_digest(turned) == resolution_digest(spec)
    assert activation_digest(turned) == activation_digest(spec)


def test_variables_change_the_activation_alone() -> None:
    changed = _spec(FULL.replace("{A: 1, B: 2}", "{A: 1}"))
    assert activation_digest(changed) != activation_digest(_spec())
    assert resolution_digest(changed) == resolution_digest(_spec())


def test_a_token_in_an_index_url_is_no_part_of_the_digest() -> None:
    text = "indexes: [{name: a, url: 'https://u:${ENVMGR_TOKEN}@a.example.org/'}]"
    one = parse_environment(text, SOURCE, {"ENVMGR_TOKEN": "one"})
    two = parse_environment(text, SOURCE, {"ENVMGR_TOKEN": "two"})
    assert one.indexes[0].url != two.indexes[0].url
    assert resolution_digest(one) == resolution_digest(two)


def test_the_digest_is_the_same_in_another_checkout() -> None:
    text = "python: ./tools/bin/python3\nindexes: [{name: a, url: ./wheels}]\n"
    here = _spec(text)
    there = _spec(text, Path("/home/user/project/environment.yaml"))
    assert here.python != there.python
    assert resolution_digest(here) == resolution_digest(there)


def test_a_key_left_empty_is_a_key_left_out() -> None:
    empty = _spec("dependencies:\ngroups: {}\nindexes: []\nvariables:\n")
    assert resolution_digest(empty) == resolution_digest(_spec("{}"))
    assert activation_digest(empty) == activation_digest(_spec("{}"))


def test_prereleases_are_a_set() -> None:
    names = frozenset(map(PackageName, ["b", "a", "c"]))
    form = canonical_form(replace(_spec(), prereleases=names), Digest.RESOLUTION)
    assert '"prereleases":["a","b","c"]' in form


RUNTIMES = {
    "nothing": "",
    "gnu": "runtimes: {openmp: gnu}\n",
    "intel": "runtimes: {openmp: intel}\n",
    "vendored": "runtimes: {openmp: vendored}\n",
    "all vendored": "runtimes: vendored\n",
    "apart": "runtimes: {openmp: {implementation: gnu, unify: {torch: false}}}\n",
    "automatic apart": "runtimes: {openmp: {unify: {torch: false}}}\n",
    "host": "runtimes: {mpi: {host: auto}}\n",
}


def test_every_wish_of_runtimes_makes_another_view() -> None:
    views = [view_digest(_spec(FULL + text)) for text in RUNTIMES.values()]
    assert len(set(views)) == len(views)


def test_only_what_asks_for_a_package_makes_another_resolution() -> None:
    made = {name: resolution_digest(_spec(FULL + text)) for name, text in RUNTIMES.items()}
    same = {name for name, digest in made.items() if digest == made["nothing"]}
    assert same == {"nothing", "vendored", "all vendored", "automatic apart", "host"}
    assert made["gnu"] == made["apart"]
    assert made["gnu"] != made["intel"]


def test_a_wish_for_nothing_is_no_wish() -> None:
    empty = _spec(FULL + "runtimes: {openmp: {unify: {torch: true}}}\n")
    assert view_digest(empty) == view_digest(_spec())
    assert activation_digest(empty) == activation_digest(_spec())


def test_the_order_of_families_counts_for_nothing() -> None:
    one = _spec(FULL + "runtimes: {openmp: gnu, blas: mkl}\n")
    other = _spec(FULL + "runtimes: {blas: mkl, openmp: gnu}\n")
    assert view_digest(one) == view_digest(other)
    assert resolution_digest(one) == resolution_digest(other)
