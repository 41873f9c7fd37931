import pytest

from envmgr.wheel.entry_points import (
    InvalidEntryPoints,
    ObjectReference,
    parse_entry_points,
    parse_object_reference,
    script_problem,
)
from envmgr.wheel.manifest import EntryPoint


def test_groups_names_and_values_are_read_in_order() -> None:
    text = """
    # a comment
    ; another
    [console_scripts]
    Tool = pkg.cli:main [fast]
    b=pkg:b

    [pkg.plugins]
    x = pkg:Class.method
    """
    assert parse_entry_points(text) == (
        EntryPoint("console_scripts", "Tool", "pkg.cli:main [fast]"),
        EntryPoint("console_scripts", "b", "pkg:b"),
        EntryPoint("pkg.plugins", "x", "pkg:Class.method"),
    )


def test_an_empty_file_has_none() -> None:
    assert parse_entry_points("\ufeff\r\n") == ()


def test_the_later_of_two_equal_names_counts() -> None:
    found = parse_entry_points("[g]\na = x\na = y\n[h]\na = z\n")
    assert [(entry.group, entry.value) for entry in found] == [("g", "y"), ("h", "z")]


def test_a_huge_file_is_read() -> None:
    text = "[g]\n" + "".join(f"name{n} = m:f{n}\n" for n in range(50_000))
    assert len(parse_entry_points(text)) == 50_000


@pytest.mark.parametrize(
    ("text", "line"), [("a = b", 1), ("[g]\nno separator", 2), ("[g]\n\n= value", 3)]
)
def test_what_is_no_entry_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(InvalidEntryPoints) as caught:
        parse_entry_points(text)
    assert caught.value.line == line
    assert f"line {line}" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "module", "attribute"),
    [
        ("a.b:c.d", "a.b", "c.d"),
        ("a : b [x,y]", "a", "b"),
        ("a.b", "a.b", None),
        ("ä:ö", "ä", "ö"),
    ],
)
def test_a_reference_names_module_and_attribute(
    value: str, module: str, attribute: str | None
) -> None:
    assert parse_object_reference(value) == ObjectReference(module, attribute)


@pytest.mark.parametrize(
    "value",
    ["", "a:b:c", "a.:b", "a:1", "a b:c", "a:b(); import os", "a:b\nimport os", "a:b [", ":b"],
)
def test_what_could_not_be_imported_is_no_reference(value: str) -> None:
    assert parse_object_reference(value) is None


@pytest.mark.parametrize("name", ["tool", "Tool 2", "c++filt", "x.y-z"])
def test_ordinary_scripts_are_no_problem(name: str) -> None:
    assert script_problem(EntryPoint("console_scripts", name, "a:b")) is None


@pytest.mark.parametrize("name", ["../x", "/bin/sh", "a\\b", ".", "..", "a\x00b", "a\x1bb"])
def test_a_script_that_would_leave_bin_is_a_problem(name: str) -> None:
    problem = script_problem(EntryPoint("console_scripts", name, "a:b"))
    assert problem is not None
    assert "cannot be the name of a script" in problem


@pytest.mark.parametrize("value", ["a", "a:b; evil()", ""])
def test_a_script_without_a_function_is_a_problem(value: str) -> None:
    problem = script_problem(EntryPoint("gui_scripts", "x", value))
    assert problem is not None
    assert "module:function" in problem
