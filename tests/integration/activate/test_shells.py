"""Activation in the real shells."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from envmgr.activate.scripts import render_activation
from tests.support.shells import (
    BASH,
    FISH,
    POSIX_SHELLS,
    SHELLS,
    TCSH,
    Shell,
    ensure_installed,
    parameters,
    read_dump,
)
from tests.support.values import replace

ODD_VALUES = {
    "PLAIN": "8",
    "EMPTY": "",
    "SPACES": "  two  words ",
    "QUOTES": """it's "quoted" `here` ''""",
    "DOLLAR": "$HOME ${HOME} $(echo no) $$",
    "BACKSLASH": "\\ \\\\ \\n \\! end\\",
    "BANG": "!! !x \\!x a!",
    "PERCENT": "%s %% %n 100%",
    "NEWLINE": "one\ntwo\n\nfour\n",
    "TABS": "\ta\tb",
    "GLOBS": "* ? [a-z] {a,b} ~ ~root",
    "SIGNS": "; & | < > ( ) # ^ @ = -n --",
    "UNICODE": "é 日本語 🐍",
    "SOME_PATH": "a:b::c:",
}
BIN = "/usr/bin:/bin"
PROMPTS = {
    **dict.fromkeys(("bash", "sh", "zsh"), "export PS1='> '"),
    "fish": "function fish_prompt; echo '> '; end",
    "tcsh": "set prompt = '> '",
}
"""Scripts of other tools want a prompt, and export it."""
WHOLE = "x y:/usr/bin::/bin:/it's:/*:"


@pytest.fixture(params=parameters(SHELLS))
def shell(request: pytest.FixtureRequest) -> Shell:
    chosen: Shell = request.param
    ensure_installed(chosen)
    return chosen


@pytest.fixture(params=parameters(POSIX_SHELLS))
def posix(request: pytest.FixtureRequest) -> Shell:
    chosen: Shell = request.param
    ensure_installed(chosen)
    return chosen


@pytest.fixture(params=parameters((FISH,)))
def fish(request: pytest.FixtureRequest) -> Shell:
    chosen: Shell = request.param
    ensure_installed(chosen)
    return chosen


@pytest.fixture(params=parameters((TCSH,)))
def tcsh(request: pytest.FixtureRequest) -> Shell:
    chosen: Shell = request.param
    ensure_installed(chosen)
    return chosen


