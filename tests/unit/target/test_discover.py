from functools import partial
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from envmgr.hardware.host import Ran
from envmgr.spec.types import PythonPath, PythonRange
from envmgr.target.discover import (
    NoInterpreter,
    choose_interpreter,
    discover_interpreters,
)
from envmgr.target.probe import probe_interpreter
from tests.support.host import FakeHost


def any_of(specifier: str) -> PythonRange:
    return PythonRange(SpecifierSet(specifier))


def found_on(host: FakeHost, *extra: str) -> list[tuple[str, str]]:
    return [(each.source, each.path) for each in discover_interpreters(host, _paths(extra))]


def chosen_on(host: FakeHost, specifier: str, *extra: str) -> str:
    probe = partial(probe_interpreter, host=host, cache=None)
    found = discover_interpreters(host, _paths(extra))
    return choose_interpreter(any_of(specifier), found, probe).executable


def refusal(host: FakeHost, specifier: str) -> NoInterpreter:
    with pytest.raises(NoInterpreter) as caught:
        chosen_on(host, specifier)
    return caught.value


def _paths(texts: tuple[str, ...]) -> tuple[Path, ...]:
    return tuple(map(Path, texts))


def programs_run(host: FakeHost) -> list[str]:
    return [command[0] for command in host.ran]


def test_every_place_is_looked_in_and_says_its_name() -> None:
    home = "/home/user"
    host = FakeHost(environ={"PATH": "/first/bin:/second/bin"}, own_interpreter="/own/python")
    places = {
        "/extra/bin/python3.12": "ENVMGR_PYTHONS",
        "/first/bin/python3": "PATH",
        "/second/bin/pypy3": "PATH",
        f"{home}/.pyenv/versions/3.12.1/bin/python3.12": "pyenv",
        f"{home}/.local/share/uv/python/cpython-3.11.9-linux/bin/python3.11": "uv",
        f"{home}/.local/share/mise/installs/python/3.10.1/bin/python3.10": "mise",
        f"{home}/.asdf/installs/python/3.9.1/bin/python3.9": "asdf",
        "/usr/bin/python3.11": "system",
        "/opt/python3.13/bin/python3": "system",
        "/opt/python/cp312-cp312/bin/python": "system",
        "/own/python": "envmgr",
    }
    for path in places:
        host.add_python(path, "3.12.1")
    expected = [(source, path) for path, source in places.items()]
    assert sorted(found_on(host, "/extra")) == sorted(expected)
    assert found_on(host, "/extra")[0][0] == "ENVMGR_PYTHONS"
    assert host.ran == []


def test_version_managers_are_found_where_their_variables_say() -> None:
    for variable, inside in (
        ("PYENV_ROOT", "versions/3.12.1"),
        ("UV_PYTHON_INSTALL_DIR", "cpython-3.12.1-linux-x86_64-gnu"),
        ("MISE_DATA_DIR", "installs/python/3.12.1"),
        ("ASDF_DATA_DIR", "installs/python/3.12.1"),
    ):
        host = FakeHost(environ={variable: "/data"})
        host.add_python(f"/data/{inside}/bin/python3.12", "3.12.1")
        assert [path for _, path in found_on(host)] == [f"/data/{inside}/bin/python3.12"]


def test_links_to_one_interpreter_are_one_under_the_first_place() -> None:
    host = FakeHost(environ={"PATH": "/a/bin:/b/bin"})
    host.add_python("/usr/bin/python3.11", "3.11.2")
    host.links |= {
        "/a/bin/python3": "/usr/bin/python3.11",
        "/b/bin/python": "/usr/bin/python3.11",
        "/usr/bin/python3": "python3.11",
    }
    assert found_on(host) == [("PATH", "/usr/bin/python3.11")]


def test_one_directory_under_two_names_is_listed_once() -> None:
    host = FakeHost(environ={"PATH": "/bin:/usr/bin"}, links={"/bin": "usr/bin"})
    host.add_python("/usr/bin/python3.11", "3.11.2")
    assert found_on(host) == [("PATH", "/usr/bin/python3.11")]


