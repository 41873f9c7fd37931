"""What ``python -m benchmarks`` makes of its command line, before it measures anything."""

from pathlib import Path

import pytest

from benchmarks.options import Options, parse_options
from tests.support.users import as_nobody


def parsed(*arguments: str) -> Options:
    return parse_options(arguments, ("warm", "cold"), None)


def test_all_jobs_run_three_times_unless_told_otherwise() -> None:
    assert parsed() == Options(3, ("warm", "cold"), None, None)


def test_a_job_that_is_named_twice_runs_once() -> None:
    assert parsed("--runs", "1", "--only", "cold", "cold").only == ("cold",)


def test_directories_that_are_not_there_are_made(tmp_path: Path) -> None:
    options = parsed("--where", f"{tmp_path}/a/b", "--json", f"{tmp_path}/c/d/rows.json")

    assert options.where == tmp_path / "a" / "b"
    assert options.where.is_dir()
    assert options.json == tmp_path / "c" / "d" / "rows.json"
    assert options.json.parent.is_dir()
    assert not options.json.exists()


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "²", ""])
def test_there_is_at_least_one_run(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parsed(f"--runs={text}")
    assert f"{text!r} is not a number of runs, from 1 on" in capsys.readouterr().err


def test_what_is_in_the_way_is_said_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    for arguments, said in (
        (("--where", f"{tmp_path}/file"), f"{tmp_path}/file: File exists"),
        (("--json", f"{tmp_path}/file/rows.json"), f"{tmp_path}/file: File exists"),
        (("--json", f"{tmp_path}"), f"{tmp_path}: it is a directory"),
    ):
        with pytest.raises(SystemExit, match="2"):
            parsed(*arguments)
        assert said in capsys.readouterr().err


def test_what_may_not_be_written_is_said_too(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text("", "utf-8")

    def attempt() -> str:
        codes = []
        for arguments in (("--where", f"{tmp_path}"), ("--json", f"{tmp_path}/rows.json")):
            try:
                parsed(*arguments)
            except SystemExit as error:
                codes.append(str(error.code))
        return " ".join(codes)

    assert as_nobody(attempt) == "2 2"
