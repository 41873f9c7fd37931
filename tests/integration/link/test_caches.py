"""What the programs of an environment cache is kept out of the store and apart from others."""

import os
import subprocess
from pathlib import Path

from envmgr.files import remove_tree
from envmgr.link.generation import is_linked, prune_generations
from envmgr.link.prefix import CACHES, current_generation
from envmgr.store.store import Store
from tests.support.users import NOBODY
from tests.support.views import add, make_view, run, this_interpreter
from tests.support.wheels import make_wheel

SAY = "import os; print(os.environ.get('NUMBA_CACHE_DIR'))"


def test_numba_caches_in_the_generation(store: Store, tmp_path: Path, prefix: Path) -> None:
    make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])
    generation = current_generation(prefix)
    place = f"{generation}/.cache/numba"

    assert run(prefix / "bin/python", "-c", SAY) == place
    assert run(prefix / "bin/python", "-I", "-c", SAY) == place
    assert run(generation / "bin/python", "-c", SAY) == place


def test_the_users_own_place_for_numba_stays(store: Store, tmp_path: Path, prefix: Path) -> None:
    make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])

    for own in ("/scratch/numba", "/home/ada/.cache/numba"):
        assert run(prefix / "bin/python", "-c", SAY, environ={"NUMBA_CACHE_DIR": own}) == own


def test_a_child_in_another_environment_has_a_place_of_its_own(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    other = tmp_path / "other"
    entry = add(store, make_wheel("alpha"), tmp_path)
    make_view(prefix, [entry])
    make_view(other, [entry])
    start = f"import subprocess; subprocess.run([{str(other / 'bin/python')!r}, '-c', {SAY!r}])"

    assert run(prefix / "bin/python", "-c", start) == f"{current_generation(other)}/.cache/numba"


def test_nobody_caches_in_the_generation_of_another_user(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])
    generation = current_generation(prefix)
    os.chown(generation, NOBODY, NOBODY)
    environ = {"XDG_CACHE_HOME": "/home/ada/cache"}

    said = run(prefix / "bin/python", "-c", SAY, environ=environ)

    assert said == f"/home/ada/cache/envmgr/generations/{generation.name}/.cache/numba"


def test_a_generation_goes_with_what_was_cached_in_it(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    entry = add(store, make_wheel("alpha"), tmp_path)
    make_view(prefix, [entry])
    cache = current_generation(prefix) / CACHES / "numba"
    cache.mkdir(parents=True)
    (cache / "alpha.nbi").write_text("")
    assert is_linked(prefix)

    make_view(prefix, [entry])
    prune_generations(prefix, keep=1)

    assert not (cache / "alpha.nbi").exists()
    assert not (prefix / CACHES).is_symlink()


def test_python_writes_bytecode_for_the_users_modules_and_none_into_entries(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    entry = add(store, make_wheel("alpha", files={"alpha/__init__.py": ""}), tmp_path)
    make_view(prefix, [entry])
    (tmp_path / "mine.py").write_text("import alpha\n")

    for options in ((), ("-s",)):
        remove_tree(tmp_path / "__pycache__")
        subprocess.run(
            [prefix / "bin/python", *options, "-c", "import mine"],
            cwd=tmp_path,
            env={"PATH": os.defpath},
            check=True,
        )
        cached = os.listdir(tmp_path / "__pycache__")

        assert cached == [f"mine.{this_interpreter().cache_tag}.pyc"]
        assert os.listdir(entry.path / "site-packages/alpha") == ["__init__.py"]


def test_a_process_that_is_spawned_writes_none_either(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    entry = add(
        store, make_wheel("alpha", files={"alpha/__init__.py": "def f(): pass\n"}), tmp_path
    )
    make_view(prefix, [entry])
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing\n"
        "if __name__ == '__main__':\n"
        "    import alpha\n"
        "    child = multiprocessing.get_context('spawn').Process(target=alpha.f)\n"
        "    child.start(); child.join(); print(child.exitcode)\n"
    )

    assert run(prefix / "bin/python", str(program)) == "0"

    assert os.listdir(entry.path / "site-packages/alpha") == ["__init__.py"]
