import pytest

from envmgr.errors import ExitCode
from envmgr.index.client import LONGEST_PAUSE, RETRIES, pause
from envmgr.index.failures import IndexRefused, IndexUnreachable
from envmgr.names import IndexName


def test_pauses_grow_and_are_spread() -> None:
    shortest = [pause(failed, None, 0.0) for failed in range(1, RETRIES + 1)]
    assert shortest == sorted(shortest)
    assert shortest[0] < shortest[-1]
    assert pause(1, None, 0.0) < pause(1, None, 0.9)


def test_a_server_is_given_the_time_it_asks_for_within_reason() -> None:
    assert pause(1, 5.0, 0.0) == 5.0
    assert pause(1, 1e9, 0.0) == LONGEST_PAUSE
    assert pause(50, None, 0.9) == LONGEST_PAUSE


@pytest.mark.parametrize("status", [401, 403, 407, 418, 429, 503])
def test_a_refusal_names_index_address_and_status_and_no_password(status: int) -> None:
    error = IndexRefused(IndexName("lab"), "https://u:secret@example.org/simple/a/", status)
    assert "lab" in str(error)
    assert "https://example.org/simple/a/" in str(error)
    assert str(status) in str(error)
    assert "secret" not in str(error)
    assert error.exit_code == ExitCode.INDEX


@pytest.mark.parametrize(
    ("status", "meaning"), [(404, "there is no such file"), (410, "the file was removed")]
)
def test_a_wheel_that_is_not_there_is_told_as_that(status: int, meaning: str) -> None:
    error = IndexRefused(None, "https://example.org/a-1-py3-none-any.whl", status)
    assert str(error).endswith(f"answered {status} ({meaning})")


def test_only_an_offline_failure_says_to_go_online() -> None:
    offline = IndexUnreachable(None, "https://example.org/", "it is not here", offline=True)
    assert offline.hint is not None
    assert IndexUnreachable(None, "https://example.org/", "refused").hint is None