def test_shims_are_passed_over() -> None:
    shims = "/home/user/.pyenv/shims"
    host = FakeHost(environ={"PATH": f"{shims}:/usr/bin"})
    host.add_program(f"{shims}/python3", {"": Ran(0, "", "")})
    host.links["/usr/bin/python3.12"] = f"{shims}/python3"
    assert found_on(host) == []
    assert found_on(host, f"{shims}/python3") == [("ENVMGR_PYTHONS", f"{shims}/python3")]


def test_environments_on_the_path_stand_for_their_base() -> None:
    host = FakeHost(environ={"PATH": "/env/bin"})
    host.add_python("/opt/base/bin/python3.12", "3.12.1")
    host.files["/env/pyvenv.cfg"] = b"home = /opt/base/bin\nversion = 3.12.1\n"
    host.add_python("/env/bin/python", "3.12.1")
    assert found_on(host) == [("PATH", "/opt/base/bin/python3.12")]


def test_only_names_of_interpreters_count() -> None:
    host = FakeHost(environ={"PATH": "/bin"})
    for name in ("python3-config", "python3.11-dbg", "pythonw", "ipython3", "python-argcomplete"):
        host.add_program(f"/bin/{name}", {})
    host.files["/bin/python3.9"] = b"not executable"
    for name in ("python", "python3.13t", "python3.12d", "pypy3.10"):
        host.add_python(f"/bin/{name}", "3.12.1")
    assert {path for _, path in found_on(host)} == {
        "/bin/python",
        "/bin/python3.13t",
        "/bin/python3.12d",
        "/bin/pypy3.10",
    }


def test_a_relative_or_empty_element_of_path_is_passed_over() -> None:
    host = FakeHost(environ={"PATH": ":bin:."})
    host.add_python("/bin/python3", "3.12.1")
    assert found_on(host) == []


def test_extra_places_are_files_directories_installations_or_several_of_them() -> None:
    for place, path in (
        ("/x/python3.12", "/x/python3.12"),
        ("/x/special-build", "/x/special-build"),
        ("/x", "/x/python3.12"),
        ("/x", "/x/bin/python3.12"),
        ("/x", "/x/3.12.1/bin/python3.12"),
    ):
        host = FakeHost()
        host.add_python(path, "3.12.1")
        assert found_on(host, place) == [("ENVMGR_PYTHONS", path)]


def test_the_newest_minor_version_that_satisfies_is_chosen_and_nothing_else_is_run() -> None:
    host = FakeHost(environ={"PATH": "/bin"})
    for minor in (8, 9, 10, 11, 12, 13):
        host.add_python(f"/bin/python3.{minor}", f"3.{minor}.1")
    assert chosen_on(host, ">=3.9,<3.13") == "/bin/python3.12"
    assert programs_run(host) == ["/bin/python3.12"]


def test_of_one_minor_version_the_first_found_is_chosen() -> None:
    host = FakeHost(environ={"PATH": "/a:/b"})
    host.add_python("/a/python3.12", "3.12.1")
    host.add_python("/b/python3.12", "3.12.9")
    assert chosen_on(host, ">=3.12") == "/a/python3.12"


def test_one_that_is_named_by_the_user_comes_first_though_older() -> None:
    host = FakeHost(environ={"PATH": "/bin"})
    host.add_python("/bin/python3.13", "3.13.1")
    host.add_python("/site/python3.11", "3.11.4")
    assert chosen_on(host, ">=3.10", "/site/python3.11") == "/site/python3.11"
    assert chosen_on(host, ">=3.12", "/site/python3.11") == "/bin/python3.13"


def test_a_pre_release_is_chosen_only_where_no_release_satisfies() -> None:
    host = FakeHost(environ={"PATH": "/bin"})
    host.add_python("/bin/python3.15", "3.15.0a2")
    host.add_python("/bin/python3.12", "3.12.1")
    assert chosen_on(host, ">=3.12") == "/bin/python3.12"
    assert chosen_on(host, ">=3.15.0a1") == "/bin/python3.15"


def test_free_threaded_debug_and_pypy_come_after_plain_cpython() -> None:
    host = FakeHost(environ={"PATH": "/bin"})
    host.add_python("/bin/python3.13t", "3.13.1", free_threaded=True)
    host.add_python("/bin/python3.12d", "3.12.1", debug=True)
    host.add_python("/bin/pypy3.10", "3.10.14", implementation="pypy")
    host.add_python("/bin/python3.9", "3.9.1")
    assert chosen_on(host, ">=3.9") == "/bin/python3.9"
    assert chosen_on(host, ">=3.10") == "/bin/python3.13t"


