from pathlib import Path

import pytest

from tests.integration.cli.terminal import bare_environ


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return bare_environ(tmp_path)
