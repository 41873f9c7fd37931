from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.pylock import is_valid_pylock_path

from envmgr.lock.paths import lock_path


@pytest.mark.parametrize(
    ("file", "target", "lock"),
    [
        ("environment.yaml", None, "pylock.toml"),
        ("environment.yml", None, "pylock.toml"),
        ("environment.yaml", "gpu", "pylock.gpu.toml"),
        ("climate.yaml", None, "pylock.climate.toml"),
        ("climate.yml", "gpu", "pylock.climate-gpu.toml"),
        ("My Env.v2.yaml", None, "pylock.my-env-v2.toml"),
        ("snake_case.yaml", None, "pylock.snake_case.toml"),
        ("noted", None, "pylock.noted.toml"),
        ("noted.txt", None, "pylock.noted-txt.toml"),
        (".yaml", None, "pylock.yaml.toml"),
    ],
)
def test_a_lock_stands_beside_its_file(file: str, target: str | None, lock: str) -> None:
    assert lock_path(Path("/project") / file, target) == Path("/project") / lock


def test_a_name_without_one_usable_letter_has_a_lock_of_its_own() -> None:
    one, other = lock_path(Path("日本.yaml")), lock_path(Path("中国.yaml"))

    assert one != other
    assert is_valid_pylock_path(one)


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1).filter(lambda t: t.strip(".")))
def test_every_file_has_a_lock_that_other_tools_accept(stem: str) -> None:
    path = lock_path(Path("/p") / f"{stem}.yaml", "gpu")

    assert is_valid_pylock_path(path)
    assert path.parent == Path("/p")
    assert set(path.name.split(".")[1]) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
