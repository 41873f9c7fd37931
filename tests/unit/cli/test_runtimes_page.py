"""What ``runtimes audit`` prints."""

from pathlib import Path

from envmgr.audit.mapped import LoadedFamily, LoadedRuntime
from envmgr.audit.probe import FailedImport, ThreadPool
from envmgr.audit.types import (
    FamilyAudit,
    Missing,
    Needer,
    RuntimeFile,
    StaticRuntime,
    Verdict,
)
from envmgr.cli.runtimes_page import render_audited, render_live
from envmgr.names import EnvironmentName, GenerationId, PackageName
from envmgr.pipeline.audit import Audited, LiveAudited, LiveRun
from tests.support.values import replace

NUMPY, TORCH = PackageName("numpy"), PackageName("torch")
STATIC = StaticRuntime(package=TORCH, file="lib/torch.so", what="MKL", known="recipe")
FILE = RuntimeFile(
    library="libgomp.so.1",
    path="/store/v1/entries/k/site-packages/numpy.libs/libgomp-1.so",
    origin="package",
    package=NUMPY,
    names=("libgomp-1.so", "libgomp.so.1"),
    seen_as=("lib/a/libgomp.so.1", "lib/numpy.libs/libgomp-1.so"),
    needed_by=tuple(
        Needer(package=PackageName(name), file=f"lib/{name}.so", name="libgomp.so.1")
        for name in ("a", "a", "b", "c", "d", "e", "f", "g")
    ),
)
FAMILY = FamilyAudit(
    family="openmp",
    description="threads",
    verdict=Verdict.SEVERAL,
    least=1,
    most=2,
    files=(FILE,),
    candidates=(replace(FILE, path="/x/libiomp5.so", package=None, origin="envmgr"),),
    missing=(Missing(name="libomp.so", needed_by=FILE.needed_by[:1]),),
    static=(STATIC,),
)
AUDITED = Audited(
    name=EnvironmentName("e"),
    prefix=Path("/e"),
    generation=GenerationId("g"),
    note=None,
    families=(FAMILY,),
    twice=("openmp",),
    seconds=1.0,
)
LOADED = LoadedRuntime(
    library="libgomp.so.1",
    path=FILE.path,
    origin="package",
    package=NUMPY,
    through="lib/numpy.libs/libgomp-1.so",
    brought_by="torch",
    leads_to=(),
    stays=None,
    pool=ThreadPool(path="", api="openmp", version="", threads=2, layer=""),
)
RUN = LiveRun(
    isolated=False,
    imported=("numpy", "torch"),
    failed=(FailedImport(package="cupy", module="cupy", reason="ImportError: no"),),
    families=(
        LoadedFamily(
            family="openmp",
            description="threads",
            verdict=Verdict.ONE,
            copies=1,
            files=(LOADED,),
            static=(STATIC,),
        ),
    ),
)
LIVE = LiveAudited(
    name=EnvironmentName("e"),
    prefix=Path("/e"),
    generation=GenerationId("g"),
    note=None,
    runs=(RUN,),
    twice=(),
    seconds=1.0,
)


def test_a_family_is_a_paragraph_with_who_needs_it() -> None:
    assert render_audited(AUDITED, verbose=0) == (
        "openmp: 1 to 2 copies, by the order of imports\n"
        "  lib/numpy.libs/libgomp-1.so (numpy)\n"
        "    as libgomp-1.so, libgomp.so.1, for a (2 files), b (1 file), c (1 file), d (1 file), "
        "e (1 file), f (1 file) and 1 more\n"
        "  libomp.so is not found, and must be loaded before: for a (1 file)\n"
        "  cannot be shared: MKL (torch, lib/torch.so)\n"
        "\n"
        "one process would load several copies of openmp\n"
    )


def test_a_copy_that_did_not_give_way_says_why() -> None:
    lacks = "libgomp.so.1 of torch lacks GOMP_9.0"
    family = replace(FAMILY, files=(replace(FILE, stays=lacks),))
    assert f"and 1 more\n    stays: {lacks}\n" in render_audited(
        replace(AUDITED, families=(family,)), verbose=0
    )
    loaded = replace(RUN.families[0], files=(replace(LOADED, stays=lacks),))
    run = replace(RUN, families=(loaded,))
    assert f"2 threads\n    stays: {lacks}\n" in render_live(replace(LIVE, runs=(run,)), verbose=0)


def test_verbose_shows_where_files_really_are_and_what_nobody_asks_for() -> None:
    text = render_audited(AUDITED, verbose=1)
    assert f"  {FILE.path} (numpy)\n" in text
    assert "    lib/a/libgomp.so.1\n    lib/numpy.libs/libgomp-1.so\n" in text
    assert "  /x/libiomp5.so (made by envmgr), which nobody asks for by name\n" in text
    assert "g (1 file)\n" in text


def test_what_is_linked_in_is_named_in_the_sum_where_nothing_loads_twice() -> None:
    text = render_audited(replace(AUDITED, twice=()), verbose=0)
    assert text.endswith(
        "\none process would load nothing twice, besides what is linked into torch\n"
    )


def test_a_note_stands_alone() -> None:
    assert render_audited(replace(AUDITED, note="not here"), verbose=0) == "not here\n"
    assert render_live(replace(LIVE, note="not here"), verbose=0) == "not here\n"


def test_live_shows_what_was_imported_what_failed_and_what_was_loaded() -> None:
    assert render_live(LIVE, verbose=0) == (
        "imported numpy, torch\n"
        "  failed: cupy: cupy: ImportError: no\n"
        "openmp: 1 copy\n"
        "  lib/numpy.libs/libgomp-1.so (numpy), with torch; openmp, 2 threads\n"
        "  cannot be shared: MKL (torch, lib/torch.so)\n"
        "\n"
        "one process loaded nothing twice, besides what is linked into torch\n"
    )


def test_what_came_by_the_store_is_shown_short_and_a_second_process_by_its_option() -> None:
    loaded = replace(LOADED, through=FILE.path, leads_to=("libmkl_rt.so.3",), pool=None)
    family = replace(RUN.families[0], files=(loaded,))
    runs = (RUN, replace(RUN, isolated=True, families=(family,), failed=()))
    text = render_live(replace(LIVE, runs=runs), verbose=0)
    second = text.partition("with python -I:\n")[2]
    assert (
        "  STORE/.../numpy.libs/libgomp-1.so (numpy), which stands before libmkl_rt.so.3" in second
    )
    assert f"  {FILE.path} (numpy)" in render_live(replace(LIVE, runs=runs), verbose=1)
