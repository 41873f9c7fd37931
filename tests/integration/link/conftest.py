from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.files import remove_tree
from envmgr.store.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield open_store((tmp_path / "home",))
    remove_tree(tmp_path / "home")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return tmp_path / "env"
