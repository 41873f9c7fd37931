"""How the files of a package get into a view: folded, file by file, copied, or hard-linked."""

import pytest

from envmgr.link.inputs import TakenFile
from envmgr.spec.views import LinkWay
from tests.support.manifests import GENERATION, SITE, STORE, laid, lay

PATHS = (
    "site-packages/demo/__init__.py",
    "site-packages/demo/data/x.txt",
    "site-packages/demo-1.0.dist-info/licenses/LICENSE",
    "site-packages/single.py",
    "scripts/tool",
    "data/lib/libdemo.so",
    "data/share/demo/deep/er/x.txt",
    "data/etc/demo.cfg",
    "headers/demo.h",
)
INFO = f"{SITE}/demo-1.0.dist-info"
SETTING = {"etc/demo.cfg": TakenFile(f"{STORE}/demo/data/etc/demo.cfg", False, copied=True)}
"""In ``etc`` programs write over files of packages, whichever way the package has."""
OWN = {
    f"{SITE}/demo/__init__.py": "site-packages/demo/__init__.py",
    f"{SITE}/demo/data/x.txt": "site-packages/demo/data/x.txt",
    f"{SITE}/single.py": "site-packages/single.py",
    "bin/tool": "scripts/tool",
    "lib/libdemo.so": "data/lib/libdemo.so",
    "include/python3.12/demo/demo.h": "headers/demo.h",
}


def test_file_links_each_file_in_directories_that_are_real() -> None:
    view = lay(laid("demo", *PATHS, way=LinkWay.FILE))

    assert {path: view.links[path] for path in OWN} == {
        path: f"{STORE}/demo/{source}" for path, source in OWN.items()
    }
    assert {f"{SITE}/demo", f"{SITE}/demo/data"} <= {*view.directories}
    assert view.taken == SETTING


@pytest.mark.parametrize("way", [LinkWay.COPY, LinkWay.HARDLINK])
def test_copy_and_hardlink_take_each_file_and_keep_its_executable_bit(way: LinkWay) -> None:
    view = lay(laid("demo", *PATHS, way=way))

    assert view.taken == SETTING | {
        path: TakenFile(f"{STORE}/demo/{source}", source == "scripts/tool", way is LinkWay.COPY)
        for path, source in OWN.items()
    }
    assert not {*view.taken} & {*view.links}
    assert view.taken_names(SITE) == ("demo", "single.py")


@pytest.mark.parametrize("way", LinkWay)
def test_dist_info_and_what_programs_write_beside_are_links_in_every_way(way: LinkWay) -> None:
    view = lay(laid("demo", *PATHS, way=way))

    assert {f"{INFO}/METADATA", f"{INFO}/licenses", "share/demo/deep/er"} <= {*view.links}
    assert view.settings == {"etc/demo.cfg": f"{STORE}/demo/data/etc/demo.cfg"}


def test_scripts_that_ask_for_the_interpreter_are_rewritten_in_every_way() -> None:
    entry = laid("demo", "scripts/tool", scripts={"scripts/tool": b"#!python\n"}, way=LinkWay.COPY)

    view = lay(entry)

    assert view.files["bin/tool"].content == f"#!{GENERATION}/bin/python\n".encode()
    assert view.taken == {}


def test_other_packages_of_a_namespace_stay_as_they_are() -> None:
    view = lay(
        laid("one", "site-packages/ns/one/a.py", way=LinkWay.COPY),
        laid("two", "site-packages/ns/two/b.py"),
        laid("three", "site-packages/ns/three/deep/c.py", way=LinkWay.FILE),
    )

    assert {*view.taken} == {f"{SITE}/ns/one/a.py"}
    assert view.links[f"{SITE}/ns/two"] == f"{STORE}/two/site-packages/ns/two"
    assert f"{SITE}/ns/three/deep/c.py" in view.links


def test_of_one_file_in_two_packages_the_way_that_asks_for_more_counts() -> None:
    same = {"site-packages/ns/__init__.py": "same"}
    entries = [
        laid(way.value, *same, contents=same, way=way)
        for way in (LinkWay.FOLD, LinkWay.FILE, LinkWay.COPY, LinkWay.HARDLINK)
    ]

    view = lay(*entries)

    assert view.taken[f"{SITE}/ns/__init__.py"].source.startswith(f"{STORE}/copy/")
    assert lay(*entries[:2], entries[3]).taken[f"{SITE}/ns/__init__.py"].copied is False


def test_a_program_that_reaches_for_libraries_of_other_entries_is_no_link() -> None:
    home = "site-packages/Qt/libexec"
    paths = (f"{home}/process", f"{home}/plugin.so", f"{home}/script.sh")
    entry = laid("qt", *paths, reaching=(home,), programs=paths[:2], executable=paths)

    view = lay(entry)

    assert view.taken == {
        f"{SITE}/Qt/libexec/process": TakenFile(f"{STORE}/qt/{home}/process", True, False)
    }
    assert {f"{SITE}/Qt/libexec/plugin.so", f"{SITE}/Qt/libexec/script.sh"} <= {*view.links}


def test_a_program_that_needs_its_own_entry_alone_folds() -> None:
    path = "site-packages/Qt/libexec/process"

    view = lay(laid("qt", path, programs=(path,), executable=(path,)))

    assert view.taken == {}


def test_bytecode_follows_its_module() -> None:
    def bytecode(way: LinkWay) -> tuple[dict[str, str], dict[str, TakenFile]]:
        view = lay(laid("demo", "site-packages/demo/a.py", way=way), compiled=True)
        return dict(view.bytecode), dict(view.taken_bytecode)

    place = f"{SITE}/demo/__pycache__/a.cpython-312.pyc"
    target = f"{STORE}/demo/site-packages/demo/__pycache__/a.cpython-312.pyc"
    assert bytecode(LinkWay.FOLD) == ({}, {})
    assert bytecode(LinkWay.FILE) == ({place: target}, {})
    assert bytecode(LinkWay.HARDLINK) == ({}, {place: TakenFile(target, False, False)})
    assert bytecode(LinkWay.COPY) == ({}, {place: TakenFile(target, False, True)})


def test_the_size_of_a_view_counts_what_is_taken() -> None:
    folded, copied = (lay(laid("demo", *PATHS, way=way)) for way in (LinkWay.FOLD, LinkWay.COPY))

    # demo: a link becomes two directories and two files; the headers a directory and a file
    assert copied.entries == folded.entries + 3 + 1


def test_a_program_in_the_place_of_a_taken_script_is_written_once() -> None:
    from envmgr.wheel.manifest import EntryPoint

    point = EntryPoint("console_scripts", "tool", "demo:main")

    view = lay(laid("demo", "scripts/tool", entry_points=(point,), way=LinkWay.COPY))

    assert "bin/tool" in view.files
    assert "bin/tool" not in view.taken
