import pytest

from envmgr.cli.quantities import render_bytes, render_count, render_seconds


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (342_100_000, "342.1 MB"),
        (5_000_000_000_000_000, "5000.0 TB"),
    ],
)
def test_bytes(count: int, text: str) -> None:
    assert render_bytes(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ms"),
        (0.0144, "14 ms"),
        (0.0994, "99 ms"),
        (0.0996, "0.10 s"),
        (0.994, "0.99 s"),
        (0.996, "1.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3599.7, "1 h 0 min"),
        (7_500, "2 h 5 min"),
    ],
)
def test_seconds(seconds: float, text: str) -> None:
    assert render_seconds(seconds) == text


def test_counts() -> None:
    assert render_count(1, "package") == "1 package"
    assert render_count(1093, "entry", "entries") == "1,093 entries"
