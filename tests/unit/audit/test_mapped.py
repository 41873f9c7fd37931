"""What was mapped, sorted into families; and what to import."""

import json

import pytest

from envmgr.audit.mapped import fewest_modules, loaded_families, module_names, module_of
from envmgr.audit.platform import not_unified
from envmgr.audit.probe import MappedFile, Observed, ThreadPool, parse_observed
from envmgr.audit.types import StaticRuntime, Verdict
from envmgr.names import PackageName
from tests.support.runtimes import CATALOG, SITE, Disk, elf

GOMP = f"{SITE}/a.libs/libgomp-aaaaaaaa.so.1.0.0"
OTHER = f"{SITE}/b.libs/libgomp-bbbbbbbb.so.1.0.0"


def observed(
    *mapped: str, names: tuple[str, ...] = (), pools: tuple[ThreadPool, ...] = ()
) -> Observed:
    files = tuple(MappedFile(path, "fe:00", number) for number, path in enumerate(mapped))
    return Observed(mapped={"a": files}, failed=(), names=names, pools=pools, at=None)


def test_two_mapped_copies_are_several_and_say_how_they_came() -> None:
    disk = Disk()
    disk.add(GOMP, elf(GOMP), "a")
    disk.add(OTHER, elf(OTHER), "b")
    disk.links[f"{SITE}/seen.so"] = GOMP
    pool = ThreadPool(path=OTHER, api="openmp", version="", threads=2, layer="")
    found = loaded_families(
        CATALOG, observed(GOMP, OTHER, names=(f"{SITE}/seen.so",), pools=(pool,)), {}, disk.around
    )
    blas, openmp = found
    assert (blas.verdict, openmp.verdict, openmp.copies) == (Verdict.NONE, Verdict.SEVERAL, 2)
    one, two = sorted(openmp.files, key=lambda each: each.path)
    assert (one.package, one.through, one.brought_by, one.pool) == (
        "a",
        "lib/python3.11/site-packages/seen.so",
        "a",
        None,
    )
    assert two.pool is pool


def test_a_file_that_is_gone_by_now_is_known_by_its_name() -> None:
    found = loaded_families(CATALOG, observed("/gone/libgomp.so.1"), {}, Disk().around)
    assert [each.path for each in found[1].files] == ["/gone/libgomp.so.1"]


def test_a_forwarding_library_is_shown_and_not_counted() -> None:
    disk = Disk()
    front, back = f"{SITE}/a.libs/libopenblas-aaaaaaaa.so", "/env/lib/libmkl_rt.so.3"
    disk.add(front, elf(front, "libmkl_rt.so.3"))
    disk.add(back, elf(back))
    blas = loaded_families(CATALOG, observed(front, back), {}, disk.around)[0]
    assert (blas.verdict, blas.copies, len(blas.files)) == (Verdict.ONE, 1, 2)


def test_static_copies_are_told_where_their_library_is_mapped() -> None:
    disk = Disk()
    mapped, other = f"{SITE}/torch/t.so", f"{SITE}/torch/o.so"
    disk.add(mapped, elf(mapped), "torch")
    disk.add(other, elf(other), "torch")
    static = [
        StaticRuntime(
            package=PackageName("torch"),
            file=path.removeprefix("/env/"),
            what="MKL",
            known="recipe",
        )
        for path in (mapped, other)
    ]
    blas = loaded_families(CATALOG, observed(mapped), {"blas": static}, disk.around)[0]
    assert (blas.static, blas.verdict) == ((static[0],), Verdict.NONE)


def test_what_stands_in_site_packages_becomes_names_to_import() -> None:
    names = ("numpy", "numpy.libs", "six.py", "_x.cpython-311-x86_64-linux-gnu.so", "y.abi3.so")
    more = (
        "z.so",
        "libz-1a2b3c4d.so",
        "libz.so",
        "tests",
        "a-b.pth",
        "_cffi_backend.cpython-311-x86_64-linux-gnu.so",
    )
    assert module_names((*names, *more)) == ("_cffi_backend", "_x", "numpy", "six", "y", "z")


@pytest.mark.parametrize(
    ("place", "module"),
    [
        ("scipy/linalg/_fblas.cpython-311-x86_64-linux-gnu.so", "scipy.linalg._fblas"),
        ("faiss/_swigfaiss.abi3.so", "faiss._swigfaiss"),
        ("mpi4py/MPI.mpich.cpython-311-x86_64-linux-gnu.so", "mpi4py.MPI"),
        ("xgboost/lib/libxgboost.so", None),
        ("a-b/x.abi3.so", None),
    ],
)
def test_an_extension_module_has_a_name(place: str, module: str | None) -> None:
    assert module_of(place) == module


def test_of_modules_that_bring_the_same_the_shortest_is_imported() -> None:
    needs = {
        "a.b.deep": frozenset({"/x/gomp", "/x/blas"}),
        "a.long": frozenset({"/x/gomp"}),
        "a.m": frozenset({"/x/gomp"}),
    }
    assert fewest_modules(needs) == (("a.m", ("gomp",)), ("a.b.deep", ("blas",)))


def test_what_the_probe_told_is_read_as_far_as_it_got() -> None:
    lines = [
        {"step": "importing", "package": "a"},
        {
            "step": "imported",
            "package": "a",
            "failed": [["a.x", "E: no"]],
            "mapped": [["/l", "0", 1]],
        },
        {"step": "importing", "package": "b"},
    ]
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines) + b'{"step": "impo'
    found = parse_observed(data)
    assert found.at == "b"
    assert found.mapped == {"a": (MappedFile("/l", "0", 1),)}
    assert [(each.package, each.module, each.reason) for each in found.failed] == [
        ("a", "a.x", "E: no")
    ]
    assert parse_observed(b"").at == ""


@pytest.mark.parametrize(
    ("head", "needed", "says"),
    [
        (b"\x7fELF\x02", ("libc.so.6",), None),
        (b"\xcf\xfa\xed\xfe", None, "macOS"),
        (b"\xca\xfe\xba\xbe", None, "macOS"),
        (b"\x7fELF\x02", ("libc.musl-x86_64.so.1",), "musl"),
        (b"\x7fELF\x02", None, "musl"),
        (b"#!/bin/sh", None, None),
    ],
)
def test_where_nothing_is_unified_the_audit_says_so(
    head: bytes, needed: tuple[str, ...] | None, says: str | None
) -> None:
    note = not_unified(head, None if needed is None else elf("python", *needed))
    assert note is None if says is None else (note is not None and says in note)
