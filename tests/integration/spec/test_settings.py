"""Settings from real files: of a user, of sites, and of variables."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from envmgr.errors import ExitCode
from envmgr.files import remove_tree
from envmgr.names import IndexName
from envmgr.spec.indexes import IndexSpec
from envmgr.spec.problems import ConfigurationInvalid, FileUnreadable, VariableInvalid
from envmgr.spec.settings import PYPI, Settings, choose_indexes, load_settings
from tests.support.users import as_nobody


@dataclass(frozen=True)
class _Machine:
    """A home and a site directory of one test."""

    root: Path

    @property
    def user_file(self) -> Path:
        return self.root / "home" / ".config" / "envmgr" / "config.yaml"

    @property
    def site_file(self) -> Path:
        return self.root / "xdg" / "envmgr" / "config.yaml"

    def user(self, text: str) -> None:
        self.user_file.parent.mkdir(parents=True, exist_ok=True)
        self.user_file.write_text(text, encoding="utf-8")

    def site(self, text: str) -> None:
        self.site_file.parent.mkdir(parents=True, exist_ok=True)
        self.site_file.write_text(text, encoding="utf-8")

    def settings(self, **environ: str) -> Settings:
        variables = {"XDG_CONFIG_DIRS": str(self.root / "xdg"), **environ}
        return load_settings(variables, self.root / "home")


@pytest.fixture
def machine(tmp_path: Path) -> _Machine:
    return _Machine(tmp_path)


def test_without_files_and_variables_the_xdg_directories_and_pypi_hold(machine: _Machine) -> None:
    settings = machine.settings()
    home = machine.root / "home"
    assert settings.home == home / ".local/share/envmgr"
    assert settings.cache == home / ".cache/envmgr"
    assert settings.stores == (settings.home / "store",)
    assert settings.environments == settings.home / "environments"
    assert [(index.name, index.url) for index in settings.indexes] == [("pypi", PYPI)]
    assert (settings.offline, settings.compile, settings.interpreters) == (False, True, ())
    assert set(settings.origins.values()) == {"default"}
    assert settings.indexes_locked_by is None


def test_xdg_variables_hold_unless_they_are_relative(machine: _Machine) -> None:
    settings = machine.settings(XDG_DATA_HOME="/data", XDG_CACHE_HOME="relative")
    assert settings.home == Path("/data/envmgr")
    assert settings.cache == machine.root / "home/.cache/envmgr"


def test_directories_of_settings_name_none_on_the_way(machine: _Machine) -> None:
    machine.user("stores: [/opt/then/../envmgr]\ncache: ~/../cache\n")
    settings = machine.settings(ENVMGR_HOME="/data/job/../envmgr/")
    assert settings.home == Path("/data/envmgr")
    assert settings.stores == (Path("/data/envmgr/store"), Path("/opt/envmgr"))
    assert settings.environments == Path("/data/envmgr/environments")
    assert settings.cache == machine.root / "cache"
    assert machine.settings(XDG_DATA_HOME="/a/../b").home == Path("/b/envmgr")


def test_a_variable_wins_over_the_user_and_the_user_over_the_site(machine: _Machine) -> None:
    machine.site("root: /site\ncache: /site/cache\noffline: true\n")
    machine.user("cache: /user/cache\noffline: false\n")
    settings = machine.settings(ENVMGR_OFFLINE="1")
    assert settings.home == Path("/site")
    assert settings.cache == Path("/user/cache")
    assert settings.offline is True
    assert settings.origins["root"] == f"{machine.site_file}:1:1"
    assert settings.origins["cache"] == f"{machine.user_file}:1:1"
    assert settings.origins["offline"] == "ENVMGR_OFFLINE"


def test_what_a_site_locks_wins_over_all(machine: _Machine) -> None:
    machine.site("cache: /site/cache\nlocked: [cache]\n")
    machine.user("cache: /user/cache\n")
    settings = machine.settings(ENVMGR_CACHE="/variable")
    assert settings.cache == Path("/site/cache")
    assert settings.origins["cache"] == f"{machine.site_file}:1:1 (locked)"


def test_the_file_that_a_variable_names_comes_before_other_sites(machine: _Machine) -> None:
    machine.site("root: /one\ncache: /one/cache\n")
    named = machine.root / "named.yaml"
    named.write_text("root: /two\n", encoding="utf-8")
    settings = machine.settings(ENVMGR_SITE_CONFIG=str(named))
    assert settings.home == Path("/two")
    assert settings.cache == Path("/one/cache")


def test_stores_of_user_and_site_add_up_behind_ones_own(machine: _Machine) -> None:
    machine.site("stores: [/site/store, /shared]\n")
    machine.user("stores: [/shared, /group/store]\n")
    own = machine.settings().home / "store"
    shared, group, site = Path("/shared"), Path("/group/store"), Path("/site/store")
    assert machine.settings().stores == (own, shared, group, site)
    only = machine.settings(ENVMGR_STORES="/a:/b:")
    assert only.stores == (own, Path("/a"), Path("/b"))
    assert only.origins["stores"] == "ENVMGR_STORES"


def test_a_mirror_of_pypi_answers_wherever_pypi_is_meant(machine: _Machine) -> None:
    settings = machine.settings(ENVMGR_INDEX_URL="https://u:p@mirror.example.org/simple")
    mirror = IndexSpec(
        name=IndexName("pypi"),
        url="https://u:p@mirror.example.org/simple/",
        shown_url="https://mirror.example.org/simple/",
    )
    assert settings.indexes == (mirror,)
    assert choose_indexes((), settings).indexes == (mirror,)
    plain = IndexSpec(name=IndexName("pypi"), url=PYPI, shown_url=PYPI)
    assert choose_indexes((plain,), settings).indexes == (mirror,)
    lab = IndexSpec(name=IndexName("lab"), url=PYPI, shown_url=PYPI)
    assert choose_indexes((lab,), settings).indexes == (lab,)
    assert "u:p" not in repr(settings)


def test_the_users_indexes_hold_for_files_that_name_none(machine: _Machine) -> None:
    machine.user("indexes: [{name: lab, url: 'https://lab.example.org/'}, {name: pypi}]\n")
    settings = machine.settings()
    assert [index.name for index in settings.indexes] == ["lab", "pypi"]
    own = (IndexSpec(name=IndexName("own"), url="https://o/", shown_url="https://o/"),)
    assert choose_indexes(own, settings).indexes == own


def test_locked_indexes_win_over_a_files_own_and_that_is_said(machine: _Machine) -> None:
    machine.site("indexes: [{name: m, url: 'https://m.example.org/'}]\nlocked: [indexes]\n")
    settings = machine.settings(ENVMGR_INDEX_URL="https://other.example.org/")
    own = (IndexSpec(name=IndexName("own"), url="https://o/", shown_url="https://o/"),)
    chosen = choose_indexes(own, settings)
    assert [index.url for index in chosen.indexes] == ["https://m.example.org/"]
    note = f"the indexes are those of {machine.site_file}:1:1, not the file's own"
    assert chosen.note == note
    assert choose_indexes((), settings).note is None


def test_index_urls_may_use_envmgr_variables_and_those_that_are_allowed(machine: _Machine) -> None:
    machine.user("expand: [TOKEN]\n")
    settings = machine.settings(ENVMGR_A="a", TOKEN="t", SECRET="s")  # noqa: S106
    assert dict(settings.expansions) == {"ENVMGR_A": "a", "TOKEN": "t"}
    assert "'t'" not in repr(settings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ENVMGR_HOME", "relative/path"),
        ("ENVMGR_CACHE", "~/cache"),
        ("ENVMGR_STORES", "/a:b"),
        ("ENVMGR_PYTHONS", "python3"),
        ("ENVMGR_OFFLINE", "maybe"),
        ("ENVMGR_COMPILE", "2"),
        ("ENVMGR_INDEX_URL", "mirror.example.org"),
        ("ENVMGR_INDEX_URL", "ftp://mirror.example.org/"),
        ("ENVMGR_SITE_CONFIG", "/nowhere/config.yaml"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(
    machine: _Machine, variable: str, value: str
) -> None:
    with pytest.raises(VariableInvalid) as caught:
        machine.settings(**{variable: value})
    assert caught.value.exit_code is ExitCode.DEFINITION
    assert str(caught.value).startswith(f"the variable {variable} ")


@pytest.mark.parametrize("variable", ["ENVMGR_HOME", "ENVMGR_STORES", "ENVMGR_OFFLINE"])
def test_an_empty_variable_is_no_variable(machine: _Machine, variable: str) -> None:
    assert machine.settings(**{variable: ""}) == machine.settings()


def test_a_wrong_configuration_is_pointed_at(machine: _Machine) -> None:
    machine.user("offline: perhaps\n")
    with pytest.raises(ConfigurationInvalid) as caught:
        machine.settings()
    assert caught.value.details() == (
        f"{machine.user_file}:1:10: `offline` must be `true` or `false`, not text",
    )


def test_a_configuration_that_cannot_be_read_is_not_taken_for_none(machine: _Machine) -> None:
    machine.user_file.mkdir(parents=True)
    with pytest.raises(FileUnreadable) as caught:
        machine.settings()
    assert str(caught.value) == f"{machine.user_file} cannot be read: is a directory"


@pytest.fixture
def open_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="envmgr-test-"))
    directory.chmod(0o777)
    yield directory
    remove_tree(directory)


@pytest.mark.parametrize("mode", [0o000, 0o644])
@pytest.mark.parametrize("whose", ["site", "user"])
def test_a_configuration_in_a_closed_directory_is_named(
    open_directory: Path, whose: str, mode: int
) -> None:
    closed = open_directory / "envmgr"
    closed.mkdir()
    file = closed / "config.yaml"
    file.write_text("offline: true\n")
    closed.chmod(mode)
    named = {"site": "ENVMGR_SITE_CONFIG", "user": "XDG_CONFIG_HOME"}[whose]
    value = str(file if whose == "site" else open_directory)

    def attempt() -> str:
        with pytest.raises(FileUnreadable) as caught:
            load_settings({"XDG_CONFIG_DIRS": "/nowhere", named: value}, open_directory)
        return str(caught.value)

    assert as_nobody(attempt) == f"{file} cannot be read: permission denied"
    closed.chmod(0o755)


def test_a_configuration_that_is_a_named_pipe_is_not_waited_for(machine: _Machine) -> None:
    machine.user_file.parent.mkdir(parents=True)
    os.mkfifo(machine.user_file)
    with pytest.raises(FileUnreadable, match="it is not a regular file"):
        machine.settings()


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"HOME": "me"}, "the variable HOME holds 'me', which is no absolute path"),
        ({}, "the variable HOME is not set, and the system knows no home directory of this user"),
    ],
)
def test_a_user_without_a_home_is_told_so(environ: dict[str, str], words: str) -> None:
    with pytest.raises(VariableInvalid) as caught:
        load_settings({**environ, "XDG_CONFIG_DIRS": "/nowhere"}, Path("me"))
    assert caught.value.exit_code is ExitCode.DEFINITION
    assert str(caught.value) == words


def test_a_user_without_a_home_may_say_where_everything_is(tmp_path: Path) -> None:
    environ = {
        "XDG_CONFIG_DIRS": "/nowhere",
        "XDG_CONFIG_HOME": str(tmp_path),
        "ENVMGR_HOME": "/root",
        "ENVMGR_CACHE": "/cache",
    }
    assert load_settings(environ, Path("~")).home == Path("/root")


def test_settings_without_a_configuration_import_neither_yaml_nor_packaging() -> None:
    code = """if True:
        import json, sys
        from pathlib import Path
        from envmgr.spec.settings import load_settings
        load_settings({"XDG_CONFIG_DIRS": "/nowhere"}, Path("/nowhere"))
        print(json.dumps(sorted(sys.modules)))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "envmgr.spec.settings" in loaded
    assert not loaded & {"yaml", "packaging", "msgspec", "difflib", "platformdirs"}
