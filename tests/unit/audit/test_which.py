"""Whose something is, from manifests of thought."""

import pytest

from envmgr.audit.which import Holdings, Match, is_called
from envmgr.names import PackageName
from envmgr.wheel.manifest import EntryPoint, FileFacts, Manifest, make_manifest
from tests.support.runtimes import elf

SITE = "lib/python3.11/site-packages"


def manifest(name: str, *paths: str, points: tuple[EntryPoint, ...] = ()) -> Manifest:
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    return make_manifest(
        name=PackageName(name),
        version="1.0",
        wheel=f"{name}-1.0-py3-none-any.whl",
        root_is_purelib=True,
        dist_info=info,
        entry_points=points,
        files=[
            FileFacts(path, 1, False, "")
            for path in (*paths, f"site-packages/{info}/METADATA", f"site-packages/{info}/numpy/x")
        ],
        elf=[elf(path) for path in paths if ".so" in path],
    )


def place_of(path: str) -> str | None:
    part, _, below = path.partition("/")
    return {"site-packages": f"{SITE}/{below}", "data": below, "scripts": f"bin/{below}"}.get(part)


HOLDINGS = Holdings(
    [
        manifest(
            "num-py",
            "site-packages/numpy/__init__.py",
            "site-packages/numpy/linalg/__init__.py",
            "site-packages/numpy/linalg/_umath.cpython-311-x86_64-linux-gnu.so",
            "site-packages/num_py.libs/libgomp-e985bcbb.so.1.0.0",
            "headers/numpy/x.h",
            points=(
                EntryPoint("console_scripts", "f2py", "numpy.f2py:main"),
                EntryPoint("x", "no", "y"),
            ),
        ),
        manifest("goo-a", "site-packages/google/a/__init__.py", "site-packages/six.py"),
        manifest("goo-b", "site-packages/google/b/__init__.py", "data/bin/mpiexec", "scripts/tool"),
        manifest("torch", "site-packages/torch/lib/libgomp.so.1", "site-packages/torch/tools/f2py"),
    ],
    place_of,
    SITE,
)


def found(name: str) -> list[tuple[str, str, str]]:
    return [(each.kind, each.package, each.place) for each in HOLDINGS.search(name)]


@pytest.mark.parametrize("name", ["libgomp", "libgomp.so", "libgomp.so.1"])
def test_a_library_goes_by_its_name_without_digest_and_version(name: str) -> None:
    assert found(name) == [
        ("library", "num-py", f"{SITE}/num_py.libs/libgomp-e985bcbb.so.1.0.0"),
        ("library", "torch", f"{SITE}/torch/lib/libgomp.so.1"),
    ]


def test_other_versions_and_longer_names_are_other_libraries() -> None:
    assert not is_called("libgomp.so.1", "libgomp.so.1", "libgomp.so.2")
    assert not is_called("libgomp-plugin.so", None, "libgo")
    assert not is_called("libgompx.so.1", None, "libgomp")
    assert is_called("libopenblas-r0-59ffcd50.3.15.so", None, "libopenblas")
    assert is_called("odd", "libmpi.so.12", "libmpi.so.12")


def test_a_module_is_a_package_a_file_or_an_extension() -> None:
    assert found("numpy.linalg") == [("module", "num-py", f"{SITE}/numpy/linalg/__init__.py")]
    assert found("six") == [("module", "goo-a", f"{SITE}/six.py")]
    assert found("numpy.linalg._umath") == [
        ("module", "num-py", f"{SITE}/numpy/linalg/_umath.cpython-311-x86_64-linux-gnu.so")
    ]


def test_a_namespace_is_of_all_who_have_a_part_of_it() -> None:
    assert found("google") == [
        ("module", "goo-a", f"{SITE}/google"),
        ("module", "goo-b", f"{SITE}/google"),
    ]


def test_a_path_may_start_anywhere_and_have_stars() -> None:
    expected = [("file", "num-py", f"{SITE}/numpy/linalg/_umath.cpython-311-x86_64-linux-gnu.so")]
    assert found("numpy/linalg/_umath*.so") == expected
    assert found(f"{SITE}/numpy/linalg/_umath.cp[!q]*") == expected
    assert found("numpy/*/_umath*.so") == expected
    assert found("numpy/*_umath*.so") == []  # a star does not stand for a slash


def test_programs_are_found_by_name_and_by_path_entry_points_too() -> None:
    assert found("f2py") == [
        ("program", "num-py", "bin/f2py"),
        ("file", "torch", f"{SITE}/torch/tools/f2py"),
    ]
    assert found("bin/f2py") == [("program", "num-py", "bin/f2py")]
    assert HOLDINGS.search("bin/f2py")[0].source is None
    assert found("mpiexec") == [("program", "goo-b", "bin/mpiexec")]
    assert found("tool") == [("program", "goo-b", "bin/tool")]
    assert found("bin/no") == []


def test_a_package_goes_by_any_spelling() -> None:
    assert found("Num_Py") == [("package", "num-py", f"{SITE}/num_py-1.0.dist-info")]


def test_a_directory_is_of_all_who_have_something_below() -> None:
    assert found("numpy/linalg") == [("directory", "num-py", f"{SITE}/numpy/linalg")]
    assert found("site-packages/google/") == [
        ("directory", "goo-a", f"{SITE}/google"),
        ("directory", "goo-b", f"{SITE}/google"),
    ]


def test_headers_have_no_place_that_is_told() -> None:
    assert found("x.h") == []


def test_at_a_path_stands_one_thing_or_a_directory() -> None:
    assert HOLDINGS.at("bin/mpiexec") == (
        Match("file", PackageName("goo-b"), "1.0", "data/bin/mpiexec", "bin/mpiexec"),
    )
    (below,) = HOLDINGS.at(f"{SITE}/numpy/linalg")
    assert (below.kind, below.source) == ("directory", "site-packages/numpy/linalg")
    assert HOLDINGS.at("numpy/linalg") == ()  # not the whole path


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("numpy.linlag", "numpy.linalg"),
        ("numby", "numpy"),
        ("ligomp.so.1", "libgomp.so.1"),
        ("f3py", "f2py"),
    ],
)
def test_a_misspelt_name_has_near_ones(name: str, near: str) -> None:
    assert found(name) == []
    assert near in HOLDINGS.near(name)


def test_what_resembles_nothing_has_none() -> None:
    assert HOLDINGS.near("zzzzzzzzzz") == ()
