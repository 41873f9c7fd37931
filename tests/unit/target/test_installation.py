from envmgr.target.installation import locate, parse_pyvenv
from tests.support.host import FakeHost

BASE = "/opt/python/bin/python3.12"


def host_with_base() -> FakeHost:
    host = FakeHost()
    host.add_python(BASE, "3.12.1")
    host.links["/usr/bin/python3"] = BASE
    return host


def test_links_lead_to_the_file_behind_them() -> None:
    host = host_with_base()
    host.links["/usr/bin/python"] = "python3"
    assert locate(host, "/usr/bin/python") == BASE


def test_an_environment_of_links_stands_for_its_base() -> None:
    host = host_with_base()
    host.files["/env/pyvenv.cfg"] = b"home = /opt/python/bin\n"
    host.links["/env/bin/python"] = "/usr/bin/python3"
    assert locate(host, "/env/bin/python") == BASE


def test_an_environment_of_copies_stands_for_the_interpreter_its_settings_name() -> None:
    for settings in (
        b"home = /elsewhere\nexecutable = /opt/python/bin/python3.12\n",
        b"home = /elsewhere\nbase-executable = /usr/bin/python3\n",
        b"HOME=/opt/python/bin\nversion = 3.12.1\n",
        b"home = /opt/python/bin\nversion_info = 3.12.1.final.0\n",
        b"home = /usr/bin\n",
    ):
        host = host_with_base()
        host.files["/env/pyvenv.cfg"] = settings
        host.add_python("/env/bin/python", "3.12.1")
        assert locate(host, "/env/bin/python") == BASE, settings


def test_an_environment_made_from_an_environment_stands_for_the_same_base() -> None:
    host = host_with_base()
    host.files["/one/pyvenv.cfg"] = b"home = /opt/python/bin\nversion = 3.12.1\n"
    host.add_python("/one/bin/python", "3.12.1")
    host.files["/two/pyvenv.cfg"] = b"executable = /one/bin/python\n"
    host.add_python("/two/bin/python", "3.12.1")
    assert locate(host, "/two/bin/python") == BASE


def test_environments_that_name_each_other_do_not_hang() -> None:
    host = FakeHost()
    for own, other in (("one", "two"), ("two", "one")):
        host.files[f"/{own}/pyvenv.cfg"] = f"executable = /{other}/bin/python\n".encode()
        host.add_python(f"/{own}/bin/python", "3.12.1")
    assert locate(host, "/one/bin/python") in {"/one/bin/python", "/two/bin/python"}


def test_an_environment_whose_base_is_gone_stands_for_itself() -> None:
    host = FakeHost(files={"/env/pyvenv.cfg": b"home = /gone/bin\n"})
    host.add_python("/env/bin/python", "3.12.1")
    assert locate(host, "/env/bin/python") == "/env/bin/python"


def test_a_directory_stands_for_the_interpreter_in_its_bin() -> None:
    host = host_with_base()
    host.links["/opt/python/bin/python3"] = "python3.12"
    assert locate(host, "/opt/python") == BASE


def test_what_is_nowhere_is_given_back() -> None:
    assert locate(FakeHost(), "/no/python") == "/no/python"


def test_settings_are_lines_of_key_and_value() -> None:
    text = b"home = /a b/bin\nnonsense\n\nPrompt= x = y \n"
    assert parse_pyvenv(text) == {"home": "/a b/bin", "prompt": "x = y"}
