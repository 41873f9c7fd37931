import json

import pytest
from packaging.specifiers import SpecifierSet

from envmgr.target.guess import Guess, guess_version, may_admit, parse_release
from tests.support.host import FakeHost

DETAILS = {
    "schema_version": "1.0",
    "base_prefix": "/opt/python",
    "platform": "linux-x86_64",
    "language": {
        "version": "3.15",
        "version_info": {
            "major": 3,
            "minor": 15,
            "micro": 0,
            "releaselevel": "alpha",
            "serial": 2,
        },
    },
}


@pytest.mark.parametrize(
    ("path", "guess"),
    [
        ("/usr/bin/python3.11", Guess((3, 11))),
        ("/usr/bin/python2.7", Guess((2, 7))),
        ("/home/user/.pyenv/versions/3.12.1/bin/python3.12", Guess((3, 12), True)),
        ("/home/user/.pyenv/versions/3.13.0rc1/bin/python3.13", Guess((3, 13), False)),
        ("/home/user/.pyenv/versions/3.15-dev/bin/python3.15", Guess((3, 15), False)),
        ("/uv/python/cpython-3.12.5-linux-x86_64-gnu/bin/python3.12", Guess((3, 12), True)),
        ("/uv/cpython-3.14.0a1-linux-x86_64-gnu/bin/python3.14", Guess((3, 14), False)),
        ("/opt/3.13.1t/bin/python3.13t", Guess((3, 13), True, ordinary=False)),
        ("/usr/bin/python3.12d", Guess((3, 12), None, ordinary=False)),
        ("/opt/pypy/bin/pypy3.10", Guess((3, 10), None, ordinary=False)),
        ("/opt/2.7/bin/python3.9", Guess((3, 9))),
        ("/opt/site/bin/python", Guess()),
    ],
)
def test_paths_tell_versions(path: str, guess: Guess) -> None:
    assert guess_version(FakeHost(), path) == guess


def test_build_details_tell_a_pre_release_from_a_release() -> None:
    file = "/opt/python/lib/python3.15/build-details.json"
    host = FakeHost(files={file: json.dumps(DETAILS).encode()})
    assert guess_version(host, "/opt/python/bin/python3.15") == Guess((3, 15), False)


def test_build_details_that_say_nothing_tell_nothing() -> None:
    for data in (b"", b"{", b"[]", b'{"language": {"version": "3.15"}}', b"\xff"):
        assert parse_release(data) is None
    final = {"language": {"version_info": {"releaselevel": "final"}}}
    assert parse_release(json.dumps(final).encode()) is True


@pytest.mark.parametrize(
    ("specifier", "minor", "may"),
    [
        ("", (3, 12), True),
        (">=3.12", (3, 12), True),
        (">=3.12", (3, 11), False),
        (">3.12", (3, 12), True),
        (">=3.12,<3.14", (3, 14), False),
        ("==3.12.*", (3, 12), True),
        ("==3.12.*", (3, 13), False),
        ("==3.12.4", (3, 12), True),
        ("==3.12.4", (3, 11), False),
        ("!=3.12.0,>=3.12", (3, 12), True),
        (">=3.12.4", (3, 12), True),
        (">=3.12.4,<3.12.5", (3, 12), True),
        (">3.12.4,<3.12.5", (3, 12), False),
        ("<3.12.1", (3, 12), True),
        ("<3.12", (3, 12), False),
        ("~=3.12.4", (3, 12), True),
        ("~=3.12.4", (3, 13), False),
        (">=13.12.4", (3, 12), False),
    ],
)
def test_a_minor_version_is_ruled_out_only_if_no_release_of_it_fits(
    specifier: str, minor: tuple[int, int], may: bool
) -> None:
    spec = SpecifierSet(specifier)
    truly = any(spec.contains(f"{minor[0]}.{minor[1]}.{micro}") for micro in range(50))
    assert may_admit(spec, minor) is truly is may
