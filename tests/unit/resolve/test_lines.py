from envmgr.names import ExtraName
from envmgr.resolve.lines import sort_lines

X = ExtraName("x")


def test_a_line_without_a_marker_always_counts() -> None:
    lines = sort_lines(("a >=1", "extra-lib", "b ; python_version > '3'"))
    assert lines.plain == ("a >=1", "extra-lib", "b ; python_version > '3'")
    assert lines.for_extra(None) == lines.plain


def test_a_line_of_an_extra_is_set_aside_by_its_text() -> None:
    line = 'a ; extra == "X"'
    lines = sort_lines((line,))
    assert lines.for_extra(None) == ()
    assert lines.for_extra(X) == (line,)
    assert lines.for_extra(ExtraName("y")) == ()


def test_an_extra_joined_by_and_gates_its_line() -> None:
    texts = (
        "a ; python_version < '3.9' and extra == 'x'",
        "b ; (os_name == 'nt' or os_name == 'posix') and extra == 'x'",
        "c ; extra == 'x' and (os_name == 'nt' or os_name == 'posix')",
    )
    assert sort_lines(texts).gated == {X: texts}


def test_what_cannot_be_told_by_its_text_is_evaluated() -> None:
    texts = (
        "a ; extra == 'x' or os_name == 'nt'",
        "b ; os_name == 'nt' and os_name == 'x' or extra == 'x'",
        "c ; extra != 'x'",
        "d ; 'x' == extra",
        "e @ https://example.org/e;v=1/e-1-py3-none-any.whl ; extra == 'x'",
        "f ; platform_version == \"extra == 'x'\"",
        "g ; platform_version == '(' or platform_version == ')' and extra == 'x'",
        "h ; (extra == 'x' or os_name == 'nt')",
        "i ; extra == '!'",
    )
    lines = sort_lines(texts)
    assert lines.mixed == texts
    assert lines.for_extra(None) == texts
    assert lines.for_extra(X) == texts
