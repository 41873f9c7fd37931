import pytest
import yaml

from envmgr.spec import composer
from envmgr.spec.composer import compose
from envmgr.spec.nodes import ListNode, MappingNode, Node, ScalarNode, core_type
from envmgr.spec.problems import Findings, Place
from tests.unit.spec.source import SOURCE


def _composed(text: str) -> Node:
    findings = Findings(SOURCE)
    node = compose(text, findings)
    assert findings.problems == ()
    assert node is not None
    return node


def _refused(text: str) -> list[str]:
    findings = Findings(SOURCE)
    compose(text, findings)
    return [f"{problem.line}:{problem.column} {problem.message}" for problem in findings.problems]


def _scalar(text: str) -> ScalarNode:
    node = _composed(text)
    assert isinstance(node, MappingNode)
    value = node.entries[0].value
    assert isinstance(value, ScalarNode)
    return value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a:", "null"),
        ("a: ~", "null"),
        ("a: Null", "null"),
        ("a: nUll", "string"),
        ("a: TRUE", "boolean"),
        ("a: yes", "string"),
        ("a: 012", "integer"),
        ("a: 0o17", "integer"),
        ("a: 0b1", "string"),
        ("a: 1_000", "string"),
        ("a: 12:30", "string"),
        ("a: 3.10", "number"),
        ("a: 1e3", "number"),
        ("a: -.5", "number"),
        ("a: .", "string"),
        ("a: .inf", "number"),
        ("a: .nan", "number"),
        ("a: 2026-11-01", "string"),
        ('a: "1"', "string"),
        ("a: '~'", "string"),
        ("a: !!str 1", "string"),
        ("a: |\n  1", "string"),
    ],
)
def test_the_kind_of_a_scalar_is_that_of_the_core_schema(text: str, kind: str) -> None:
    assert core_type(_scalar(text)) == kind


def test_a_scalar_keeps_the_text_that_was_written() -> None:
    assert _scalar("a: 3.10").text == "3.10"
    assert _scalar("a: 0o17").text == "0o17"


def test_a_place_counts_characters_and_not_bytes() -> None:
    assert _scalar("é: 'ü'").at == Place(1, 4)
    assert _scalar("😀: x").at == Place(1, 4)


def test_a_column_inside_a_scalar_is_known_where_it_stands_on_one_line_as_it_is() -> None:
    assert _scalar("a: numpy >=2").column(6) == Place(1, 10)
    assert _scalar("a: 'numpy >=2'").column(6) == Place(1, 11)
    assert _scalar('a: "x\\n >=2"').column(3) == Place(1, 4)
    assert _scalar("a: numpy\n  >=2").column(6) == Place(1, 4)


def test_a_byte_order_mark_counts_for_nothing() -> None:
    node = _composed("\ufeffa: b")
    assert isinstance(node, MappingNode)
    assert node.entries[0].key.text == "a"
    assert node.entries[0].value.at == Place(1, 4)


def test_line_breaks_of_yaml_1_1_that_are_text_in_yaml_1_2_are_refused() -> None:
    for character in "\x85\u2028\u2029":
        (problem,) = _refused(f"a: b\nc: d{character}e")
        assert problem.startswith(f"2:5 the character U+{ord(character):04X} cannot stand")


def test_escapes_in_double_quotes_can_write_any_character() -> None:
    assert _scalar('a: "\\u2028\\x85\\0"').text == "\u2028\x85\0"


def test_half_a_character_is_refused_and_not_a_crash() -> None:
    assert _refused("a: \ud800") == ["1:4 the character U+D800 cannot stand in a YAML file"]


def test_an_alias_stands_for_its_anchor() -> None:
    node = _composed("a: &x [1]\nb: *x")
    assert isinstance(node, MappingNode)
    assert node.entries[1].value is node.entries[0].value


def test_aliases_may_be_used_often_as_long_as_they_stay_small() -> None:
    text = "a: &x [1, 2, 3]\nb: [" + ", ".join(["*x"] * 1000) + "]"
    node = _composed(text)
    assert isinstance(node, MappingNode)
    assert isinstance(node.entries[1].value, ListNode)
    assert len(node.entries[1].value.items) == 1000


def test_a_file_that_is_too_long_is_refused_before_it_is_read() -> None:
    assert _refused("#" * (composer.MAX_CHARACTERS + 1)) == [
        "1:1 the file is longer than 1,048,576 characters"
    ]


def test_very_deep_files_are_refused_where_they_get_too_deep() -> None:
    (problem,) = _refused("[" * 100_000)
    assert problem == "1:33 lists and mappings nest deeper than 32 levels"


def test_a_new_version_of_yaml_is_named() -> None:
    (problem,) = _refused("%YAML 3.0\n---\na: 1")
    assert problem == "1:1 this is not YAML: found incompatible YAML document"


@pytest.mark.parametrize(
    "text",
    [
        "python: >=3.12",
        "a:\n\t- b",
        "name: @home",
        "a: b: c",
        "name: 'x",
        "a: [b",
        "a: {b: c",
        "a:\n  - b\n - c",
        "a: 'x'y",
        "a\nb: c\n",
    ],
)
def test_pyyaml_without_libyaml_explains_syntax_alike(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_libyaml = _refused(text)
    monkeypatch.setattr(composer, "_LOADER", yaml.SafeLoader)
    without = _refused(text)
    assert [line.partition(" ")[2] for line in without] == [
        line.partition(" ")[2] for line in with_libyaml
    ]
    assert "this is not YAML" not in without[0]