def test_a_name_that_hides_what_it_is_does_not_win_by_hiding_it() -> None:
    host = FakeHost(environ={"PATH": "/a:/b"})
    host.add_python("/a/python3", "3.15.0b1")
    host.add_python("/b/python3", "3.11.2")
    host.add_python("/b/python3.12", "3.12.1")
    assert chosen_on(host, ">=3.9") == "/b/python3.12"


def test_a_name_that_lies_is_found_out_before_giving_up() -> None:
    host = FakeHost(environ={"PATH": "/bin"})
    host.add_python("/bin/python3.9", "3.12.1")
    assert chosen_on(host, ">=3.12") == "/bin/python3.9"


def test_a_broken_interpreter_gives_way_to_the_next() -> None:
    host = FakeHost(environ={"PATH": "/bin"})
    host.add_broken("/bin/python3.13", Ran(127, "", "no libpython"))
    host.add_python("/bin/python3.12", "3.12.1")
    assert chosen_on(host, ">=3.9") == "/bin/python3.12"


def test_a_development_build_satisfies_as_the_version_it_leads_to() -> None:
    host = FakeHost(environ={"PATH": "/bin"})
    host.add_python("/bin/python3.12", "3.12.1+")
    assert chosen_on(host, "==3.12.1") == "/bin/python3.12"


def test_when_none_does_each_is_listed_with_its_place_version_and_reason() -> None:
    host = FakeHost(environ={"PATH": "/bin"})
    host.add_python("/bin/python3.11", "3.11.2")
    host.add_python("/bin/python3.7", "3.7.16")
    pyenv = "/home/user/.pyenv/versions"
    host.add_broken(f"{pyenv}/3.14.0/bin/python3.14", Ran(-11, "", ""))
    error = refusal(host, ">=3.12,<3.15")
    assert error.exit_code == 4
    assert str(error) == (
        "Python <3.15, >=3.12 was asked for, and none of 3 found is usable for it"
    )
    assert error.details() == (
        "Python 3.11.2 at /bin/python3.11 (PATH): does not satisfy <3.15,>=3.12",
        "Python 3.7.16 at /bin/python3.7 (PATH): too old (3.8 or newer is needed)",
        f"Python at {pyenv}/3.14.0/bin/python3.14 (pyenv): it ended with signal 11",
    )
    assert error.hint == (
        "install a Python that satisfies <3.15,>=3.12, "
        "or set ENVMGR_PYTHONS to one or to a directory of them"
    )


def test_where_there_is_none_at_all_it_is_said() -> None:
    error = refusal(FakeHost(), "")
    assert str(error) == "Python was asked for, and no interpreter was found"
    assert error.details() == ()


def test_a_file_somebody_named_that_is_not_there_is_listed() -> None:
    host = FakeHost()
    found = discover_interpreters(host, (Path("/gone/python3.12"),))
    with pytest.raises(NoInterpreter) as caught:
        choose_interpreter(any_of(""), found, partial(probe_interpreter, host=host, cache=None))
    assert caught.value.details() == (
        "Python at /gone/python3.12 (ENVMGR_PYTHONS): no interpreter is there",
    )


def test_a_path_in_the_file_is_that_interpreter_and_no_other() -> None:
    host = FakeHost(environ={"PATH": "/bin"})
    host.add_python("/bin/python3.13", "3.13.1")
    host.add_python("/mine/python3.9", "3.9.1")
    probe = partial(probe_interpreter, host=host, cache=None)
    found = discover_interpreters(host)
    chosen = choose_interpreter(PythonPath(Path("/mine/python3.9")), found, probe)
    assert chosen.executable == "/mine/python3.9"
    with pytest.raises(NoInterpreter) as caught:
        choose_interpreter(PythonPath(Path("/mine/python4")), found, probe)
    assert str(caught.value) == "/mine/python4 is no interpreter an environment can have"
    assert caught.value.details() == ("Python at /mine/python4: no interpreter is there",)
