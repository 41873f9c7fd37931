import pytest

from envmgr.wheel.manifest import ElfFacts
from envmgr.wheel.reach import reaching_directories

NUMPY = "site-packages/numpy/core/_core.so"
NUMPY_FILES = [NUMPY, "site-packages/numpy.libs/libopenblas.so"]
TORCH = "site-packages/torch/lib/libtorch.so"


def _reaching(
    path: str, *files: str, runpath: str = "", rpath: str = "", needed: tuple[str, ...] = ()
) -> tuple[str, ...]:
    facts = ElfFacts(
        path,
        "x86_64",
        64,
        None,
        needed,
        tuple(filter(None, rpath.split(":"))),
        tuple(filter(None, runpath.split(":"))),
        {},
        (),
    )
    return reaching_directories([facts], [path, *files])


@pytest.mark.parametrize(
    "element",
    [
        "$ORIGIN",
        "${ORIGIN}",
        "$ORIGIN/",
        "$ORIGIN/.",
        "$ORIGIN/../../numpy.libs",
        "${ORIGIN}/../../numpy.libs/",
        "$ORIGIN/..//.././numpy.libs",
        "$ORIGIN/../..",
    ],
)
def test_a_search_path_inside_the_own_entry_does_not_reach(element: str) -> None:
    assert _reaching(NUMPY, *NUMPY_FILES, runpath=element) == ()


@pytest.mark.parametrize("element", ["/usr/local/lib", "lib", "../lib", "", "x/$ORIGIN/../y"])
def test_a_search_path_that_does_not_start_at_the_library_does_not_reach(element: str) -> None:
    assert _reaching(TORCH, runpath=element) == ()


@pytest.mark.parametrize(
    "element",
    [
        "$ORIGIN/../../nvidia/cublas/lib",
        "${ORIGIN}/../../nvidia/cublas/lib",
        "$ORIGIN/../../../..",
        "$ORIGIN/../../../data/lib",
        "$ORIGIN/missing",
        "$ORIGIN/../$LIB",
    ],
)
def test_a_search_path_that_leaves_the_entry_reaches(element: str) -> None:
    assert _reaching(TORCH, runpath=f"$ORIGIN:{element}") == ("site-packages/torch/lib",)


def test_the_braces_end_the_token_and_what_follows_belongs_to_the_directory() -> None:
    assert _reaching(TORCH, "site-packages/torch/lib/x/y", runpath="${ORIGIN}x") == ()
    assert _reaching(TORCH, runpath="$ORIGINx") == ()


def test_rpath_counts_only_where_there_is_no_runpath() -> None:
    outside = "$ORIGIN/../../other"
    assert _reaching(TORCH, rpath=outside) == ("site-packages/torch/lib",)
    assert _reaching(TORCH, rpath=outside, runpath="$ORIGIN") == ()


def test_libraries_of_the_prefix_look_within_the_prefix_part() -> None:
    assert _reaching("data/lib/libmpi.so", runpath="$ORIGIN/../lib") == ()
    assert _reaching("data/bin/mpirun", "data/lib/libmpi.so", runpath="$ORIGIN/../lib") == ()
    assert _reaching("data/lib/libmpi.so", runpath="$ORIGIN/../lib64") == ("data/lib",)
    assert _reaching("scripts/tool", "data/lib/libmpi.so", runpath="$ORIGIN/../lib") == ("scripts",)


def test_each_directory_is_named_once_and_in_order() -> None:
    outside = ("$ORIGIN/../other",)
    elf = [
        ElfFacts(f"site-packages/{path}", "x86_64", 64, None, (), (), outside, {}, ())
        for path in ("b/x.so", "b/y.so", "a/x.so")
    ]
    found = reaching_directories(elf, [facts.path for facts in elf])
    assert found == ("site-packages/a", "site-packages/b")


def test_a_directory_is_known_by_the_files_below_it() -> None:
    files = ["site-packages/torch/share/deep/er/x.txt"]
    assert _reaching(TORCH, *files, runpath="$ORIGIN/../share/deep") == ()
    assert _reaching(TORCH, *files, runpath="$ORIGIN/../share/dee") == ("site-packages/torch/lib",)


ARM = "site-packages/cmeel.prefix/lib/python3.12/site-packages/arm/arm.so"
OWN_LIBRARY = "site-packages/cmeel.prefix/lib/libarm.so.1"


@pytest.mark.parametrize(
    ("needed", "reaches"),
    [
        ((), False),
        (("libc.so.6", "libstdc++.so.6", "ld-linux-x86-64.so.2", "libpython3.12.so.1.0"), False),
        (("libarm.so.1", "libm.so.6"), False),
        (("libother.so.1",), True),
        (("libarm.so.1", "libarm.so.2"), True),
    ],
)
def test_a_shared_directory_that_lacks_what_is_needed_may_be_filled_by_another_entry(
    needed: tuple[str, ...], reaches: bool
) -> None:
    found = _reaching(ARM, OWN_LIBRARY, runpath="$ORIGIN/../../../../lib", needed=needed)
    assert found == ((ARM.rpartition("/")[0],) if reaches else ())


def test_what_is_looked_for_beside_a_library_alone_is_of_its_own_entry() -> None:
    assert _reaching(TORCH, runpath="$ORIGIN", needed=("libother.so.1",)) == ()
