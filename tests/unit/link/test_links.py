"""Links of wheels in a layout: places like any other, that are links already."""

import pytest

from envmgr.link.inputs import LayoutClash, TakenFile
from envmgr.spec.views import LinkWay
from tests.support.manifests import SITE, STORE, laid, lay

LIBRARY = "site-packages/pack/lib/libx.so.1"
LINK = {"site-packages/pack/lib/libx.so": "libx.so.1"}


def test_a_link_folds_with_its_directory() -> None:
    view = lay(laid("pack", LIBRARY, links=LINK))

    assert view.links[f"{SITE}/pack"] == f"{STORE}/pack/site-packages/pack"
    assert [path for path in view.links if path.startswith(f"{SITE}/pack/")] == []


def test_in_a_real_directory_a_link_leads_to_that_of_the_entry() -> None:
    view = lay(
        laid("omp", "data/lib/libomp.so.5", links={"data/lib/libomp.so": "libomp.so.5"}),
        laid("other", "data/lib/libother.so"),
    )

    assert view.links["lib/libomp.so"] == f"{STORE}/omp/data/lib/libomp.so"
    assert view.links["lib/libomp.so.5"] == f"{STORE}/omp/data/lib/libomp.so.5"


def test_equal_links_of_two_wheels_are_one() -> None:
    contents = {LIBRARY: "same"}

    view = lay(
        laid("pack", LIBRARY, contents=contents, links=LINK),
        laid("twin", LIBRARY, contents=contents, links=LINK),
    )

    assert view.links[f"{SITE}/pack/lib/libx.so"] == f"{STORE}/pack/site-packages/pack/lib/libx.so"


@pytest.mark.parametrize("other", [{"site-packages/pack/lib/libx.so": "liby.so.1"}, {}])
def test_links_that_differ_and_links_against_files_clash(other: dict[str, str]) -> None:
    files = ("site-packages/pack/lib/liby.so.1",)
    if not other:
        files = ("site-packages/pack/lib/libx.so",)

    with pytest.raises(LayoutClash) as clash:
        lay(laid("pack", LIBRARY, links=LINK), laid("twin", *files, links=other))

    assert [each.path for each in clash.value.clashes] == [f"{SITE}/pack/lib/libx.so"]


def test_a_link_and_a_directory_clash() -> None:
    with pytest.raises(LayoutClash) as clash:
        lay(
            laid("pack", "site-packages/pack/a/x.py", links={"site-packages/pack/b": "a"}),
            laid("twin", "site-packages/pack/b/y.py"),
        )

    assert [each.path for each in clash.value.clashes] == [f"{SITE}/pack/b"]


def test_a_rule_decides_between_links_as_between_files() -> None:
    view = lay(
        laid("pack", LIBRARY, links=LINK),
        laid("twin", "site-packages/pack/lib/libx.so"),
        conflicts=(("pack/lib/libx.so", "pack"),),
    )

    assert view.links[f"{SITE}/pack/lib/libx.so"] == f"{STORE}/pack/site-packages/pack/lib/libx.so"


@pytest.mark.parametrize("way", [LinkWay.COPY, LinkWay.HARDLINK])
def test_beside_a_copy_a_link_leads_to_the_copy(way: LinkWay) -> None:
    view = lay(laid("pack", LIBRARY, links=LINK, way=way))

    assert view.taken[f"{SITE}/pack/lib/libx.so.1"] == TakenFile(
        f"{STORE}/pack/{LIBRARY}", False, way is LinkWay.COPY
    )
    assert view.links[f"{SITE}/pack/lib/libx.so"] == "libx.so.1"


def test_a_link_to_a_directory_that_reaches_out_leads_to_the_view_s_own() -> None:
    pack = laid(
        "pack",
        "site-packages/pack/lib/libx.so",
        reaching=("site-packages/pack", "site-packages/pack/lib"),
        links={"site-packages/pack/alias": "lib"},
    )

    view = lay(pack)

    assert view.links[f"{SITE}/pack/alias"] == "lib"
    assert f"{SITE}/pack/lib" in view.directories
    assert view.taken_names(SITE) == ("pack",)


def test_a_link_to_a_program_that_reaches_out_leads_to_the_view_s_own() -> None:
    program = "data/bin/mpiexec.hydra"
    pack = laid(
        "pack",
        program,
        programs=(program,),
        executable=(program,),
        reaching=("data/bin",),
        links={"data/bin/mpiexec": "mpiexec.hydra", "data/bin/mpirun": "mpiexec"},
    )

    view = lay(pack)

    assert view.taken["bin/mpiexec.hydra"].source == f"{STORE}/pack/{program}"
    assert view.links["bin/mpiexec"] == "mpiexec.hydra"
    assert view.links["bin/mpirun"] == "mpiexec"


def test_a_module_that_is_a_link_has_no_bytecode_of_its_own() -> None:
    view = lay(
        laid("pack", "site-packages/ns/a.py", links={"site-packages/ns/b.py": "a.py"}),
        laid("twin", "site-packages/ns/c.py"),
        compiled=True,
    )

    assert view.links[f"{SITE}/ns/b.py"] == f"{STORE}/pack/site-packages/ns/b.py"
    assert {path.rpartition("/")[2] for path in view.bytecode if "/ns/" in path} == {
        "a.cpython-312.pyc",
        "c.cpython-312.pyc",
    }
