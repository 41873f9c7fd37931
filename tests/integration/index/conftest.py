from pathlib import Path

import pytest

from tests.support.catalogs import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "cache")
