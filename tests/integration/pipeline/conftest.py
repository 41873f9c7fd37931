from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.wheels import make_wheel


@pytest.fixture
def server() -> Iterator[IndexServer]:
    wheels = [
        make_wheel("alpha", "1.0"),
        make_wheel("alpha", "2.0", requires=["beta >=1"]),
        make_wheel("beta", "1.0"),
        make_wheel("beta", "1.1", entry_points={"console_scripts": {"beta": "beta:main"}}),
        make_wheel("checks", "3.0", requires=["alpha"]),
    ]
    with IndexServer(wheels) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, server: IndexServer) -> Project:
    return Project(tmp_path, server.url)
