import os
from pathlib import Path

import pytest

from envmgr.errors import ExitCode
from envmgr.spec.composer import MAX_CHARACTERS
from envmgr.spec.environment import read_environment
from envmgr.spec.problems import EnvironmentFileInvalid, FileUnreadable
from envmgr.spec.source import LIMIT
from envmgr.spec.types import PythonRange

ROOT = Path(__file__).parents[3]


def test_a_file_is_read_from_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "climate.yaml").write_text("indexes: [{name: here, url: ./wheels}]\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    spec = read_environment(Path("climate.yaml"), {})
    assert spec.source == tmp_path / "climate.yaml"
    assert spec.indexes[0].url == (tmp_path / "wheels").as_uri()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable) as caught:
        read_environment(tmp_path / "environment.yaml", {})
    assert caught.value.exit_code is ExitCode.DEFINITION
    assert str(caught.value).endswith("environment.yaml cannot be read: no such file or directory")
    assert caught.value.hint == "name a file with -f FILE"


def test_a_directory_is_no_environment_file(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable):
        read_environment(tmp_path, {})


def test_a_device_is_no_environment_file() -> None:
    with pytest.raises(FileUnreadable) as caught:
        read_environment(Path("/dev/zero"), {})
    assert str(caught.value) == "/dev/zero cannot be read: it is not a regular file"


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "environment.yaml")
    with pytest.raises(FileUnreadable, match="it is not a regular file"):
        read_environment(tmp_path / "environment.yaml", {})


def test_a_pipe_that_was_handed_over_is_read_to_its_end() -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, b"name: piped\n")
        os.close(writing)
        assert read_environment(Path(f"/dev/fd/{reading}"), {}).name == "piped"
    finally:
        os.close(reading)


def test_no_more_of_a_huge_file_is_read_than_could_ever_be_taken(tmp_path: Path) -> None:
    path = tmp_path / "environment.yaml"
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(FileUnreadable, match="it is longer than 4,194,304 bytes"):
        read_environment(path, {})
    assert len("\U0001f40d".encode()) * MAX_CHARACTERS <= LIMIT


def test_a_binary_file_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "environment.yaml"
    path.write_bytes(b"name: x\ndescription: \xff\n")
    with pytest.raises(EnvironmentFileInvalid) as caught:
        read_environment(path, {})
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (2, 14)


def test_the_science_recipe_asks_for_the_nineteen_requirements_on_python_3_12() -> None:
    spec = read_environment(ROOT / "recipes" / "environments" / "science.yaml", {})
    assert sorted(map(str, spec.dependencies)) == sorted(
        "numpy scipy pandas scikit-learn matplotlib jupyterlab numba xarray dask[complete] "
        "statsmodels seaborn pytest h5py zarr networkx sympy pyarrow polars scikit-image".split()
    )
    assert isinstance(spec.python, PythonRange)
    assert str(spec.python.specifier) == "==3.12.*"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "recipes" / "environments").glob("*.yaml")), ids=lambda path: path.stem
)
def test_every_recipe_is_a_good_environment_file_called_after_itself(path: Path) -> None:
    spec = read_environment(path, {})
    assert spec.name == path.stem
    assert spec.dependencies
    assert spec.description
