"""The audit on the packages that everybody has, against the loader and threadpoolctl: slow."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from envmgr.audit.loader import Loader, Rules
from envmgr.audit.types import Verdict
from envmgr.audit.view import ViewFiles, read_system_directories
from envmgr.link.generation import generation_path
from envmgr.link.prefix import current_generation
from envmgr.names import EnvironmentName
from envmgr.pipeline.audit import LiveRequest, audit_environment, audit_live, viewed_entries
from envmgr.pipeline.environments import record_of
from envmgr.pipeline.types import ByName
from envmgr.pipeline.which import find_owners
from envmgr.spec.settings import Settings, load_settings

pytestmark = pytest.mark.slow

SELECTOR = ByName(EnvironmentName("facts"))
PACKAGES = """
numpy ==2.4.6; scipy ==1.17.1; scikit-learn ==1.9.1; torch ==2.13.0; xgboost ==3.2.0
lightgbm ==4.7.0; faiss-cpu ==1.15.1; opencv-python-headless ==5.0.0.93; numba ==0.68.1
threadpoolctl
""".replace("\n", ";").split(";")


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    """An environment with a torch for CPUs, where pip is told of one by PIP_FIND_LINKS."""
    local = Path(os.environ.get("PIP_FIND_LINKS") or "absent")
    wheel = next(iter(sorted(local.glob("torch-2.13.0*-cp311-*.whl"))), None)
    here = f"{{name: here, url: '{local}', packages: [torch]}}, " if wheel else ""
    listed = "".join(f"  - '{each.strip()}'\n" for each in PACKAGES if each.strip())
    with TemporaryDirectory(prefix="envmgr-facts-") as name:
        directory = Path(name)
        (directory / "environment.yaml").write_text(
            f"schema: 1\nname: facts\npython: '3.11'\nindexes: [{here}{{name: pypi}}]\n"
            f"runtimes: vendored\ndependencies:\n{listed}",
            "utf-8",
        )
        environ = {
            **os.environ,
            "ENVMGR_HOME": str(directory / "home"),
            "ENVMGR_CACHE": str(directory / "cache"),
        }
        subprocess.run(
            [sys.executable, "-m", "envmgr", "create", "--no-compile"],
            cwd=directory,
            env=environ,
            check=True,
            capture_output=True,
        )
        yield load_settings(environ, directory)


def test_static_live_and_threadpoolctl_agree_on_what_is_loaded_twice(settings: Settings) -> None:
    static = {
        each.family: each for each in audit_environment(SELECTOR, settings, os.environ).families
    }
    assert (static["blas"].least, static["blas"].most) == (4, 4)
    assert static["openmp"].least == 2
    assert [each.package for each in static["blas"].static] == ["torch"]

    found = audit_live(SELECTOR, LiveRequest(isolated=True), settings, os.environ)
    assert [run.isolated for run in found.runs] == [False, True]
    for run in found.runs:
        assert run.failed == ()
        live = {each.family: each for each in run.families}
        assert (live["blas"].copies, live["openmp"].copies) == (4, 2)
        assert [each.package for each in live["blas"].static] == ["torch"]
        for family in ("blas", "openmp"):
            assert static[family].least <= live[family].copies <= static[family].most
            assert live[family].verdict is Verdict.SEVERAL
            apis = {each.pool.api for each in live[family].files if each.pool}
            assert apis == {"openblas" if family == "blas" else "openmp"}
            assert all(each.pool for each in live[family].files)  # threadpoolctl sees them all
        possible = {each.path for family in static.values() for each in family.files}
        loaded = {Path(each.path).resolve() for family in run.families for each in family.files}
        assert loaded <= {Path(path).resolve() for path in possible}


def test_the_rules_give_what_the_system_s_loader_finds(settings: Settings) -> None:
    record = record_of(SELECTOR, settings)
    generation = generation_path(settings.environments / "facts", record.id)
    entries = viewed_entries(SELECTOR, settings, record, lambda event: None)
    files = ViewFiles(generation, entries, settings.stores)
    modules = [
        library.path
        for library in files.libraries()
        if library.path.endswith(".so")
        and library.found.facts
        and (library.found.facts.runpath or library.found.facts.rpath)
    ]
    compared = 0
    for module in modules:
        loader = Loader(
            files.lookup, files.real_directory, Rules(system=read_system_directories("x86_64"))
        )
        loader.follow([module])
        ours = {request.name: request.path for request in loader.requests.values()}
        for name, path in told_by_ldd(module).items():
            if name in ours and name != "libc.so.6":
                mine, theirs = (each and os.path.realpath(each) for each in (ours[name], path))
                assert mine == theirs, (module, name)
                compared += 1
    assert compared > 300


def told_by_ldd(library: str) -> dict[str, str | None]:
    done = subprocess.run(["ldd", library], capture_output=True, text=True, check=False)
    found: dict[str, str | None] = {}
    for line in done.stdout.splitlines():
        name, arrow, rest = line.strip().partition(" => ")
        if arrow:
            found[name] = None if rest == "not found" else rest.rsplit(" (", 1)[0]
    return found


def test_which_tells_whose_everything_is(settings: Settings) -> None:
    def packages(asked: str) -> set[str | None]:
        return {each.package for each in find_owners(asked, SELECTOR, settings).found}

    site = next(current_generation(settings.environments / "facts").glob("lib/*/site-packages"))
    assert packages("libgomp") >= {"torch", "scikit-learn", "xgboost", "faiss-cpu"}
    assert packages("numpy.linalg") == {"numpy"}
    assert packages("numpy/linalg/_umath_linalg*.so") == {"numpy"}
    assert packages("bin/f2py") == {"numpy"}
    assert packages(f"{site}/sklearn/__init__.py") == {"scikit-learn"}
    assert packages(os.path.realpath(f"{site}/sklearn/__init__.py")) == {"scikit-learn"}
    assert packages("libgompp") == set()
