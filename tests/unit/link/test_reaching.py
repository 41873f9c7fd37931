"""Which directories libraries make real, given all packages of a view."""

import pytest

from envmgr.link.inputs import LaidEntry, LaidFile, LayoutInputs
from envmgr.link.reaching import Reaching, reach_of
from envmgr.names import EnvironmentName
from envmgr.wheel.manifest import Manifest
from tests.support.manifests import GENERATION, PYTHON, lay
from tests.support.manifests import SITE as VIEW
from tests.support.packages import elf, laid_package, package
from tests.support.values import replace

HOME = "site-packages/front/lib"
FRONT = package(
    "front",
    elf(f"{HOME}/libfront.so", runpath=("$ORIGIN/../../back/lib",)),
    files=["site-packages/front/__init__.py"],
)
BACK = package("back", elf("site-packages/back/lib/libback.so"))


def inputs(*manifests: Manifest, **more: object) -> LayoutInputs:
    made = LayoutInputs(
        interpreter=PYTHON,
        entries=tuple(map(laid_package, manifests)),
        name=EnvironmentName("trial"),
        generation=GENERATION,
    )
    return replace(made, **more)


def reach(*manifests: Manifest, **more: object) -> Reaching:
    return reach_of(inputs(*manifests, **more))


def test_a_library_that_finds_another_packages_makes_its_directory_real() -> None:
    found = reach(FRONT, BACK)
    assert found.homes == (frozenset({HOME}), frozenset())
    assert found.sought == {f"{VIEW}/front/lib": frozenset({f"{VIEW}/back/lib"})}


def test_one_that_finds_nobody_makes_nothing_real() -> None:
    """What is left over from the machine that built it, or waits for what is not there."""
    assert FRONT.reaching == (HOME,)
    assert reach(FRONT).homes == (frozenset(),)
    assert lay(laid_package(FRONT)).links[f"{VIEW}/front"] == "/store/front/site-packages/front"


def test_where_only_its_own_libraries_are_it_finds_nobody() -> None:
    """``$ORIGIN/..`` lacks what is needed, but no other package brings it there either."""
    own = package(
        "own",
        elf("site-packages/own/deep/libdeep.so", needed=("libabsent.so",), runpath=("$ORIGIN/..",)),
        elf("site-packages/own/libown.so"),
    )
    assert own.reaching == ("site-packages/own/deep",)
    assert reach(own, BACK).homes == (frozenset(), frozenset())


def test_who_fills_the_same_directory_is_found() -> None:
    lib = "site-packages/prefix/lib"
    one = package(
        "one",
        elf("site-packages/prefix/bin/tool", needed=("libtwo.so",), runpath=("$ORIGIN/../lib",)),
        elf(f"{lib}/libone.so"),
    )
    two = package("two", elf(f"{lib}/libtwo.so"))
    assert reach(one, two).homes[0] == {"site-packages/prefix/bin"}


@pytest.mark.parametrize(
    "name",
    [
        "_cffi_backend.cpython-312-x86_64-linux-gnu.so",
        "_m.abi3.so",
        "_m.pypy39-pp73-x86_64-linux-gnu.so",
    ],
)
def test_modules_and_other_files_are_no_libraries_that_are_found(name: str) -> None:
    other = package("other", elf(f"site-packages/back/lib/{name}"))
    assert reach(FRONT, other).homes == (frozenset(), frozenset())


@pytest.mark.parametrize(
    "name", ["libshiboken6.abi3.so.6.12", "_m.cpython-312-x86_64-linux-gnu.so"]
)
def test_what_is_asked_for_by_name_is_found_whatever_it_looks_like(name: str) -> None:
    front = package(
        "front", elf(f"{HOME}/libfront.so", needed=(name,), runpath=FRONT.elf[0].runpath)
    )
    other = package("other", elf(f"site-packages/back/lib/{name}"))
    assert reach(front, other).homes[0] == {HOME}


def test_a_link_of_another_package_is_found() -> None:
    back = package(
        "back",
        elf("site-packages/deep/libback.so.1"),
        links={"site-packages/back/lib/libback.so": "../../deep/libback.so.1"},
    )
    assert reach(FRONT, back).homes[0] == {HOME}


def into_lib(name: str, lib: str = "lib") -> Manifest:
    climb = "/".join([".."] * 4)
    return package(name, elf(f"site-packages/{name}/_core.so", runpath=(f"$ORIGIN/{climb}/{lib}",)))


@pytest.mark.parametrize("lib", ["lib", "lib64"])
def test_what_stands_in_the_views_lib_is_found(lib: str) -> None:
    front = into_lib("front", lib)
    data = package("data", elf("data/lib64/libdata.so"))
    here = frozenset({"site-packages/front"})
    assert reach(front).homes == (frozenset(),)
    assert reach(front, data).homes[0] == here
    assert reach(front, standing={"libgomp.so.1": "/store/x"}).homes == (here,)
    assert reach(front, host={"lib/libmpi.so": LaidFile(b"")}).homes == (here,)


def test_another_part_of_the_same_package_is_found() -> None:
    """It stands elsewhere in the view than in the entry."""
    front = into_lib("front")
    whole = package("front", *front.elf, elf("data/lib/libfront.so"))
    assert reach(whole).homes == (frozenset({"site-packages/front"}),)


def test_out_of_the_view_nothing_is_found() -> None:
    climb = "/".join([".."] * 9)
    out = package("out", elf("site-packages/out/_core.so", runpath=(f"$ORIGIN/{climb}/lib",)))
    assert reach(out, BACK).homes == (frozenset(), frozenset())


def test_who_looks_into_what_is_real_is_real() -> None:
    """Else it would find the library in the entry, and that would find nothing of others."""
    looking = package(
        "front",
        *FRONT.elf,
        elf("site-packages/front/bin/tool", runpath=("$ORIGIN/../lib",)),
        elf("site-packages/front/more/_more.so", runpath=("$ORIGIN/../bin",)),
        elf("site-packages/front/apart/_apart.so", runpath=("$ORIGIN",)),
    )
    found = reach(looking, BACK)
    assert found.homes[0] == {HOME, "site-packages/front/bin", "site-packages/front/more"}
    assert found.sought[f"{VIEW}/front/bin"] == {f"{VIEW}/front/lib"}
    assert lay(laid_package(looking)).links[f"{VIEW}/front"].startswith("/store/front/")


def test_a_link_to_what_is_real_stands_in_a_directory_that_is_real() -> None:
    linked = package("front", *FRONT.elf, links={"site-packages/front/x/lib": "../lib"})
    assert reach(linked, BACK).homes[0] == {HOME, "site-packages/front/x"}


def test_a_directory_of_which_nothing_is_told_stays_real() -> None:

    odd: LaidEntry = laid_package(replace(BACK, reaching=("site-packages/back",)))
    assert reach_of(inputs(entries=(odd,))).homes == (frozenset({"site-packages/back"}),)
