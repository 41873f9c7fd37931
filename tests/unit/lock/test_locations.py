import pytest

from envmgr.index.types import Download
from envmgr.lock.locations import basename, downloads, real_url, shown_location
from envmgr.names import IndexName
from envmgr.spec.types import IndexSpec
from tests.support.locks import INDEX, chosen, direct_candidate, lock_of, wheel_candidate
from tests.support.values import replace

NUMPY = "numpy-2.4.6-py3-none-any.whl"


def index(shown: str, url: str) -> IndexSpec:
    return IndexSpec(name=IndexName("lab"), url=url, shown_url=shown)


@pytest.mark.parametrize(
    ("shown", "real", "url", "location"),
    [
        (
            "https://dl.example.org/${ENVMGR_TOKEN}/simple/",
            "https://dl.example.org/s3cret/simple/",
            "https://dl.example.org/s3cret/files/a-1-py3-none-any.whl",
            "https://dl.example.org/${ENVMGR_TOKEN}/files/a-1-py3-none-any.whl",
        ),
        (
            "https://${ENVMGR_USER}:${ENVMGR_PASS}@example.org/pypi",
            "https://pypi:s3cret@example.org/pypi/",
            "https://example.org/pypi/files/s3cret/a-1-py3-none-any.whl",
            "https://example.org/pypi/files/${ENVMGR_PASS}/a-1-py3-none-any.whl",
        ),
        (
            "https://${ENVMGR_TOKEN}@example.org/${ENVMGR_TOKEN}/simple/",
            "https://s3cret@example.org/s3cret/simple/",
            "https://s3cret.example.org/a-1-py3-none-any.whl",
            "https://${ENVMGR_TOKEN}.example.org/a-1-py3-none-any.whl",
        ),
        (
            "https://example.org/${ENVMGR_SHORT}/${ENVMGR_LONG}/",
            "https://example.org/eu/eu-west/",
            "https://example.org/eu/eu-west/museum-1-py3-none-any.whl",
            "https://example.org/${ENVMGR_SHORT}/${ENVMGR_LONG}/museum-1-py3-none-any.whl",
        ),
        (
            "https://example.org/simple/",
            "https://example.org/simple/",
            "https://files.example.org/a-1-py3-none-any.whl",
            "https://files.example.org/a-1-py3-none-any.whl",
        ),
    ],
)
def test_a_secret_of_an_index_stays_out_of_the_lock_and_comes_back(
    shown: str, real: str, url: str, location: str
) -> None:
    lab = index(shown, real)

    assert shown_location(url, lab, "/project") == location
    assert real_url(location, lab, "/project") == url


@pytest.mark.parametrize(
    ("shown", "url", "location"),
    [
        ("./wheels", "file:///project/wheels/a%20b.whl", "wheels/a b.whl"),
        ("../wheels", "file:///wheels/a.whl", "../wheels/a.whl"),
        ("/opt/wheels", "file:///opt/wheels/a.whl", "/opt/wheels/a.whl"),
        ("file:///opt/wheels", "file:///opt/wheels/a.whl", "/opt/wheels/a.whl"),
        ("/project/wheels", "file:///project/wheels/a.whl", "wheels/a.whl"),
        ("/projects/wheels", "file:///projects/a.whl", "/projects/a.whl"),
    ],
)
def test_a_file_that_travels_with_the_lock_is_relative_to_it(
    shown: str, url: str, location: str
) -> None:
    lab = index(shown, "file:///unused")

    assert shown_location(url, lab, "/project") == location
    assert real_url(location, lab, "/project") == url


def test_a_lock_that_was_moved_looks_for_its_files_where_it_is_now() -> None:
    assert real_url("../wheels/a b.whl", None, "/home/x/p") == "file:///home/x/wheels/a%20b.whl"


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("https://wheels.example.org/[/a-1.whl", "a-1.whl"),
        ("https://wheels.example.org", ""),
        ("https://example.org/x/a%2Bb.whl?y=/z#w/v", "a+b.whl"),
        ("../x/a%2Bb.whl", "a%2Bb.whl"),
        ("a.whl", "a.whl"),
        ("https://example.org", ""),
    ],
)
def test_the_file_name_is_the_last_part(location: str, name: str) -> None:
    assert basename(location) == name


def test_what_to_fetch_knows_whose_credentials_to_use() -> None:
    lock = lock_of(
        chosen(wheel_candidate(NUMPY)),
        chosen(direct_candidate("https://example.org/mine-1.0-py3-none-any.whl")),
    )

    mine, numpy = downloads(lock.packages, "/project", [INDEX])

    assert mine == Download(
        filename="mine-1.0-py3-none-any.whl",
        url="https://example.org/mine-1.0-py3-none-any.whl",
        index=None,
        sha256="d" * 64,
        size=99,
    )
    assert (numpy.url, numpy.index, numpy.size) == (
        f"https://files.example.org/{NUMPY}",
        INDEX.name,
        1234,
    )


def test_an_index_that_is_no_longer_configured_lends_nothing() -> None:
    lock = lock_of(chosen(wheel_candidate(NUMPY)))
    other = replace(INDEX, name=IndexName("other"))

    (numpy,) = downloads(lock.packages, "/project", [other])

    assert numpy.index is None
