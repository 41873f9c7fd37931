"""``clone`` and ``rename`` on real environments."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envmgr.files import remove_tree
from envmgr.link.prefix import CACHES, PrefixTaken, current_generation
from envmgr.names import EnvironmentName
from envmgr.pipeline.copies import EnvironmentExists
from envmgr.pipeline.environments import delete, list_environments, list_packages
from envmgr.pipeline.errors import NoSuchEnvironment
from envmgr.pipeline.generations import GenerationBroken
from envmgr.pipeline.types import ByPrefix
from tests.support.generations import (
    PROJECT,
    SAY,
    cloned,
    history,
    links_of,
    named,
    renamed,
    roll_back,
)
from tests.support.index_server import IndexServer, hosted
from tests.support.project import Project
from tests.support.upkeep import collect, wheels_of
from tests.support.wheels import make_wheel

POINTS = {"console_scripts": {"tell": "tell:main"}}
TELL = "import sys\n\n\ndef main():\n    print(sys.prefix)\n"


@pytest.fixture
def made(project: Project, server: IndexServer) -> Project:
    data = {"data/share/shared.txt": "x"}
    server.add(hosted(make_wheel("tell", "1.0", files={"tell.py": TELL}, entry_points=POINTS)))
    server.add(hosted(make_wheel("shared", "1.0", data=data)))
    project.write("alpha ==1.0", "tell", "shared", more="variables: {COLOUR: blue}\n")
    project.create()
    server.forget()
    return project


def run(program: Path, *arguments: str) -> str:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def activated(prefix: Path, command: str) -> str:
    script = f'. "{prefix}/bin/activate"; {command}'
    return run(Path("/bin/sh"), "-c", script)


def names_nothing_of(old: Path, prefix: Path) -> bool:
    """Whether no file of the current generation names the old place."""
    files = [path for path in current_generation(prefix).rglob("*") if not path.is_symlink()]
    return not any(
        str(old).encode() in path.read_bytes().replace(f"{prefix}".encode(), b"")
        for path in files
        if path.is_file() and path.name != "generation.json" and path.suffix != ".pyc"
    )


def test_a_clone_has_the_same_links_and_asks_nobody(made: Project, server: IndexServer) -> None:
    entries = made.entries()
    done = cloned(made, named("twin"))
    assert (done.name, done.packages, done.file) == ("twin", 3, made.file)
    assert server.count() == 0
    assert made.entries() == entries
    old, new = current_generation(made.prefix), current_generation(done.prefix)
    assert links_of(new) == links_of(old)
    assert list_packages(named("twin"), made.settings) == list_packages(PROJECT, made.settings)
    assert [each.name for each in list_environments(made.settings)] == ["project", "twin"]


def test_a_clone_works_after_its_source_is_gone(made: Project) -> None:
    share = made.prefix / "share"
    (share / "kernel.json").write_text(f"{current_generation(made.prefix)}/bin/python")
    prefix = cloned(made, named("twin")).prefix
    delete(PROJECT, made.settings, made.events.append)

    generation = str(current_generation(prefix))
    assert run(prefix / "bin" / "tell") == generation
    assert run(prefix / "bin" / "python", "-c", SAY) == "1.0"
    assert activated(prefix, "echo $VIRTUAL_ENV $COLOUR; tell").split() == [
        str(prefix),
        "blue",
        generation,
    ]
    assert (prefix / "share" / "kernel.json").read_text() == f"{generation}/bin/python"
    assert "prompt = twin\n" in (prefix / "pyvenv.cfg").read_text("utf-8")
    assert "envmgr sync twin" in (prefix / "bin" / "pip").read_text("utf-8")
    assert names_nothing_of(made.prefix, prefix)


def test_a_clone_is_of_the_file_of_its_source_and_goes_its_own_way(made: Project) -> None:
    prefix = cloned(made, named("twin")).prefix
    assert made.sync(named("twin")).made == "unchanged"
    made.write("alpha ==2.0", "tell", "shared", more="variables: {COLOUR: blue}\n")
    assert made.sync(named("twin")).made == "updated"
    assert run(prefix / "bin" / "python", "-c", SAY) == "2.0"
    assert made.python(SAY) == "1.0"
    assert [f"{each.number} {each.why}" for each in history(made, named("twin"))] == [
        "2 file changed",
        "1 clone of project",
    ]


@pytest.mark.parametrize("length", [1, 130])
def test_scripts_start_however_long_the_path(made: Project, tmp_path: Path, length: int) -> None:
    far = ByPrefix(tmp_path / ("a" * length) / "env")
    prefix = cloned(made, far).prefix
    assert run(prefix / "bin" / "tell") == str(current_generation(prefix))
    back = cloned(made, ByPrefix(tmp_path / "b c"), far).prefix
    assert run(back / "bin" / "tell") == str(current_generation(back))
    again = cloned(made, named("short"), ByPrefix(back)).prefix
    script = (again / "bin" / "tell").read_bytes()
    assert run(again / "bin" / "tell") == str(current_generation(again))
    assert script.count(b"/bin/python") == 1


def test_what_another_installer_brought_is_copied_and_told(made: Project) -> None:
    (site,) = current_generation(made.prefix).glob("lib/*/site-packages")
    (site / "gamma-1.0.dist-info").mkdir()
    (site / "gamma-1.0.dist-info" / "INSTALLER").write_text("pip\n")
    (site / "gamma.py").write_text("value = 7\n")
    prefix = cloned(made, named("twin")).prefix
    assert run(prefix / "bin" / "python", "-c", "import gamma; print(gamma.value)") == "7"
    assert "gamma 1.0, gamma.py, which another installer put there, was copied" in made.told()


def test_caches_stay_with_the_generation_that_filled_them(made: Project) -> None:
    cache = current_generation(made.prefix) / CACHES
    cache.mkdir()
    (cache / "numba").write_text("inlined")
    prefix = cloned(made, named("twin")).prefix
    assert not (current_generation(prefix) / CACHES).exists()


@pytest.mark.parametrize("named_one", [True, False])
def test_the_store_keeps_what_a_clone_alone_needs(
    made: Project, tmp_path: Path, named_one: bool
) -> None:
    target = named("twin") if named_one else ByPrefix(tmp_path / "elsewhere")
    prefix = cloned(made, target).prefix
    delete(PROJECT, made.settings, made.events.append)
    assert wheels_of(collect(made)) == []
    assert run(prefix / "bin" / "tell") == str(current_generation(prefix))
    remove_tree(prefix)
    assert wheels_of(collect(made)) == ["alpha-1.0", "shared-1.0", "tell-1.0"]


def test_the_store_knows_a_renamed_environment(made: Project) -> None:
    prefix = renamed(made, "climate").prefix
    assert wheels_of(collect(made)) == []
    assert run(prefix / "bin" / "tell") == str(current_generation(prefix))


def test_nothing_is_cloned_over(made: Project, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentExists) as failure:
        cloned(made, PROJECT)
    assert failure.value.exit_code == 9
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years")
    with pytest.raises(PrefixTaken):
        cloned(made, ByPrefix(tmp_path / "mine"))
    with pytest.raises(NoSuchEnvironment):
        cloned(made, named("twin"), named("absent"))
    assert os.listdir(tmp_path / "mine") == ["thesis.tex"]
    assert not os.path.lexists(made.settings.environments / "twin")


def test_a_clone_of_what_the_store_has_lost_is_refused_and_leaves_nothing(made: Project) -> None:
    for key in made.entries():
        remove_tree(made.directory / "home" / "store" / "v1" / "entries" / key)
    with pytest.raises(GenerationBroken):
        cloned(made, named("twin"))
    assert not os.path.lexists(made.settings.environments / "twin")


def test_a_renamed_environment_works_and_the_old_name_is_free(
    made: Project, server: IndexServer
) -> None:
    share = made.prefix / "share"
    (share / "kernel.json").write_text(f"{current_generation(made.prefix)}/bin/python")
    old = made.prefix
    links = links_of(current_generation(old))
    done = renamed(made, "climate")

    prefix = made.settings.environments / "climate"
    assert (done.name, done.prefix, done.before) == ("climate", prefix, "project")
    assert not os.path.lexists(old)
    generation = current_generation(prefix)
    assert links_of(generation) == links
    assert run(prefix / "bin" / "tell") == str(generation)
    assert activated(prefix, "echo $VIRTUAL_ENV; tell").split() == [str(prefix), str(generation)]
    assert (prefix / "share" / "kernel.json").read_text() == f"{generation}/bin/python"
    assert names_nothing_of(old, prefix)
    assert server.count() == 0
    assert made.sync(named("climate")).made == "unchanged"
    assert [each.why for each in history(made, named("climate"))] == [
        "renamed from project",
        "created",
    ]
    assert sorted(os.listdir(prefix / ".envmgr")) == [
        "current",
        "environment.json",
        "generations",
        "lock",
        "root",
    ]
    assert made.create().made == "created", "the name is free again"


def test_a_renamed_environment_can_be_rolled_back(made: Project) -> None:
    made.write("alpha ==2.0", "tell", "shared")
    made.create()
    prefix = renamed(made, "climate").prefix
    from envmgr.pipeline.generations import rollback

    done = rollback(named("climate"), 1, made.settings, made.events.append)
    assert run(prefix / "bin" / "python", "-c", SAY) == "1.0"
    assert run(prefix / "bin" / "tell") == str(current_generation(prefix))
    assert (done.name, done.number, done.before) == ("climate", 4, 3)


def test_a_name_that_is_taken_is_refused(made: Project) -> None:
    made.create(name="other")
    before = os.listdir(made.prefix / ".envmgr" / "generations")
    with pytest.raises(EnvironmentExists):
        renamed(made, "other")
    with pytest.raises(EnvironmentExists):
        renamed(made, "project")
    (made.settings.environments / "files").mkdir()
    (made.settings.environments / "files" / "mine").touch()
    with pytest.raises(PrefixTaken):
        renamed(made, "files")
    with pytest.raises(NoSuchEnvironment):
        renamed(made, "new", "absent")
    assert os.listdir(made.prefix / ".envmgr" / "generations") == before
    assert made.python(SAY) == "1.0"


KILLED = """
import os, sys
from pathlib import Path
from tests.support.generations import renamed
from tests.support.project import Project
project = Project(Path(sys.argv[1]), sys.argv[2])
place, count = str(project.settings.environments), [0]
def watch(event, arguments):
    if event in ("os.rename", "os.mkdir") and place in str(arguments):
        count[0] += 1
        if count[0] == int(sys.argv[3]):
            os.kill(os.getpid(), 9)
