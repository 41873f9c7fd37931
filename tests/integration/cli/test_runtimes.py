"""``envmgr runtimes`` and ``envmgr which`` as a person types them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.terminal import envmgr
from tests.support.elves import Elf
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.wheels import Wheel, make_wheel


def wheel(name: str, library: str) -> Wheel:
    return make_wheel(
        name,
        "1.0",
        files={
            f"{name}/__init__.py": "",
            f"{name}/_x.so": bytes(Elf(needed=[library], runpath=f"$ORIGIN/../{name}.libs")),
            f"{name}.libs/{library}": bytes(Elf(soname=library)),
        },
        entry_points={"console_scripts": {f"{name}-tool": f"{name}:main"}},
    )


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Project]:
    wheels = [wheel("alpha", "libgomp-aaaaaaaa.so.1"), wheel("beta", "libgomp-bbbbbbbb.so.1")]
    with IndexServer(wheels) as server:
        project = Project(tmp_path, server.url)
        project.write("alpha", "beta", more="runtimes: vendored\n")
        project.create()
        project.write("alpha", more="runtimes: vendored\n")
        project.create(name="one")
        yield project


@pytest.fixture
def environ(environ: dict[str, str], made: Project) -> dict[str, str]:
    return {**made.environ, "PYTHONPATH": environ["PYTHONPATH"]}


def site(made: Project) -> str:
    (found,) = made.prefix.glob("lib/*/site-packages")
    return str(found.relative_to(made.prefix))


def test_list_tells_what_serves_and_what_stays(
    environ: dict[str, str], made: Project, tmp_path: Path
) -> None:
    made.write("alpha", "beta", more="runtimes: {openmp: gnu}\n")
    file, directory = str(made.file), tmp_path
    created = envmgr("create", "-f", file, "-n", "shared", environ=environ, directory=directory)
    assert "  shares openmp of alpha (1): see `envmgr runtimes list -n shared`" in created.stdout
    done = envmgr("runtimes", "list", "-n", "shared", environ=environ, directory=directory)
    server = "alpha.libs/libgomp-aaaaaaaa.so.1"
    assert (done.returncode, done.stdout) == (
        0,
        f"openmp: gnu, as the environment file says\n  {server} of alpha, for beta\n",
    )
    told = envmgr(
        "runtimes", "list", "-n", "shared", "--json", environ=environ, directory=directory
    )
    (runtime,) = json.loads(told.stdout)["result"]["runtimes"]
    assert runtime["replaced"][0]["by"] == {"package": "alpha", "path": f"site-packages/{server}"}
    nowhere = envmgr("runtimes", "list", "-n", "nowhere", environ=environ, directory=directory)
    assert nowhere.returncode == 9


def test_create_warns_of_copies_that_stay_although_the_file_chose(
    environ: dict[str, str], made: Project, tmp_path: Path
) -> None:
    made.write("alpha", more="runtimes: {openmp: llvm}\n")
    words = ("create", "-f", str(made.file), "-n", "other")
    done = envmgr(*words, environ=environ, directory=tmp_path)
    assert done.returncode == 0
    assert (
        "warning: no package brings `openmp: llvm`: what can use it goes without, or has its own\n"
        "warning: alpha keeps its own openmp (site-packages/alpha.libs/libgomp-aaaaaaaa.so.1): "
        "llvm is in no package\n"
    ) in done.stderr
    audit = envmgr("runtimes", "audit", "-n", "other", environ=environ, directory=tmp_path)
    assert ", for alpha (1 file)\n    stays: llvm is in no package\n" in audit.stdout


def test_audit_ends_with_1_where_a_family_would_load_twice(
    environ: dict[str, str], made: Project, tmp_path: Path
) -> None:
    done = envmgr("runtimes", "audit", "-n", "project", environ=environ, directory=tmp_path)
    assert done.returncode == 1
    assert done.stdout == (
        "openmp: 2 copies\n"
        f"  {site(made)}/alpha.libs/libgomp-aaaaaaaa.so.1 (alpha)\n"
        "    as libgomp-aaaaaaaa.so.1, for alpha (1 file)\n"
        f"  {site(made)}/beta.libs/libgomp-bbbbbbbb.so.1 (beta)\n"
        "    as libgomp-bbbbbbbb.so.1, for beta (1 file)\n"
        "\n"
        "one process would load several copies of openmp\n"
    )
    told = envmgr(
        "runtimes", "audit", "-n", "project", "--json", environ=environ, directory=tmp_path
    )
    assert told.returncode == 1
    assert json.loads(told.stdout)["result"]["twice"] == ["openmp"]


def test_audit_ends_with_0_where_none_does(environ: dict[str, str], tmp_path: Path) -> None:
    done = envmgr("runtimes", "audit", "-n", "one", environ=environ, directory=tmp_path)
    assert done.returncode == 0
    assert done.stdout.endswith("\none process would load nothing twice\n")


def test_live_imports_and_says_what_it_imported(environ: dict[str, str], tmp_path: Path) -> None:
    words = ("runtimes", "audit", "-n", "project", "--live", "alpha", "--isolated")
    done = envmgr(*words, environ=environ, directory=tmp_path)
    assert (done.returncode, done.stdout) == (
        0,
        (
            "with python:\nimported alpha\n\nwith python -I:\nimported alpha\n\n"
            "one process loaded nothing twice\n"
        ),
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["audit"], "no environment was named"),
        (["audit", "-n", "project", "--isolated"], "--isolated is for"),
        (["audit", "-n", "project", "--timeout", "3"], "--timeout is for"),
        (["audit", "-n", "project", "--live", "--timeout", "0"], "above 0"),
        (["audit", "-n", "project", "--live", "gamma"], "has no package gamma"),
        (["list", "-n", "project", "--isolated"], "--isolated is for"),
        (["show", "-n", "project"], "invalid choice"),
    ],
)
def test_what_cannot_be_is_refused(
    environ: dict[str, str], tmp_path: Path, words: list[str], says: str
) -> None:
    done = envmgr("runtimes", *words, environ=environ, directory=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr


def test_which_names_package_version_and_both_places(
    environ: dict[str, str], made: Project, tmp_path: Path
) -> None:
    done = envmgr("which", "libgomp", "-n", "one", environ=environ, directory=tmp_path)
    (library,) = made.prefix.glob("lib/*/site-packages/alpha.libs/*")
    assert (done.returncode, done.stdout) == (
        0,
        (
            f"{site(made)}/alpha.libs/libgomp-aaaaaaaa.so.1  (library of alpha 1.0)\n"
            f"  in the store  {library.resolve()}\n"
        ),
    )


@pytest.mark.parametrize("where", ["prefix", "generation", "store", "relative"])
def test_which_takes_a_path_in_the_prefix_and_in_the_store(
    environ: dict[str, str], made: Project, tmp_path: Path, where: str
) -> None:
    (module,) = made.prefix.glob("lib/*/site-packages/alpha/__init__.py")
    generation = (made.prefix / ".envmgr" / "current").resolve()
    asked = {
        "prefix": str(module),
        "generation": str(generation / module.relative_to(made.prefix)),
        "store": str(module.resolve()),
        "relative": f"./{module.relative_to(tmp_path)}",
    }[where]
    done = envmgr("which", asked, "-n", "project", "--json", environ=environ, directory=tmp_path)
    (found,) = json.loads(done.stdout)["result"]["found"]
    assert (found["package"], found["path"]) == ("alpha", str(module.relative_to(made.prefix)))
    assert (found["entry"], found["leads_to"]) == (str(module.resolve()),) * 2
    assert (found["replaced"], found["serves"]) == (False, None)


def test_which_says_what_stands_in_for_a_library(
    environ: dict[str, str], made: Project, tmp_path: Path
) -> None:
    (alpha,) = made.prefix.glob("lib/*/site-packages/alpha.libs/*")
    (beta,) = made.prefix.glob("lib/*/site-packages/beta.libs/*")
    own = beta.resolve()
    beta.parent.unlink()
    beta.parent.mkdir()
    beta.symlink_to(alpha.resolve())
    (made.prefix / "lib" / "libgomp.so.1").symlink_to(alpha.resolve())

    done = envmgr(
        "which", "libgomp", "-n", "project", "--json", environ=environ, directory=tmp_path
    )
    found = {each["path"]: each for each in json.loads(done.stdout)["result"]["found"]}
    replaced = found[f"{site(made)}/beta.libs/libgomp-bbbbbbbb.so.1"]
    assert (replaced["replaced"], replaced["serves"]) == (True, "alpha")
    assert (replaced["entry"], replaced["leads_to"]) == (str(own), str(alpha.resolve()))
    assert found["lib/libgomp.so.1"]["package"] == "alpha"
    assert found[f"{site(made)}/alpha.libs/libgomp-aaaaaaaa.so.1"]["replaced"] is False

    text = envmgr("which", "libgomp", "-n", "project", environ=environ, directory=tmp_path).stdout
    assert f"  replaced by   {alpha.resolve()}, which is alpha's\n" in text


def test_which_knows_programs_that_envmgr_wrote(environ: dict[str, str], tmp_path: Path) -> None:
    done = envmgr("which", "bin/alpha-tool", "-n", "one", environ=environ, directory=tmp_path)
    assert done.stdout == (
        "bin/alpha-tool  (program of alpha 1.0)\n"
        "  written by envmgr, from the package's entry points\n"
    )


def test_which_ends_with_1_and_near_names_where_nothing_goes_by_it(
    environ: dict[str, str], made: Project, tmp_path: Path
) -> None:
    done = envmgr("which", "alhpa", "-n", "project", environ=environ, directory=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"nothing in {made.prefix} goes by 'alhpa'; did you mean alpha?\n"
    told = envmgr("which", "alhpa", "-n", "one", "--json", environ=environ, directory=tmp_path)
    assert told.returncode == 1
    assert json.loads(told.stdout)["result"]["found"] == []
    absent = envmgr("which", "/absent", "-n", "one", environ=environ, directory=tmp_path)
    assert absent.returncode == 1