@pytest.fixture(params=["plain", 'it\'s a $HOME `x` \\n !x *é日 "q" {a,b}'])
def prefix(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_scripts(tmp_path / str(request.param), "science", ODD_VALUES)


def write_scripts(prefix: Path, name: str, variables: dict[str, str]) -> Path:
    for path, text in render_activation(str(prefix), name, variables).items():
        (prefix / path).parent.mkdir(parents=True, exist_ok=True)
        (prefix / path).write_text(text)
    return prefix


class Session:
    """One run of a shell, put together step by step."""

    def __init__(self, shell: Shell, tmp_path: Path, path: str | None = BIN, **start: str) -> None:
        self.shell = shell
        self.tmp_path = tmp_path
        self.lines: list[str] = []
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        self.environment = {"HOME": str(home), "LANG": "C.UTF-8", **start}
        if path is not None:
            self.environment["PATH"] = path
        self.dumps: list[Path] = []

    def _named(self, text: str) -> str:
        name = f"T{len(self.environment)}"
        self.environment[name] = text
        return name

    def say(self, line: str) -> "Session":
        self.lines.append(line)
        return self

    def enter(self, prefix: Path) -> "Session":
        script = str(prefix / "bin" / self.shell.activate)
        return self.say(self.shell.read.replace("{0}", self._named(script)))

    def leave(self) -> "Session":
        return self.say("deactivate")

    def prepend(self, directory: str) -> "Session":
        return self.say(self.shell.prepend.replace("{0}", self._named(directory)))

    def append(self, directory: str) -> "Session":
        return self.say(self.shell.append.replace("{0}", self._named(directory)))

    def look(self) -> "Session":
        file = self.tmp_path / f"dump-{len(self.dumps)}"
        self.dumps.append(file)
        return self.say(self.shell.dump.replace("{0}", self._named(str(file))))

    def environments(self) -> list[dict[str, str]]:
        """Run it; return the environment at every look."""
        done = self.shell.run(self.tmp_path, "\n".join([*self.lines, ""]), self.environment)
        assert (done.returncode, done.stderr.decode()) == (0, "")
        return [read_dump(file) for file in self.dumps]

    def output(self) -> str:
        """Run it; return what it wrote."""
        done = self.shell.run(self.tmp_path, "\n".join([*self.lines, ""]), self.environment)
        assert (done.returncode, done.stderr.decode()) == (0, "")
        return done.stdout.decode()


def test_an_environment_is_entered_with_its_variables_exactly_as_written(
    shell: Shell, prefix: Path, tmp_path: Path
) -> None:
    session = Session(shell, tmp_path, PYTHONHOME="/elsewhere")

    (inside,) = session.enter(prefix).look().environments()

    assert {name: inside.get(name) for name in ODD_VALUES} == ODD_VALUES
    assert inside["VIRTUAL_ENV"] == inside["ENVMGR_PREFIX"] == str(prefix)
    assert inside["VIRTUAL_ENV_PROMPT"] == "science"
    assert inside["PATH"] == f"{prefix}/bin:{BIN}"
    assert "PYTHONHOME" not in inside


def test_nothing_but_what_activation_says_is_exported(
    shell: Shell, prefix: Path, tmp_path: Path
) -> None:
    before, inside = Session(shell, tmp_path).look().enter(prefix).look().environments()

    new = inside.keys() - before.keys()

    assert new == {*ODD_VALUES, "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "ENVMGR_PREFIX"}


def test_leaving_brings_back_what_was_set_empty_and_absent(
    shell: Shell, prefix: Path, tmp_path: Path
) -> None:
    session = Session(
        shell,
        tmp_path,
        PYTHONHOME="/elsewhere",
        PLAIN="",
        EMPTY="it was\n$full !x \\ '\"",
        SPACES=" b ",
        VIRTUAL_ENV_PROMPT="",
    )

    before, after = session.look().enter(prefix).leave().look().environments()

    assert after == before


def test_leaving_brings_back_an_unusual_path(shell: Shell, prefix: Path, tmp_path: Path) -> None:
    session = Session(shell, tmp_path, path=WHOLE)

    before, after = session.look().enter(prefix).leave().look().environments()

    assert before["PATH"] == WHOLE or shell is FISH  # fish itself writes "." for an empty element
    assert after == before


def test_leaving_takes_only_its_own_directory_from_a_path_that_was_changed_since(
    shell: Shell, prefix: Path, tmp_path: Path
) -> None:
    session = Session(shell, tmp_path, path=f"/opt/a b:{BIN}")
    session.enter(prefix).prepend("/first *").append("/last").prepend(f"{prefix}/bin2").leave()

    (after,) = session.look().environments()

    assert after["PATH"] == f"{prefix}/bin2:/first *:/opt/a b:{BIN}:/last"


def test_a_directory_that_was_on_the_path_before_stays_there(shell: Shell, tmp_path: Path) -> None:
    prefix = write_scripts(tmp_path / "plain", "plain", {})
    session = Session(shell, tmp_path, path=f"{BIN}:{prefix}/bin")
    session.enter(prefix).append("/last").leave()

    (after,) = session.look().environments()

    assert after["PATH"] == f"{BIN}:{prefix}/bin:/last"


def test_a_path_that_the_user_took_away_from_us_is_left_as_it_is(
    shell: Shell, tmp_path: Path
) -> None:
    prefix = write_scripts(tmp_path / "plain", "plain", {})
    emptied = {"fish": "set -gx PATH /only", "tcsh": "setenv PATH /only"}
    session = Session(shell, tmp_path).enter(prefix)

    (after,) = session.say(emptied.get(shell.name, "PATH=/only")).leave().look().environments()

    assert after["PATH"] == "/only"
    assert "VIRTUAL_ENV" not in after


def test_entering_another_environment_leaves_the_first(
    shell: Shell, prefix: Path, tmp_path: Path
) -> None:
    second = write_scripts(tmp_path / "second", "second", {"PLAIN": "2", "OTHER": "2"})
    session = Session(shell, tmp_path, PLAIN="mine")
    session.look().enter(prefix).enter(second).look().leave().look()

    before, inside, after = session.environments()

    assert inside["PATH"] == f"{second}/bin:{BIN}"
    assert (inside["PLAIN"], inside["OTHER"]) == ("2", "2")
    assert "QUOTES" not in inside
    assert after == before


def test_entering_the_same_environment_again_changes_nothing(
    shell: Shell, prefix: Path, tmp_path: Path
) -> None:
    session = Session(shell, tmp_path, PLAIN="mine")
    session.look().enter(prefix).look().enter(prefix).look().leave().look()

    before, once, twice, after = session.environments()

    assert twice == once
    assert after == before


def test_a_virtual_environment_of_another_tool_is_left_first(shell: Shell, tmp_path: Path) -> None:
    ours = write_scripts(tmp_path / "ours", "ours", {"X": "1"})
    theirs = tmp_path / "theirs"
    venv.create(theirs)
    session = Session(shell, tmp_path).say(PROMPTS[shell.name])
    session.look().enter(theirs).enter(ours).look().leave().look()

    before, inside, after = session.environments()

    assert inside["PATH"] == f"{ours}/bin:{BIN}"
    assert after == before


def test_a_virtual_environment_entered_from_ours_is_left_before_ours(
    shell: Shell, tmp_path: Path
) -> None:
    ours = write_scripts(tmp_path / "ours", "ours", {"X": "1"})
    theirs = tmp_path / "theirs"
    venv.create(theirs)
    session = Session(shell, tmp_path).say(PROMPTS[shell.name])
    session.look().enter(ours).enter(theirs).look().enter(ours).look().leave().look()

    before, in_theirs, inside, after = session.environments()

    assert in_theirs["VIRTUAL_ENV"] == str(theirs)
    assert in_theirs["PATH"] == f"{theirs}/bin:{BIN}"
    assert inside["PATH"] == f"{ours}/bin:{BIN}"
    assert after == before


def test_no_program_is_started(shell: Shell, prefix: Path, tmp_path: Path) -> None:
    empty = tmp_path / "no-programs"
    empty.mkdir()
    session = Session(shell, tmp_path, path=str(empty))

    (inside,) = session.enter(prefix).enter(prefix).leave().enter(prefix).look().environments()

    assert inside["PATH"] == f"{prefix}/bin:{empty}"


def test_a_shell_without_a_path_gets_one_and_loses_it_again(
    posix: Shell, prefix: Path, tmp_path: Path
) -> None:
    session = Session(posix, tmp_path).say("unset PATH").enter(prefix).look()

    inside, after = session.leave().look().environments()

    assert inside["PATH"] == f"{prefix}/bin"
    assert "PATH" not in after


def test_an_empty_path_stays_an_empty_path(posix: Shell, prefix: Path, tmp_path: Path) -> None:
    session = Session(posix, tmp_path).say("PATH=").enter(prefix).look()

    inside, after = session.leave().look().environments()

    assert inside["PATH"] == f"{prefix}/bin:"
    assert after["PATH"] == ""


@pytest.mark.parametrize("options", ["set -eu", "set -eu; set +h", "set -a; set -eu", "set -C"])
def test_strict_posix_shells_go_on(
    posix: Shell, prefix: Path, tmp_path: Path, options: str
) -> None:
    if posix.name != "bash" and "+h" in options:
        options = "set -eu"  # hashing cannot be turned off there
    second = write_scripts(tmp_path / "second", "second", {})
    session = Session(posix, tmp_path, PLAIN="1").say(options).look()

    session.enter(prefix).enter(second).leave().enter(second).leave().look()
    before, after = session.environments()

    assert after.items() >= before.items()


def test_nothing_of_ours_stays_behind_in_a_posix_shell(
    posix: Shell, prefix: Path, tmp_path: Path
) -> None:
    session = Session(posix, tmp_path).enter(prefix).leave()

    listing = session.say("set; command -v deactivate || :").output()

    left = [line for line in listing.splitlines() if "envmgr" in line.lower()]
    assert [line for line in left if "/home" not in line and str(tmp_path) not in line] == []
    assert "deactivate" not in listing.splitlines()


def test_nothing_of_ours_stays_behind_in_fish(fish: Shell, prefix: Path, tmp_path: Path) -> None:
    session = Session(fish, tmp_path).enter(prefix).leave()

    listing = session.say("set -n; functions -a -n").output()

    assert [line for line in listing.split() if "envmgr" in line or "OLD_VIRTUAL" in line] == []
    assert "deactivate" not in listing.split()


def test_nothing_of_ours_stays_behind_in_tcsh(tcsh: Shell, prefix: Path, tmp_path: Path) -> None:
    session = Session(tcsh, tmp_path).enter(prefix).leave()

    listing = session.say("set; alias").output()

    assert "envmgr_" not in listing
    assert "deactivate" not in listing


def test_an_environment_that_a_parent_shell_is_in_is_there_again_after_leaving(
    posix: Shell, prefix: Path, tmp_path: Path
) -> None:
    second = write_scripts(tmp_path / "second", "second", {})
    inner = tmp_path / "inner"
    inner.write_text('. "$SECOND"\ndeactivate\n/usr/bin/env -0 > "$DUMP"\n')
    session = Session(
        posix,
        tmp_path,
        SECOND=str(second / "bin/activate"),
        DUMP=str(tmp_path / "inner-dump"),
        INNER=str(inner),
        SELF=posix.program,
    )

    (outer,) = session.enter(prefix).look().say('"$SELF" "$INNER"').environments()

    assert read_dump(tmp_path / "inner-dump") == outer


@pytest.mark.parametrize("disabled", [False, True])
def test_the_prompt_of_a_posix_shell_tells_the_environment(
    posix: Shell, prefix: Path, tmp_path: Path, disabled: bool
) -> None:
    start = {"VIRTUAL_ENV_DISABLE_PROMPT": "1"} if disabled else {}
    session = Session(posix, tmp_path, **start).say("PS1='in \\w $ '")
    session.enter(prefix).say('printf "%s\\n" "$PS1"')

    inside, after = session.leave().say('printf "%s\\n" "$PS1"').output().splitlines()

    assert inside == ("in \\w $ " if disabled else "(science) in \\w $ ")
    assert after == "in \\w $ "


def test_a_prompt_that_the_user_changed_since_stays(
    posix: Shell, prefix: Path, tmp_path: Path
) -> None:
    session = Session(posix, tmp_path).say("PS1='old '").enter(prefix).say("PS1='new '").leave()

    assert session.say('printf "%s\\n" "$PS1"').output() == "new \n"


def test_a_script_without_a_prompt_gets_none(posix: Shell, prefix: Path, tmp_path: Path) -> None:
    session = Session(posix, tmp_path).say("unset PS1").enter(prefix)

    assert session.say('printf "%s\\n" "${PS1-none}"').output() == "none\n"


@pytest.mark.parametrize("disabled", [False, True])
def test_the_prompt_of_fish_tells_the_environment_and_keeps_the_status(
    fish: Shell, prefix: Path, tmp_path: Path, disabled: bool
) -> None:
    start = {"VIRTUAL_ENV_DISABLE_PROMPT": "1"} if disabled else {}
    session = Session(fish, tmp_path, **start)
    session.say('function fish_prompt; echo "<$status>"; end')
    session.enter(prefix).say("false; fish_prompt").leave()

    inside, after = session.say("false; fish_prompt").output().splitlines()

    assert inside == ("<1>" if disabled else "(science) <1>")
    assert after == "<1>"


@pytest.mark.parametrize("disabled", [False, True])
def test_the_prompt_of_tcsh_tells_the_environment(
    tcsh: Shell, prefix: Path, tmp_path: Path, disabled: bool
) -> None:
    start = {"VIRTUAL_ENV_DISABLE_PROMPT": "1"} if disabled else {}
    session = Session(tcsh, tmp_path, **start).say("set prompt = '%m:%~ %# '")
    session.enter(prefix).say('echo "$prompt:q"').leave()

    inside, after = session.say('echo "$prompt:q"').output().splitlines()

    assert inside == ("%m:%~ %# " if disabled else "(science) %m:%~ %# ")
    assert after == "%m:%~ %# "


def test_fish_shows_a_universal_variable_again_after_leaving(fish: Shell, tmp_path: Path) -> None:
    prefix = write_scripts(tmp_path / "plain", "plain", {"COLOUR": "blue"})
    session = Session(replace(fish, argv=("fish",)), tmp_path).say("set -U COLOUR red")
    session.enter(prefix).say("echo $COLOUR")

    assert session.leave().say("echo $COLOUR; set -e -U COLOUR").output() == "blue\nred\n"


def test_an_interactive_bash_does_not_expand_history_in_values(
    prefix: Path, tmp_path: Path
) -> None:
    dump = tmp_path / "dump"
    commands = f'. "$SCRIPT"\n/usr/bin/env -0 > "{dump}"\nexit\n'

    subprocess.run(
        [BASH.program, "--norc", "--noprofile", "-i"],
        input=commands.encode(),
        env={"PATH": BIN, "HOME": str(tmp_path), "SCRIPT": str(prefix / "bin/activate")},
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert read_dump(dump)["BANG"] == ODD_VALUES["BANG"]


def test_the_python_of_the_prefix_is_the_one_that_is_found(shell: Shell, tmp_path: Path) -> None:
    prefix = write_scripts(tmp_path / "plain", "plain", {})
    (prefix / "bin" / "python").symlink_to(sys.executable)
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy("/bin/sh", other / "python")
    session = Session(shell, tmp_path, path=f"{other}:{BIN}").enter(prefix)

    found = session.say("python -c 'import os; print(os.environ[\"VIRTUAL_ENV\"])'").output()

    assert found == f"{prefix}\n"