sys.addaudithook(watch)
renamed(project, "climate")
"""


def test_whoever_is_killed_during_a_rename_leaves_an_environment_that_sync_completes(
    made: Project,
) -> None:
    places = {name: made.settings.environments / name for name in ("project", "climate")}
    ended = set()
    for step in range(1, 40):
        words = [str(made.directory), made.index_url, str(step)]
        root = Path(__file__).parents[3]
        done = subprocess.run([sys.executable, "-c", KILLED, *words], cwd=root, check=False)
        (name,) = [name for name, place in places.items() if (place / ".envmgr").is_dir()]
        ended.add(name)
        assert run(places[name] / "bin" / "python", "-c", SAY) == "1.0"
        assert [each.name for each in list_environments(made.settings)] == [name]
        if done.returncode == 0:
            break
        made.sync(named(name))
        assert run(places[name] / "bin" / "tell") == str(current_generation(places[name]))
        if name == "climate":
            renamed(made, "project", "climate")
    assert ended == {"project", "climate"}
    assert EnvironmentName("climate") == list_environments(made.settings)[0].name
    assert len(list_environments(made.settings)) == 1


def test_a_rolled_back_environment_is_cloned_as_it_stands(made: Project) -> None:
    made.write("alpha ==2.0", "tell", "shared")
    made.create()
    roll_back(made)
    prefix = cloned(made, named("twin")).prefix
    assert run(prefix / "bin" / "python", "-c", SAY) == "1.0"
