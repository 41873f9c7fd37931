"""The rules of ld.so(8), on files of thought."""

import pytest

from envmgr.audit.loader import Loader, Rules, places, reached
from tests.support.runtimes import SITE, Disk, elf

MODULE = f"{SITE}/a/x.so"
RULES = Rules(system=("/usr/lib",))


def path_of(disk: Disk, by: str, name: str, rules: Rules = RULES, root: str = MODULE) -> str | None:
    loader = Loader(disk.lookup, disk.real_directory, rules)
    loader.follow([root])
    return loader.requests[by, name].path


@pytest.mark.parametrize(
    ("element", "place"),
    [
        ("$ORIGIN", "/v/a"),
        ("${ORIGIN}", "/v/a"),
        ("$ORIGIN/../a.libs", "/v/a/../a.libs"),
        ("${ORIGIN}x", "/v/ax"),
        ("/opt/lib/", "/opt/lib"),
        ("/", "/"),
    ],
)
def test_a_search_path_is_taken_as_it_is_written(element: str, place: str) -> None:
    assert places([element], "/v/a/x.so") == (place,)


@pytest.mark.parametrize("element", ["lib", "$ORIGINx", "$LIB/x", "/opt/$PLATFORM", "$ORIGIN/$LIB"])
def test_what_depends_on_the_directory_or_the_machine_is_left_out(element: str) -> None:
    assert places([element], "/v/a/x.so") == ()


def test_a_dollar_in_the_name_of_a_directory_is_no_token() -> None:
    assert places(["$ORIGIN/lib"], "/v/$a/x.so") == ("/v/$a/lib",)


def test_a_library_is_found_through_the_runpath_before_the_system() -> None:
    disk = Disk()
    disk.add(MODULE, elf(MODULE, "liby.so", runpath="$ORIGIN/../a.libs"))
    disk.add(f"{SITE}/a.libs/liby.so", elf("y"))
    disk.add("/usr/lib/liby.so", elf("y"))
    assert path_of(disk, MODULE, "liby.so") == f"{SITE}/a/../a.libs/liby.so"


def test_what_no_search_path_leads_to_is_the_system_s_or_missing() -> None:
    disk = Disk()
    disk.add(MODULE, elf(MODULE, "liby.so", "libz.so"))
    disk.add("/usr/lib/liby.so", elf("y"))
    assert path_of(disk, MODULE, "liby.so") == "/usr/lib/liby.so"
    assert path_of(disk, MODULE, "libz.so") is None


def test_a_library_for_another_machine_is_passed_over() -> None:
    disk = Disk()
    disk.add(MODULE, elf(MODULE, "liby.so", runpath="$ORIGIN:/opt"))
    disk.add(f"{SITE}/a/liby.so", elf("y", machine="aarch64"))
    disk.add("/opt/liby.so", elf("y"))
    assert path_of(disk, MODULE, "liby.so") == "/opt/liby.so"


def test_rpath_is_inherited_and_runpath_is_not() -> None:
    for paths, found in (({"rpath": "/opt"}, "/opt/libz.so"), ({"runpath": "/opt"}, None)):
        disk = Disk()
        disk.add(MODULE, elf(MODULE, "liby.so", **paths))
        disk.add("/opt/liby.so", elf("y", "libz.so"))
        disk.add("/opt/libz.so", elf("z"))
        assert path_of(disk, "/opt/liby.so", "libz.so") == found


def test_a_library_with_a_runpath_inherits_no_rpath() -> None:
    disk = Disk()
    disk.add(MODULE, elf(MODULE, "liby.so", rpath="/opt"))
    disk.add("/opt/liby.so", elf("y", "libz.so", runpath="/elsewhere"))
    disk.add("/opt/libz.so", elf("z"))
    assert path_of(disk, "/opt/liby.so", "libz.so") is None


@pytest.mark.parametrize(
    ("paths", "found"),
    [({"rpath": "/own"}, "/own/liby.so"), ({"runpath": "/own"}, "/told/liby.so")],
)
def test_ld_library_path_stands_between_rpath_and_runpath(
    paths: dict[str, str], found: str
) -> None:
    disk = Disk()
    disk.add(MODULE, elf(MODULE, "liby.so", **paths))
    for directory in ("/own", "/told"):
        disk.add(f"{directory}/liby.so", elf("y"))
    assert path_of(disk, MODULE, "liby.so", Rules(system=(), before=("/told",))) == found


def test_the_interpreter_s_rpath_counts_for_what_has_no_runpath() -> None:
    disk = Disk()
    disk.add(MODULE, elf(MODULE, "liby.so"))
    disk.add("/conda/lib/liby.so", elf("y"))
    rules = Rules(system=("/usr/lib",), main=("/conda/lib",))
    assert path_of(disk, MODULE, "liby.so", rules) == "/conda/lib/liby.so"


def test_a_name_with_a_slash_is_a_path() -> None:
    disk = Disk()
    disk.add(MODULE, elf(MODULE, "/opt/liby.so", "sub/liby.so", runpath="$ORIGIN"))
    disk.add("/opt/liby.so", elf("y"))
    disk.add(f"{SITE}/a/sub/liby.so", elf("y"))
    assert path_of(disk, MODULE, "/opt/liby.so") == "/opt/liby.so"
    assert path_of(disk, MODULE, "sub/liby.so") is None


@pytest.mark.parametrize("kind", ["rpath", "runpath"])
def test_libraries_that_need_each_other_end(kind: str) -> None:
    disk = Disk()
    paths = {kind: "$ORIGIN/../a.libs:$ORIGIN/../a.libs/../a:$ORIGIN/../absent:$ORIGIN"}
    disk.add(MODULE, elf(MODULE, "liby.so", **paths))
    disk.add(f"{SITE}/a.libs/liby.so", elf("y", "libz.so", "x.so", **paths))
    disk.add(f"{SITE}/a.libs/libz.so", elf("z", "liby.so", **paths))
    loader = Loader(disk.lookup, disk.real_directory, RULES)
    loader.follow([MODULE])
    y = f"{SITE}/a/../a.libs/liby.so"
    z = f"{SITE}/a/../a.libs/libz.so"
    found = {(each.by, each.name): each.path for each in loader.requests.values()}
    assert found == {
        (MODULE, "liby.so"): y,
        (y, "libz.so"): z,
        (y, "x.so"): MODULE,
        (z, "liby.so"): y,
    }


def test_loading_brings_what_is_below_and_nothing_else() -> None:
    disk = Disk()
    other = f"{SITE}/b/x.so"
    disk.add(MODULE, elf(MODULE, "liby.so", runpath="$ORIGIN"))
    disk.add(f"{SITE}/a/liby.so", elf("y", "libz.so", runpath="$ORIGIN"))
    disk.add(f"{SITE}/a/libz.so", elf("z"))
    disk.add(other, elf(other))
    loader = Loader(disk.lookup, disk.real_directory, RULES)
    loader.follow([MODULE, other])
    wanted = {f"{SITE}/a/libz.so": "z"}
    found = reached(loader.requests.values(), [MODULE, other], wanted)
    assert found == {MODULE: {"z"}, other: frozenset()}
