from pathlib import Path

import pytest

from envmgr.spec.configuration import LOCKABLE, Configuration, parse_configuration
from envmgr.spec.problems import ConfigurationInvalid

FILE = Path("/etc/xdg/envmgr/config.yaml")
HOME = Path("/home/user")
ENVIRON = {"SCRATCH": "/scratch/user", "TOKEN": "t"}


def _parsed(text: str, *, site: bool = True) -> Configuration:
    return parse_configuration(text.encode(), FILE, ENVIRON, HOME, site=site)


def _problems(text: str, *, site: bool = True) -> list[str]:
    with pytest.raises(ConfigurationInvalid) as caught:
        _parsed(text, site=site)
    return [
        f"{problem.line}:{problem.column} {problem.message}" for problem in caught.value.problems
    ]


def test_paths_begin_at_home_or_hold_variables() -> None:
    config = _parsed("root: ${SCRATCH}/envmgr\ncache: ~/cache\nstores: [$SCRATCH/store, /opt/s]\n")
    assert config.root == Path("/scratch/user/envmgr")
    assert config.cache == Path("/home/user/cache")
    assert config.stores == (Path("/scratch/user/store"), Path("/opt/s"))


def test_indexes_are_read_as_in_an_environment_file_with_every_variable_allowed() -> None:
    config = _parsed("indexes:\n  - {name: lab, url: 'https://u:${TOKEN}@a.example.org'}\n")
    assert config.indexes is not None
    assert config.indexes[0].url == "https://u:t@a.example.org/"
    assert config.indexes[0].shown_url == "https://u:${TOKEN}@a.example.org/"


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\ufeff\n", "{}"])
def test_a_configuration_without_a_key_says_nothing(text: str) -> None:
    assert _parsed(text) == Configuration(file=FILE)


def test_all_problems_come_at_once() -> None:
    text = """\
root: envmgr
cache: ${NOWHERE}/cache
offline: yes
stores: /opt/store
interpeters: []
expand: ["a-b"]
locked: [offline, root, indexes, everything]
indexes: [{name: lab}]
"""
    lockable = " or ".join(f"`{key}`" for key in LOCKABLE)
    assert _problems(text) == [
        "1:7 `envmgr` is not an absolute path",
        "2:8 the variable NOWHERE is not set",
        "3:10 `offline` must be `true` or `false`, not text",
        "4:9 `stores` must be a list, not text",
        "5:1 the key `interpeters` is not known",
        "6:10 `a-b` is not the name of a variable",
        "7:10 `offline` is locked and has no value in this file",
        f"7:34 an item of `locked` must be {lockable}, not `everything`",
        "8:11 the address of the index `lab` is not known",
    ]


def test_only_a_site_can_lock() -> None:
    assert _problems("offline: true\nlocked: [offline]\n", site=False) == [
        "2:10 only the configuration of a site can lock"
    ]


def test_a_lock_needs_a_value() -> None:
    assert _problems("locked: [stores]\n") == [
        "1:10 `stores` is locked and has no value in this file"
    ]
