"""A plan that remembers: the same plan, without reading symbols again, until something changes."""

from collections.abc import Iterable

from envmgr.names import PackageName
from envmgr.runtime.forwarding.types import (
    Answer,
    CDot,
    Division,
    FortranDot,
    Forward,
    ForwardingLibrary,
    Jump,
)
from envmgr.runtime.forwarding.writer import render_forwarding_library
from envmgr.runtime.planning.memory import render_remembered
from envmgr.runtime.planning.plan import plan_runtimes
from envmgr.runtime.planning.survey import FileOf
from envmgr.runtime.planning.types import RuntimePlan, Written
from envmgr.runtime.recipes.catalog import read_catalog
from envmgr.runtime.types import Choice
from envmgr.wheel.manifest import Manifest
from envmgr.wheel.symbols import Export, Import, Symbols
from tests.support.packages import SITE, elf, package

CATALOG = read_catalog()
SERVER = "libscipy_openblas-aa.so"
COPY = "libopenblas-bb.so"


class Held:
    """A memory of this process, and whose symbols were read meanwhile."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.asked: list[str] = []

    def find(self, key: str) -> bytes | None:
        return self.kept.get(key)

    def keep(self, key: str, data: bytes) -> None:
        self.kept[key] = data


def packages(content: str = "") -> tuple[Manifest, ...]:
    server, copy = f"{SITE}/first/{SERVER}", f"{SITE}/second/{COPY}"
    use = elf(f"{SITE}/second/use.so", needed=(COPY,), runpath=("$ORIGIN",))
    return (
        package("first", elf(server, runpath=("$ORIGIN",))),
        package(
            "second",
            elf(copy, runpath=("$ORIGIN",)),
            use,
            contents={path: f"{path}{content}" for path in (copy, use.path)},
        ),
    )


def plan(manifests: Iterable[Manifest], held: Held, lacking: str = "") -> RuntimePlan:
    """Plan with one OpenBLAS; a second function ``lacking`` is the copy's alone."""

    def symbols_of(file: FileOf) -> Symbols:
        held.asked.append(file.filename)
        offered = {SERVER: ["scipy_dgemm_", "scipy_cblas_zdotc_sub"], COPY: ["dgemm_", "zdotc_"]}
        names = [*offered.get(file.filename, []), *([lacking] if file.filename == COPY else [])]
        exports = tuple(Export(name, "function", None, True) for name in names if name)
        wanted = ("dgemm_", lacking) if file.filename == "use.so" else ()
        return Symbols(exports, tuple(Import(name, None, None, False) for name in wanted if name))

    return plan_runtimes(CATALOG, {"blas": Choice("openblas")}, manifests, symbols_of, held)


def test_a_second_plan_is_the_first_and_reads_no_symbols() -> None:
    held = Held()
    first = plan(packages(), held)
    asked, held.asked = held.asked, []
    assert isinstance(
        first.replaced[FileOf(PackageName("second"), f"site-packages/second/{COPY}")], Written
    )
    assert plan(packages(), held) == first
    assert asked
    assert not held.asked


def test_a_reason_is_remembered_too() -> None:
    held = Held()
    first = plan(packages(), held, lacking="only_here_")
    held.asked.clear()
    assert plan(packages(), held, lacking="only_here_") == first
    assert "only_here_" in first.families[0].kept[0].reason
    assert not held.asked


def test_another_content_is_read_anew() -> None:
    held = Held()
    plan(packages(), held)
    held.asked.clear()
    plan(packages("changed"), held)
    assert held.asked


def test_damaged_memory_is_no_memory() -> None:
    held = Held()
    first = plan(packages(), held)
    for damaged in (b"", b"\x91", b"\xc0"):
        held.kept = dict.fromkeys(held.kept, damaged)
        assert plan(packages(), held) == first


def test_libraries_are_rendered_once() -> None:
    held = Held()
    library = ForwardingLibrary(
        machine="x86_64", soname="a.so", needed=("b.so",), forwards=(Forward("f", Jump("g")),)
    )
    rendered = render_remembered(library, held)
    assert rendered == render_forwarding_library(library)
    held.kept = dict.fromkeys(held.kept, b"as it was kept")
    assert render_remembered(library, held) == b"as it was kept"


def test_every_action_makes_a_library_of_its_own() -> None:
    """Two of them have equal fields."""
    held = Held()
    actions = (
        Jump("g"),
        CDot("g", "double"),
        Division("g", "double"),
        FortranDot("g", 32, "double"),
        Answer(1),
        Answer("g"),
    )
    for action in actions:
        library = ForwardingLibrary(
            machine="x86_64", soname="a.so", needed=("b.so",), forwards=(Forward("f", action),)
        )
        assert render_remembered(library, held) == render_forwarding_library(library)
    assert len(held.kept) == len(actions)
