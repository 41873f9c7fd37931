"""``history``, ``rollback`` and ``keep`` on real environments."""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

import envmgr
from envmgr.events import Event, Noted
from envmgr.files import remove_tree
from envmgr.link.prefix import current_generation, lock_prefix
from envmgr.pipeline.errors import NoSuchEnvironment
from envmgr.pipeline.generations import GenerationBroken, NoSuchGeneration, rollback
from tests.support.generations import PROJECT, SAY, history, kept, links_of, named, roll_back
from tests.support.index_server import IndexServer, hosted
from tests.support.project import Project
from tests.support.values import replace
from tests.support.wheels import make_wheel


@pytest.fixture
def made(project: Project) -> Project:
    """Generation 1 has alpha 1.0 and beta 1.1, generation 2 alpha 2.0 and beta 1.1."""
    project.write("alpha ==1.0", "beta ==1.1")
    project.create()
    project.write("alpha ==2.0", "beta ==1.1")
    project.create()
    return project


def causes(project: Project) -> list[str]:
    return [f"{each.number} {each.why}" for each in history(project)]


def test_history_tells_when_why_and_what(made: Project) -> None:
    newest, oldest = history(made)
    assert (newest.number, newest.why, newest.current, newest.before) == (
        2,
        "file changed",
        True,
        1,
    )
    assert [(each.name, each.before, each.after) for each in newest.changes] == [
        ("alpha", "1.0", "2.0")
    ]
    assert (oldest.number, oldest.why, oldest.current, oldest.before) == (1, "created", False, None)
    assert oldest.changes == ()
    assert newest.id == current_generation(made.prefix).name
    assert newest.created >= oldest.created


def test_every_cause_is_told_apart(project: Project, server: IndexServer) -> None:
    project.write("alpha", more="groups: {more: [checks]}\n")
    project.create()
    project.create(groups=("more",))
    server.add(make_wheel("checks", "4.0"))
    project.lock(upgrade=("checks",), refresh=True)
    project.sync()
    project.write("alpha", more="groups: {more: [checks]}\nvariables: {COLOUR: blue}\n")
    project.sync()
    (project.prefix / "bin").unlink()
    project.sync()
    assert causes(project)[0] == "5 repaired"
    compiling = replace(project, variables={**project.variables, "ENVMGR_COMPILE": "yes"})
    compiling.sync()
    assert causes(project) == [
        "6 bytecode compiled",
        "5 repaired",
        "4 variables changed",
        "3 lock changed",
        "2 other groups",
    ]


def test_numbers_are_for_life_whatever_is_removed(project: Project) -> None:
    for number in range(1, 4):
        project.write("alpha ==1.0", more=f"keep: 1\nvariables: {{N: '{number}'}}\n")
        project.create()
    assert kept(project.prefix) == [3]
    project.write("alpha ==1.0", more="keep: 2\nvariables: {N: '4'}\n")
    project.create()
    roll_back(project)
    project.write("alpha ==1.0", more="keep: 1\nvariables: {N: '3'}\n")
    assert project.create().made == "unchanged"
    assert kept(project.prefix) == [3]
    project.write("alpha ==1.0", more="keep: 1\nvariables: {N: '5'}\n")
    project.create()
    assert kept(project.prefix) == [5], "4 was taken, although it is gone"


def test_records_of_before_numbers_are_numbered_by_what_there_ever_was(made: Project) -> None:
    for record in (made.prefix / ".envmgr" / "generations").glob("*/generation.json"):
        facts = json.loads(record.read_bytes())
        for key in ("number", "why", "before", "changes"):
            del facts[key]
        record.write_text(json.dumps(facts), "utf-8")
    newest, oldest = history(made)
    assert (newest.number, newest.why, oldest.number, oldest.why) == (2, "changed", 1, "created")
    assert [change.after for change in newest.changes] == ["2.0"]


def test_keep_alone_makes_no_generation_and_removes_the_oldest(made: Project) -> None:
    made.write("alpha ==2.0", "beta ==1.1", more="keep: 1\n")
    assert made.sync().made == "unchanged"
    assert kept(made.prefix) == [2]


def test_a_rolled_back_environment_is_the_one_it_was(made: Project) -> None:
    old = made.prefix / ".envmgr" / "generations" / history(made)[1].id
    before, entries = links_of(old), sorted(old.rglob("*"))
    done = roll_back(made)
    assert (done.number, done.before, done.generation) == (1, 2, old.name)
    assert [(each.before, each.after) for each in done.changes] == [("2.0", "1.0")]
    assert current_generation(made.prefix) == old
    assert (links_of(old), sorted(old.rglob("*"))) == (before, entries)
    assert made.python(SAY) == "1.0"
    assert [each.current for each in history(made)] == [False, True]


