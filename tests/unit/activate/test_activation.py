import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envmgr.activate.activation import (
    PrependPath,
    SetVariable,
    UnsetVariable,
    UnusablePrefix,
    plan_activation,
)
from envmgr.activate.csh import quote_csh
from envmgr.activate.fish import quote_fish
from envmgr.activate.posix import quote_posix
from envmgr.activate.scripts import render_activation
from envmgr.errors import ExitCode

_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def test_a_plan_puts_the_prefix_and_not_a_generation_on_the_path() -> None:
    plan = plan_activation("/envs/science", "science", {"B": "2", "A": "1"})

    assert plan.name == "science"
    assert plan.modifications == (
        SetVariable("VIRTUAL_ENV", "/envs/science"),
        SetVariable("VIRTUAL_ENV_PROMPT", "science"),
        SetVariable("ENVMGR_PREFIX", "/envs/science"),
        UnsetVariable("PYTHONHOME"),
        PrependPath("/envs/science/bin"),
        SetVariable("A", "1"),
        SetVariable("B", "2"),
    )


def test_a_prefix_with_a_colon_is_refused_since_path_cannot_hold_it() -> None:
    with pytest.raises(UnusablePrefix) as caught:
        plan_activation("/envs/a:b", "science", {})

    assert caught.value.exit_code is ExitCode.PREFIX
    assert "'/envs/a:b'" in str(caught.value)
    assert caught.value.hint == "choose another directory"


def test_a_relative_prefix_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="absolute"):
        plan_activation("envs/a", "a", {})


@pytest.mark.parametrize(
    ("name", "value"),
    [("PATH", "/x"), ("VIRTUAL_ENV", "x"), ("A B", "x"), ("A;b", "x"), ("", "x"), ("A", "\0")],
)
def test_a_variable_that_no_script_could_set_is_a_mistake(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="activation cannot set"):
        plan_activation("/envs/a", "a", {name: value})


def test_there_is_one_script_for_each_kind_of_shell() -> None:
    scripts = render_activation("/envs/a", "a", {})

    assert list(scripts) == ["bin/activate", "bin/activate.fish", "bin/activate.csh"]


def test_no_script_touches_the_search_paths_of_libraries_or_modules() -> None:
    scripts = render_activation("/envs/a", "a", {"OMP_NUM_THREADS": "8"})

    for text in scripts.values():
        assert not re.search("LD_LIBRARY_PATH|DYLD_|PYTHONPATH", text)


def test_equal_environments_have_equal_scripts() -> None:
    one = render_activation("/envs/a", "a", {"A": "1", "B": "2"})
    other = render_activation("/envs/a", "a", {"B": "2", "A": "1"})

    assert one == other


def test_every_script_undoes_everything_that_it_does() -> None:
    scripts = render_activation("/envs/a", "a", {"OMP_NUM_THREADS": "8"})

    for name in ("VIRTUAL_ENV", "PYTHONHOME", "OMP_NUM_THREADS"):
        assert f'export {name}="$_ENVMGR_OLD_{name}"' in scripts["bin/activate"]
        assert f"set -gx {name} $_envmgr_old_{name}" in scripts["bin/activate.fish"]
        assert f'setenv {name} "$_envmgr_old_{name}:q"' in scripts["bin/activate.csh"]
        assert f"_envmgr_undo_{name};" in scripts["bin/activate.csh"]


@given(_TEXT)
def test_a_posix_word_is_one_word_and_says_the_same(text: str) -> None:
    assert shlex.split(f"x {quote_posix(text)} y") == ["x", text, "y"]


@given(_TEXT)
def test_a_fish_word_says_the_same(text: str) -> None:
    word = quote_fish(text)

    inside = word[1:-1]
    assert word[0] == word[-1] == "'"
    assert re.sub(r"\\([\\'])", r"\1", inside) == text
    assert not re.search(r"(?<!\\)(?:\\\\)*'", inside)


@given(_TEXT)
def test_a_csh_word_says_the_same(text: str) -> None:
    word = quote_csh(text)

    assert _read_csh(word) == text
    bare = re.sub(r'\\[^\n]|"\\\n"', "", word)
    assert word == '""' or re.fullmatch(r"[A-Za-z0-9_./:,+\-\x80-\U0010ffff]*", bare)


def _read_csh(word: str) -> str:
    if word == '""':
        return ""
    return re.sub(r'"\\(\n)"|\\([^\n])', lambda match: match[1] or match[2], word)
