import pytest

from envmgr.index.freshness import LONGEST, UNSAID, fresh_until, keeps, retry_after

NOW = 1_700_000_000.0
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
LATER = "Tue, 14 Nov 2023 22:14:20 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, UNSAID),
        ({"cache-control": "max-age=60, public"}, 60),
        ({"cache-control": 'MAX-AGE="60"'}, 60),
        ({"cache-control": "max-age=60", "age": "50"}, 10),
        ({"cache-control": "max-age=60", "age": "70"}, 0),
        ({"cache-control": "max-age=0"}, 0),
        ({"cache-control": "no-cache, max-age=60"}, 0),
        ({"cache-control": "no-store"}, 0),
        ({"cache-control": "max-age=soon"}, UNSAID),
        ({"cache-control": "public"}, UNSAID),
        ({"expires": LATER, "date": DATE}, 60),
        ({"expires": LATER}, 60),
        ({"expires": DATE, "date": LATER}, 0),
        ({"expires": "0"}, 0),
        ({"expires": LATER, "cache-control": "max-age=5"}, 5),
        ({"cache-control": "max-age=99999999999999999999"}, LONGEST),
    ],
)
def test_headers_say_how_long_an_answer_is_fresh(headers: dict[str, str], seconds: float) -> None:
    assert fresh_until(headers, NOW) == NOW + seconds


def test_only_no_store_forbids_to_keep_an_answer() -> None:
    assert not keeps({"cache-control": "private, No-Store"})
    assert keeps({"cache-control": "no-cache"})
    assert keeps({})


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": LATER}, 60),
        ({"retry-after": "Tue, 14 Nov 2023 22:00:00 GMT"}, 0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "soon"}, None),
    ],
)
def test_a_server_may_ask_for_patience(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds
