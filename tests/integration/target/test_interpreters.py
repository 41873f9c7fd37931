"""Real interpreters, probed for real."""

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from envmgr.hardware.host import FileStamp, Ran, RealHost
from envmgr.spec.types import PythonPath, PythonRange
from envmgr.target.answer import OLDEST, QUESTION, parse_answer
from envmgr.target.discover import FoundInterpreter, choose_interpreter, discover_interpreters
from envmgr.target.probe import InterpreterUnusable, probe_interpreter
from envmgr.target.types import Interpreter
from tests.support.interpreters import found_here, label, real_host, usable_here
from tests.support.values import replace

PURELIB = "import sys, sysconfig; print(sys.prefix); print(sysconfig.get_path('purelib'))"


class CountingHost(RealHost):
    """The real machine, which remembers what was started."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(environ)
        self.ran: list[str] = []

    def run(self, command: Sequence[str], timeout: float, changes: Mapping[str, str]) -> Ran:
        self.ran.append(command[0])
        return super().run(command, timeout, changes)


@pytest.fixture
def host() -> CountingHost:
    return CountingHost(os.environ)


@pytest.fixture
def own() -> str:
    """The real path of the interpreter that runs the tests."""
    return real_host().real_path(real_host().own_interpreter)


def test_the_interpreter_that_runs_the_tests_tells_what_it_is(own: str, host: RealHost) -> None:
    found = probe_interpreter(own, host, None)
    assert found.executable == own
    assert found.version == sys.version_info[:3]
    assert found.cache_tag == sys.implementation.cache_tag
    assert found.pointer_bits == sys.maxsize.bit_length() + 1
    assert found.markers["sys_platform"] == sys.platform


@pytest.mark.parametrize("found", found_here(), ids=lambda found: Path(found.path).name)
def test_whatever_is_found_is_what_its_name_says_or_tells_why_it_is_unusable(
    found: FoundInterpreter, host: RealHost
) -> None:
    guessed = found.guess.minor
    if guessed is not None and guessed < OLDEST:
        with pytest.raises(InterpreterUnusable, match="too old") as caught:
            probe_interpreter(found.path, host, None)
        assert (caught.value.version or "").startswith(f"{guessed[0]}.{guessed[1]}.")
        return
    interpreter = probe_interpreter(found.path, host, None)
    assert interpreter.executable == found.path
    assert guessed in (None, interpreter.version[:2])


@pytest.mark.parametrize("interpreter", usable_here(), ids=label)
def test_site_packages_are_where_a_virtual_environment_of_it_has_them(
    interpreter: Interpreter, host: RealHost, tmp_path: Path
) -> None:
    environment = tmp_path / "env"
    command = (interpreter.executable, "-m", "venv", "--without-pip", str(environment))
    made = host.run(command, 60, {})
    if made.status != 0:
        pytest.skip(f"no venv module: {made.output}{made.errors}")
    asked = host.run((str(environment / "bin/python"), "-I", "-c", PURELIB), 60, {})
    prefix, purelib = asked.output.splitlines()
    assert os.path.relpath(purelib, prefix) == interpreter.site_packages
    assert interpreter.headers.startswith("include/")


def test_a_probed_interpreter_is_remembered_and_not_started_again(
    own: str, host: CountingHost, tmp_path: Path
) -> None:
    first = probe_interpreter(own, host, tmp_path)
    again = probe_interpreter(own, host, tmp_path)
    assert again == first
    assert host.ran == [own]


def test_a_changed_interpreter_is_asked_again(host: CountingHost, tmp_path: Path) -> None:
    script = tmp_path / "python3"
    write_wrapper(script, host.own_interpreter)
    cache = tmp_path / "cache"
    probe_interpreter(script, host, cache)
    probe_interpreter(script, host, cache)
    before = len(host.ran)
    write_wrapper(script, host.own_interpreter, "# changed")
    probe_interpreter(script, host, cache)
    assert host.ran[before:] == [str(script)]


def test_another_kernel_or_a_new_c_library_is_asked_again(
    own: str, host: CountingHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe_interpreter(own, host, tmp_path)
    stamp = host.stamp

    def newer(path: str) -> FileStamp | None:
        found = stamp(path)
        return replace(found, mtime_ns=1) if found and path != own else found

    monkeypatch.setattr(host, "stamp", newer)
    probe_interpreter(own, host, tmp_path)
    monkeypatch.undo()
    host.kernel = replace(host.kernel, release="99")
    probe_interpreter(own, host, tmp_path)
    assert len(host.ran) == 3


def test_a_corrupt_cache_is_as_good_as_none(own: str, host: CountingHost, tmp_path: Path) -> None:
    first = probe_interpreter(own, host, tmp_path)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    for number, damaged in enumerate((b"", whole[: len(whole) // 2], b"\xff" * 100), start=2):
        kept.write_bytes(damaged)
        assert probe_interpreter(own, host, tmp_path) == first
        assert len(host.ran) == number
        assert kept.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_no_failure(
    own: str, host: CountingHost, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert probe_interpreter(own, host, tmp_path / "file").executable == own


def write_wrapper(path: Path, interpreter: str, comment: str = "") -> None:
    path.write_text(f'#!/bin/sh\n{comment}\nexec "{interpreter}" "$@"\n')
    path.chmod(0o755)


def test_a_wrapper_script_stands_for_the_interpreter_it_starts(
    own: str, host: RealHost, tmp_path: Path
) -> None:
    write_wrapper(tmp_path / "python3", own)
    assert probe_interpreter(tmp_path / "python3", host, None).executable == own


@pytest.mark.parametrize("way", ["--symlinks", "--copies"])
def test_a_virtual_environment_stands_for_its_base(
    own: str, host: RealHost, tmp_path: Path, way: str
) -> None:
    made = host.run((own, "-m", "venv", "--without-pip", way, str(tmp_path / "env")), 60, {})
    assert made.status == 0, made.errors
    for path in (tmp_path / "env/bin/python", tmp_path / "env"):
        assert probe_interpreter(path, host, None).executable == own


def test_programs_that_are_no_python_say_why(host: RealHost, tmp_path: Path) -> None:
    for name, text, reason in (
        ("python3.12", "#!/bin/sh\nexit 7\n", "it ended with status 7"),
        ("python3.13", "#!/bin/sh\necho 'error: libpython' >&2; exit 127\n", "(error: libpython)"),
        ("python3.14", "#!/bin/sh\necho hello\n", "it gave no answer"),
        ("python3.15", "#!/no/such/interpreter\n", "it cannot be run: No such file or directory"),
        ("python3.9", "#!/bin/sh\nkill -SEGV $$\n", "it ended with signal 11"),
    ):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o755)
        with pytest.raises(InterpreterUnusable) as caught:
            probe_interpreter(path, host, None)
        assert reason in caught.value.reason


def test_the_sites_manylinux_policy_is_asked_for_every_glibc(own: str, tmp_path: Path) -> None:
    module = tmp_path / "_manylinux.py"
    module.write_text(
        "def manylinux_compatible(major, minor, arch):\n"
        "    return None if minor < 10 else (major, minor) != (2, 17)\n"
    )
    refused = policy_of(own, tmp_path)
    module.write_text("manylinux1_compatible = False\nmanylinux2014_compatible = True\n")
    refused_of_old = policy_of(own, tmp_path)
    if parse_answer(ask(own, {})).glibc:
        assert [platform.split("_")[1:3] for platform in refused] == [["2", "17"]]
        assert [platform.split("_")[1:3] for platform in refused_of_old] == [["2", "5"]]
    else:
        assert refused == refused_of_old == ()


def policy_of(python: str, directory: Path) -> tuple[str, ...]:
    return parse_answer(ask(python, {"PYTHONPATH": str(directory)})).refused_platforms


def ask(python: str, changes: Mapping[str, str]) -> str:
    ran = real_host().run((python, "-S", "-B", "-c", QUESTION), 60, changes)
    assert ran.status == 0, ran.errors
    return ran.output


def test_the_answer_is_one_line_of_ascii(own: str) -> None:
    (line,) = [line for line in ask(own, {}).splitlines() if line]
    assert line.isascii()
    assert isinstance(json.loads(line.partition(":")[2]), dict)


def test_a_second_choice_starts_nothing(host: CountingHost, tmp_path: Path) -> None:
    probe = partial(probe_interpreter, host=host, cache=tmp_path)
    anything = PythonRange(SpecifierSet(">=3.8"))
    first = choose_interpreter(anything, discover_interpreters(host), probe)
    host.ran.clear()
    second = choose_interpreter(anything, discover_interpreters(host), probe)
    assert second == first
    assert host.ran == []


def test_each_usable_interpreter_can_be_asked_for_by_its_exact_version(tmp_path: Path) -> None:
    host = real_host()
    probe = partial(probe_interpreter, host=host, cache=tmp_path)
    for interpreter in usable_here():
        version = interpreter.markers["python_full_version"].rstrip("+")
        exactly = PythonRange(SpecifierSet(f"=={version}"))
        chosen = choose_interpreter(exactly, found_here(), probe)
        assert chosen.version == interpreter.version
        by_path = choose_interpreter(PythonPath(Path(interpreter.executable)), (), probe)
        assert by_path == interpreter


def test_the_user_may_name_a_directory_of_installations(own: str, tmp_path: Path) -> None:
    bin_directory = tmp_path / "site" / "any" / "bin"
    bin_directory.mkdir(parents=True)
    (bin_directory / "python3").symlink_to(own)
    (found,) = [
        each
        for each in discover_interpreters(real_host(), (tmp_path / "site",))
        if each.source == "ENVMGR_PYTHONS"
    ]
    assert found.path == own
    shutil.rmtree(tmp_path / "site")