def test_rollback_takes_any_kept_generation_and_back_again(made: Project) -> None:
    roll_back(made, 1)
    assert roll_back(made, 2).number == 2
    assert made.python(SAY) == "2.0"
    again = roll_back(made, 2)
    assert (again.number, again.before, again.changes) == (2, 2, ())


def test_a_generation_that_is_not_kept_is_refused_with_those_that_are(made: Project) -> None:
    with pytest.raises(NoSuchGeneration) as failure:
        roll_back(made, 7)
    assert failure.value.exit_code == 9
    assert "kept are 1, 2" in failure.value.hint
    roll_back(made)
    with pytest.raises(NoSuchGeneration) as failure:
        roll_back(made)
    assert "before the current one" in str(failure.value)
    with pytest.raises(NoSuchEnvironment):
        history(made, named("absent"))


def test_sync_goes_forward_again_and_says_so(made: Project) -> None:
    roll_back(made)
    made.events.clear()
    assert made.sync().made == "updated"
    assert "project was rolled back to 1; this brings it up to its file again" in made.told()
    assert made.python(SAY) == "2.0"
    assert causes(made)[0] == "3 went on after a rollback to 1: file changed"
    made.events.clear()
    assert made.sync().made == "unchanged"
    assert "rolled back" not in made.told()


def test_sync_after_a_rollback_over_a_move_of_the_file_finds_it(made: Project) -> None:
    (made.directory / "new").mkdir()
    new = made.directory / "new" / "environment.yaml"
    made.file.rename(new)
    made.lock_file.rename(new.with_name("pylock.toml"))
    made.create(file=new)
    roll_back(made, 1)
    assert made.sync().lock == new.with_name("pylock.toml")
    assert made.python(SAY) == "2.0"


def test_going_to_the_newest_is_no_rollback(made: Project) -> None:
    roll_back(made, 1)
    roll_back(made, 2)
    made.write("alpha ==1.0")
    made.events.clear()
    made.sync()
    assert "rolled back" not in made.told()
    assert causes(made)[0] == "3 file changed"


def test_pruning_after_a_rollback_removes_the_oldest_and_not_the_current(made: Project) -> None:
    roll_back(made)
    made.write("alpha ==1.0", "beta ==1.1", more="keep: 2\n")
    made.create()
    assert kept(made.prefix) == [1, 2]
    made.write("alpha ==1.0", "beta ==1.0", more="keep: 2\n")
    made.create()
    assert kept(made.prefix) == [2, 3]


def test_nothing_is_switched_to_what_the_store_has_lost(made: Project) -> None:
    (key,) = {
        package["key"]
        for record in (made.prefix / ".envmgr" / "generations").glob("*/generation.json")
        for package in json.loads(record.read_bytes())["packages"]
        if (package["name"], package["version"]) == ("alpha", "1.0")
    }
    remove_tree(made.directory / "home" / "store" / "v1" / "entries" / key)
    with pytest.raises(GenerationBroken) as failure:
        roll_back(made)
    assert failure.value.exit_code == 9
    assert failure.value.packages == ("alpha 1.0",)
    assert failure.value.others == ()
    assert "alpha 1.0" in str(failure.value)
    assert "envmgr sync -n project" in failure.value.hint
    assert made.python(SAY) == "2.0"


def test_what_programs_wrote_since_is_taken_back(project: Project, server: IndexServer) -> None:
    server.add(hosted(make_wheel("shared", "1.0", data={"data/share/shared.txt": "x"})))
    project.write("shared", "alpha ==1.0")
    project.create()
    share = project.prefix / "share"
    (share / "settings.json").write_text("old")
    (share / "untouched.json").write_text("same")
    project.write("shared", "alpha ==2.0")
    project.create()
    (share / "settings.json").write_text("new")
    (share / "kernel.json").write_text(f"{current_generation(project.prefix)}/bin/python")
    (share / "link").symlink_to("kernel.json")

    done = roll_back(project)

    assert done.kept == ("share/kernel.json", "share/link", "share/settings.json")
    assert (share / "settings.json").read_text() == "new"
    assert (share / "kernel.json").read_text() == (
        f"{current_generation(project.prefix)}/bin/python"
    )
    assert (share / "link").read_text() == (share / "kernel.json").read_text()
    assert (share / "shared.txt").read_text() == "x"
    assert "kept what programs wrote: share/kernel.json" in project.told()


def test_a_rollback_waits_for_whoever_changes_the_environment(made: Project) -> None:
    held = ExitStack()
    held.enter_context(lock_prefix(made.prefix))
    heard = []

    def release(event: Event) -> None:
        if isinstance(event, Noted) and "waiting for process" in event.text:
            heard.append(current_generation(made.prefix).name)
            held.close()

    newest = history(made)[0].id
    done = rollback(PROJECT, None, made.settings, release)
    assert (heard, done.number) == ([newest], 1)


