import pytest

from envmgr.hardware.host import CommandFailed, Ran
from envmgr.target.answer import QUESTION
from envmgr.target.executable import EM_386
from envmgr.target.probe import InterpreterUnusable, parse_musl, probe_interpreter
from envmgr.target.types import MARKER_VARIABLES, Glibc, MacOS, Musl
from tests.support.host import FakeHost, make_answer
from tests.unit.target.test_executable import elf

PYTHON = "/opt/python/bin/python3.12"


def reason(host: FakeHost, path: str = PYTHON) -> str:
    with pytest.raises(InterpreterUnusable) as caught:
        probe_interpreter(path, host, None)
    assert caught.value.exit_code == 4
    assert caught.value.reason in str(caught.value)
    return caught.value.reason


def test_an_answer_becomes_an_interpreter() -> None:
    host = FakeHost()
    host.add_python(PYTHON, "3.12.1")
    found = probe_interpreter(PYTHON, host, None)
    assert (found.executable, found.version_text, found.minor_text) == (PYTHON, "3.12.1", "3.12")
    assert found.libc == Glibc(2, 36)
    assert set(found.markers) == set(MARKER_VARIABLES)


def test_the_interpreter_is_started_without_the_users_settings() -> None:
    host = FakeHost()
    host.add_python(PYTHON, "3.12.1")
    probe_interpreter(PYTHON, host, None)
    assert [command[:5] for command in host.ran] == [(PYTHON, "-I", "-S", "-B", "-c")]


def test_a_system_with_a_patched_glibc_version_is_read_up_to_the_patch() -> None:
    host = FakeHost()
    host.add_python(PYTHON, "3.12.1", glibc="2.20-2014.11")
    assert probe_interpreter(PYTHON, host, None).libc == Glibc(2, 20)


def test_macos_tells_its_own_version() -> None:
    host = FakeHost()
    host.add_python(PYTHON, "3.12.1", glibc="", macos="14.1.2", platform="macosx-11.0-arm64")
    assert probe_interpreter(PYTHON, host, None).libc == MacOS(14, 1)


def test_musl_is_told_by_its_loader() -> None:
    host = FakeHost()
    host.add_python(PYTHON, "3.12.1", glibc="")
    host.files[PYTHON] = elf(loader=b"/lib/ld-musl-x86_64.so.1\0")
    said = "musl libc (x86_64)\nVersion 1.2.5\nDynamic Program Loader\n"
    host.add_program("/lib/ld-musl-x86_64.so.1", {"": Ran(1, "", said)})
    assert probe_interpreter(PYTHON, host, None).libc == Musl(1, 2)


def test_a_musl_loader_that_does_not_run_leaves_the_library_unknown() -> None:
    host = FakeHost()
    host.add_python(PYTHON, "3.12.1", glibc="")
    loader = "/lib/ld-musl-x86_64.so.1"
    host.files[PYTHON] = elf(loader=f"{loader}\0".encode())
    host.add_broken(loader, CommandFailed([loader], "it cannot be run: no"))
    assert probe_interpreter(PYTHON, host, None).libc is None


def test_a_32_bit_interpreter_has_a_manylinux_library_only_if_it_is_true_i686() -> None:
    host = FakeHost()
    host.add_python(PYTHON, "3.12.1", pointer_bits=32)
    host.files[PYTHON] = elf(32, EM_386)
    assert probe_interpreter(PYTHON, host, None).libc == Glibc(2, 36)
    host.files[PYTHON] = elf(32, 62)
    assert probe_interpreter(PYTHON, host, None).libc is None


@pytest.mark.parametrize("version", ["2.7.18", "3.6.15", "3.7.16"])
def test_an_old_python_is_too_old_whether_it_answers_or_knows_not_the_flags(version: str) -> None:
    unknown = Ran(2, "", "Unknown option: -I\nusage: python ...\n")
    host = FakeHost()
    host.add_program(PYTHON, {"": unknown, "-V": Ran(0, "", f"Python {version}\n")})
    assert reason(host) == "too old (3.8 or newer is needed)"
    host.add_python(PYTHON, version)
    assert reason(host) == "too old (3.8 or newer is needed)"


def test_a_broken_interpreter_says_how_it_ended_and_its_last_words() -> None:
    host = FakeHost()
    host.add_broken(PYTHON, Ran(127, "", "libpython3.12.so.1.0: cannot open shared object file\n"))
    assert reason(host) == (
        "it ended with status 127 (libpython3.12.so.1.0: cannot open shared object file)"
    )
    host.add_broken(PYTHON, Ran(-11, "", ""))
    assert reason(host) == "it ended with signal 11"
    host.add_broken(PYTHON, Ran(0, "hello\n", ""))
    assert reason(host) == "it gave no answer"
    host.add_broken(PYTHON, CommandFailed([PYTHON], "it did not end within 30 seconds"))
    assert reason(host) == "it did not end within 30 seconds"


def test_a_program_that_is_no_python_does_not_get_our_question_printed() -> None:
    quoted = "'$'\\n''".join(QUESTION.splitlines())
    host = FakeHost()
    host.add_broken(PYTHON, Ran(2, "", f"ls: cannot access '{quoted}': No such file or directory"))
    assert reason(host) == "it ended with status 2"


def test_last_words_are_cut_where_they_do_not_end() -> None:
    host = FakeHost()
    host.add_broken(PYTHON, Ran(2, "", "first\n" + "x" * 5000 + "\n\n"))
    assert reason(host) == f"it ended with status 2 ({'x' * 197}...)"


def test_another_implementation_is_named() -> None:
    host = FakeHost()
    host.add_python(PYTHON, "3.12.1", implementation="graalpy")
    assert reason(host) == "graalpy is neither CPython nor PyPy"


def test_an_answer_without_a_marker_variable_is_refused() -> None:
    host = FakeHost()
    markers = dict(make_answer("3.12.1")["markers"])  # type: ignore[call-overload]
    del markers["platform_version"]
    host.add_python(PYTHON, "3.12.1", markers=markers)
    assert reason(host) == "it does not tell its platform_version"


def test_a_missing_or_forbidden_file_is_said_to_be_so() -> None:
    host = FakeHost(files={"/data/python3": b"text"})
    assert reason(host, "/no/python3") == "no interpreter is there"
    assert reason(host, "/data/python3") == "you may not run it"


def test_a_wrapper_stands_for_the_interpreter_it_starts() -> None:
    host = FakeHost()
    host.add_python(PYTHON, "3.12.1")
    host.add_python("/site/bin/python3", "3.12.1", executable=PYTHON)
    assert probe_interpreter("/site/bin/python3", host, None).executable == PYTHON


def test_a_wrapper_around_what_does_not_run_by_itself_is_unusable() -> None:
    host = FakeHost()
    host.add_broken(PYTHON, Ran(127, "", "libimf.so: not found"))
    host.add_python("/site/bin/python3", "3.12.1", executable=PYTHON)
    assert reason(host, "/site/bin/python3") == (
        f"it starts {PYTHON}, which does not run by itself: "
        "it ended with status 127 (libimf.so: not found)"
    )


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("musl libc (x86_64)\nVersion 1.2.2\nDynamic Program Loader\n", Musl(1, 2)),
        ("\nmusl libc (aarch64)\n\nVersion 1.1.24\n", Musl(1, 1)),
        ("musl libc (x86_64)\n", None),
        ("musl libc\nfork\n", None),
        ("GNU C Library\nVersion 2.36\n", None),
        ("", None),
    ],
)
def test_what_musl_says_is_read(text: str, version: Musl | None) -> None:
    assert parse_musl(text) == version
