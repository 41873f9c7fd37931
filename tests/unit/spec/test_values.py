from datetime import UTC, datetime
from pathlib import Path

import pytest

from envmgr.spec.types import PythonPath, PythonRange
from envmgr.spec.values import PythonSpecInvalid, parse_instant, parse_python_text

HERE = Path("/srv/project")


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("3.12", "3.12.7", "3.13.0"),
        ("3.12.*", "3.12.7", "3.13.0"),
        ("3.12.1", "3.12.1", "3.12.2"),
        ("3", "3.9.1", "4.0"),
        (">=3.12,<3.14", "3.13.1", "3.14.0"),
        ("~=3.12", "3.13.0", "4.0"),
        ("!=3.12.1", "3.12.2", "3.12.1"),
        ("==3.12", "3.12.0", "3.12.1"),
    ],
)
def test_a_version_of_python_means_what_people_mean(text: str, inside: str, outside: str) -> None:
    spec = parse_python_text(text, HERE)
    assert isinstance(spec, PythonRange)
    assert spec.specifier.contains(inside)
    assert not spec.specifier.contains(outside)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/opt/bin/python3", "/opt/bin/python3"),
        ("./bin/python3", "/srv/project/bin/python3"),
        ("bin/python3", "/srv/project/bin/python3"),
        ("../bin/python3", "/srv/project/../bin/python3"),
    ],
)
def test_a_path_is_relative_to_the_file(text: str, path: str) -> None:
    assert parse_python_text(text, HERE) == PythonPath(Path(path))


@pytest.mark.parametrize(
    "text", ["", " ", "latest", "3.x", "3.12 3.13", "=3.12", "~/bin/python", "9" * 9999]
)
def test_what_names_no_interpreter_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(PythonSpecInvalid) as caught:
        parse_python_text(text, HERE)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-01", datetime(2026, 11, 2, tzinfo=UTC)),
        ("2024-02-28", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2026-11-01T12:00:00Z", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("2026-11-01t12:00:00z", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("2026-11-01 12:00:00-05:30", datetime(2026, 11, 1, 17, 30, tzinfo=UTC)),
        ("2026-11-01T12:00:00.1234567+00:00", datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-01T12:00:00.1Z", datetime(2026, 11, 1, 12, 0, 0, 100000, tzinfo=UTC)),
    ],
)
def test_a_date_ends_with_its_day_in_utc_and_a_time_is_itself(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "2026-11",
        "2026-13-01",
        "2026-W45-1",
        "2026-11-01T12",
        "2026-11-01T12:00:00",
        "2026-11-01T24:00:00Z",
        "٢٠٢٦-11-01",
    ],
)
def test_other_spellings_of_time_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_instant(text)