def test_what_another_installer_brought_is_warned_of(made: Project) -> None:
    (site,) = current_generation(made.prefix).glob("lib/*/site-packages")
    (site / "gamma-1.0.dist-info").mkdir()
    (site / "gamma-1.0.dist-info" / "INSTALLER").write_text("pip\n")
    roll_back(made)
    assert "gamma 1.0 came from another installer and stays behind in generation 2" in made.told()


def test_a_rollback_over_a_move_names_the_new_place(made: Project) -> None:
    moved = made.settings.environments / "moved"
    made.prefix.rename(moved)
    done = rollback(named("moved"), 1, made.settings, made.events.append)

    assert done.number == 3
    assert "it was made again as 3" in made.told()
    assert run(moved / "bin" / "python", "-c", SAY) == "1.0"
    assert str(made.prefix) not in (moved / "bin" / "beta").read_text("utf-8")
    assert f"{current_generation(moved)}/bin/python" in (moved / "bin" / "beta").read_text("utf-8")


def run(program: Path | str, *arguments: str) -> str:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


WAITING = """
import subprocess, sys
print("ready", flush=True)
input()
import alpha
print(alpha.__version__)
code = "import alpha; print(alpha.__version__)"
print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
"""


def start(made: Project, how: str) -> subprocess.Popen[str]:
    """Start a program that waits for a line before it imports anything."""
    script = made.directory / "waiting.py"
    script.write_text(WAITING, "utf-8")
    python = made.prefix / "bin" / "python"
    words: dict[str, list[str]] = {
        "prefix": [str(python), str(script)],
        "script": [str(made.prefix / "bin" / "waiting")],
        "run": [sys.executable, "-m", "envmgr", "run", "-n", "project", "python", str(script)],
    }
    process = subprocess.Popen(
        words[how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=made.environ | {"PYTHONPATH": str(Path(envmgr.__file__).parents[1])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("how", ["prefix", "script", "run"])
def test_a_program_started_before_a_rollback_keeps_its_generation(
    project: Project, server: IndexServer, how: str
) -> None:
    points = {"console_scripts": {"waiting": "waiting:main"}}
    body = "def main():\n" + "".join(f"    {line}\n" for line in WAITING.strip().splitlines())
    server.add(
        hosted(make_wheel("waiting", "1.0", files={"waiting.py": body}, entry_points=points))
    )
    for version in ("1.0", "2.0"):
        project.write("waiting", f"alpha =={version}")
        project.create()
    process = start(project, how)

    roll_back(project)

    said, _ = process.communicate("go\n")
    assert said.split() == ["2.0", "2.0"]
    process = start(project, how)
    assert process.communicate("go\n")[0].split() == ["1.0", "1.0"]


def test_an_activated_shell_sees_a_rollback_in_its_next_program(made: Project) -> None:
    (made.directory / "waiting.py").write_text(WAITING, "utf-8")
    commands = f'. "{made.prefix}/bin/activate"; python waiting.py; python -c "{SAY}"'
    process = subprocess.Popen(
        ["/bin/sh", "-c", commands],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=made.directory,
        env=made.environ,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    roll_back(made)
    assert process.communicate("go\n")[0].split() == ["2.0", "2.0", "1.0"]


KILLED = """
import os, sys
from pathlib import Path
from tests.support.generations import roll_back
from tests.support.project import Project
project = Project(Path(sys.argv[1]), sys.argv[2])
prefix, count = str(project.prefix), [0]
def watch(event, arguments):
    if event in ("os.symlink", "os.rename", "os.remove", "open") and prefix in str(arguments):
        count[0] += 1
        if count[0] == int(sys.argv[3]):
            os.kill(os.getpid(), 9)
sys.addaudithook(watch)
roll_back(project, 1)
"""


def test_whoever_is_killed_during_a_rollback_leaves_one_generation_whole(
    project: Project, server: IndexServer
) -> None:
    server.add(hosted(make_wheel("shared", "1.0", data={"data/share/shared.txt": "x"})))
    project.write("alpha ==1.0")
    project.create()
    project.write("alpha ==2.0", "shared")
    project.create()
    (project.prefix / "share" / "note.txt").write_text("mine")
    killed, seen = 0, set()
    for step in range(1, 120):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, project.directory, project.index_url, str(step)],
            cwd=Path(envmgr.__file__).parents[1],
            check=False,
        )
        found = project.python(SAY)
        seen.add(found)
        assert history(project)[0 if found == "2.0" else 1].current
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        killed += 1
        roll_back(project, 2)
        assert sorted(os.listdir(project.prefix / "share")) == ["note.txt", "shared.txt"]
        assert (project.prefix / "share" / "shared.txt").read_text() == "x"
    assert killed
    assert seen == {"1.0", "2.0"}
    assert (project.prefix / "share" / "note.txt").read_text() == "mine"
