"""Whose file stands: ``conflicts`` in a layout."""

import pytest

from envmgr.link.layout import LayoutClash
from envmgr.wheel.manifest import EntryPoint
from tests.support.manifests import SITE, STORE, laid, lay

TESTS = ("site-packages/tests/__init__.py", "site-packages/tests/deep/conftest.py")


@pytest.mark.parametrize(
    "path",
    [
        "tests/__init__.py",
        f"{SITE}/tests/__init__.py",
        "tests/*.py",
        "tests/__*__.py",
        "**/__init__.py",
        "tests/**",
        "*/__init__.py",
        "**",
    ],
)
def test_the_package_that_is_to_keep_a_path_keeps_it(path: str) -> None:
    view = lay(laid("one", TESTS[0]), laid("two", TESTS[0]), conflicts={path: "two"})
    assert view.links[f"{SITE}/tests/__init__.py"] == f"{STORE}/two/{TESTS[0]}"
    assert view.notes == ()


@pytest.mark.parametrize(
    "path", ["__init__.py", "tests", "tests/*/__init__.py", "tests/__init__", "tests/__init__ypy"]
)
def test_a_path_that_means_another_one_decides_nothing(path: str) -> None:
    with pytest.raises(LayoutClash):
        lay(laid("one", TESTS[0]), laid("two", TESTS[0]), conflicts={path: "two"})


def test_what_one_package_alone_brings_stays_whoever_keeps_the_rest() -> None:
    view = lay(
        laid("one", *TESTS),
        laid("two", TESTS[0], "site-packages/tests/two.py"),
        conflicts={"tests/**": "two"},
    )
    assert view.links[f"{SITE}/tests/__init__.py"] == f"{STORE}/two/{TESTS[0]}"
    assert view.links[f"{SITE}/tests/two.py"].startswith(f"{STORE}/two/")
    assert view.links[f"{SITE}/tests/deep"] == f"{STORE}/one/site-packages/tests/deep"


def test_the_first_rule_that_names_one_of_them_counts() -> None:
    view = lay(
        laid("one", *TESTS),
        laid("two", *TESTS),
        conflicts={"tests/deep/*": "three", "tests/deep/conftest.py": "one", "tests/**": "two"},
    )
    assert view.links[f"{SITE}/tests/deep/conftest.py"] == f"{STORE}/one/{TESTS[1]}"
    assert view.links[f"{SITE}/tests/__init__.py"] == f"{STORE}/two/{TESTS[0]}"
    assert view.notes == (
        "`conflicts` keeps tests/deep/* of three, which is not in this environment",
    )


def test_programs_of_one_name_are_settled_too() -> None:
    def points(value: str) -> tuple[EntryPoint, ...]:
        return (EntryPoint("console_scripts", "tool", value),)

    for keep, module in (("one", b"from a import"), ("two", b"from b import")):
        view = lay(
            laid("one", entry_points=points("a:main")),
            laid("two", entry_points=points("b:main")),
            conflicts={"bin/tool": keep},
        )
        assert module in view.files["bin/tool"].content


def test_a_rule_that_nothing_needs_is_told() -> None:
    view = lay(laid("one", *TESTS), laid("two"), conflicts={"tests/**": "one"})
    assert view.notes == ("`conflicts` keeps tests/** of one, undisputed here",)


def test_equal_files_need_no_rule() -> None:
    same = {TESTS[0]: "same"}
    view = lay(
        laid("one", TESTS[0], contents=same),
        laid("two", TESTS[0], contents=same),
        conflicts={"tests/**": "two"},
    )
    assert view.notes == ("`conflicts` keeps tests/** of two, undisputed here",)


def test_envmgrs_own_files_are_not_to_be_had() -> None:
    with pytest.raises(LayoutClash, match="envmgr itself both bring bin/python") as caught:
        lay(laid("one", "scripts/python"), conflicts={"bin/python": "one", "**": "one"})
    assert "conflicts" not in caught.value.hint


def test_a_file_against_a_directory_is_not_to_be_settled() -> None:
    with pytest.raises(LayoutClash) as caught:
        lay(
            laid("one", "site-packages/x"),
            laid("two", "site-packages/x/__init__.py"),
            conflicts={"**": "one"},
        )
    assert "conflicts" not in caught.value.hint


def test_the_hint_is_the_line_to_write() -> None:
    with pytest.raises(LayoutClash) as caught:
        lay(laid("one", TESTS[0]), laid("two", TESTS[0]))
    assert "`conflicts: [{path: tests/__init__.py, keep: one}]`" in caught.value.hint
    with pytest.raises(LayoutClash) as caught:
        lay(laid("one", *TESTS), laid("two", *TESTS))
    assert "`conflicts: [{path: tests/**, keep: one}]`" in caught.value.hint
    apart = ("site-packages/a.py", "data/etc/b")
    with pytest.raises(LayoutClash) as caught:
        lay(laid("one", *apart), laid("two", *apart))
    assert "`conflicts: [{path: '**', keep: one}]`" in caught.value.hint
