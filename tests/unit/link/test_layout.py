import pytest

from envmgr.link.inputs import LayoutInputs
from envmgr.link.layout import LayoutClash, layout
from envmgr.names import EnvironmentName
from envmgr.wheel.manifest import EntryPoint
from tests.support.manifests import GENERATION, PYTHON, SITE, STORE, laid, lay
from tests.support.values import replace


def script(name: str, value: str) -> EntryPoint:
    return EntryPoint("console_scripts", name, value)


def test_a_package_of_one_wheel_is_one_link() -> None:
    view = lay(laid("numpy", "site-packages/numpy/__init__.py", "site-packages/numpy/lib/x.py"))

    assert view.links[f"{SITE}/numpy"] == f"{STORE}/numpy/site-packages/numpy"
    assert [path for path in view.links if path.startswith(f"{SITE}/numpy/")] == []


def test_a_namespace_is_real_and_its_portions_are_links() -> None:
    view = lay(
        laid("one", "site-packages/ns/one/a.py"),
        laid("two", "site-packages/ns/two/b.py", "site-packages/ns/two/c.py"),
    )

    assert f"{SITE}/ns" in view.directories
    assert view.links[f"{SITE}/ns/one"] == f"{STORE}/one/site-packages/ns/one"
    assert view.links[f"{SITE}/ns/two"] == f"{STORE}/two/site-packages/ns/two"


def test_equal_files_of_two_wheels_are_one() -> None:
    same = {"site-packages/ns/__init__.py": "same"}

    view = lay(laid("one", *same, contents=same), laid("two", *same, contents=same))

    assert view.links[f"{SITE}/ns/__init__.py"] == f"{STORE}/one/site-packages/ns/__init__.py"


def test_different_files_on_one_path_clash_and_both_packages_are_named() -> None:
    paths = ("site-packages/tests/__init__.py", "site-packages/tests/run.py")

    with pytest.raises(LayoutClash) as caught:
        lay(laid("one", *paths), laid("two", *paths))

    assert [(clash.first, clash.second) for clash in caught.value.clashes] == [("one", "two")] * 2
    assert str(caught.value) == (
        f"one and two both bring {SITE}/tests/__init__.py, and the contents differ "
        "(and 1 more such path)"
    )
    assert len(caught.value.details()) == 2


def test_a_file_and_a_directory_on_one_path_clash() -> None:
    with pytest.raises(LayoutClash, match=r"(one and two|two and one) both bring .*/x,"):
        lay(laid("one", "site-packages/x"), laid("two", "site-packages/x/__init__.py"))


def test_a_file_cannot_stand_where_a_view_has_its_directories() -> None:
    with pytest.raises(LayoutClash, match="one and envmgr itself both bring lib,"):
        lay(laid("one", "data/lib"))


def test_a_file_that_is_executable_in_one_wheel_only_clashes() -> None:
    same = {"data/bin/tool": "same", "scripts/tool": "same"}

    with pytest.raises(LayoutClash, match="bin/tool"):
        lay(laid("one", "data/bin/tool", contents=same), laid("two", "scripts/tool", contents=same))


def test_directories_that_reach_out_of_their_entry_are_real_all_the_way() -> None:
    view = lay(
        laid(
            "torch",
            "site-packages/torch/__init__.py",
            "site-packages/torch/lib/libtorch.so",
            "site-packages/torch/nn/a.py",
            reaching=("site-packages/torch/lib",),
        )
    )

    assert {f"{SITE}/torch", f"{SITE}/torch/lib"} <= {*view.directories}
    assert view.links[f"{SITE}/torch/nn"] == f"{STORE}/torch/site-packages/torch/nn"
    assert f"{SITE}/torch/lib/libtorch.so" in view.links


def test_dist_info_is_real_and_has_what_an_installer_writes() -> None:
    info = "site-packages/demo-1.0.dist-info"
    entry = laid(
        "demo",
        "site-packages/demo.py",
        f"{info}/RECORD",
        f"{info}/RECORD.jws",
        f"{info}/INSTALLER",
        f"{info}/licenses/LICENSE",
        requested=True,
        direct_url='{"url": "https://example.org/x.whl"}',
    )

    view = lay(entry)

    here = f"{SITE}/demo-1.0.dist-info"
    names = {path.removeprefix(f"{here}/") for path in (*view.links, *view.files) if here in path}
    assert names == {
        "METADATA",
        "RECORD",
        "SOURCES.txt",
        "licenses",
        "INSTALLER",
        "REQUESTED",
        "direct_url.json",
    }
    assert view.files[f"{here}/INSTALLER"].content == b"envmgr\n"
    assert view.links[f"{here}/SOURCES.txt"] == f"{STORE}/demo/SOURCES.txt"
    assert view.links[f"{here}/licenses"] == f"{STORE}/demo/{info}/licenses"


def test_data_is_spread_over_the_prefix_and_merged() -> None:
    view = lay(
        laid("one", "data/share/jupyter/kernels/a/kernel.json", "data/lib/libx.so", "data/bin/run"),
        laid("two", "data/share/jupyter/kernels/b/kernel.json", "data/etc/jupyter/conf/two.json"),
    )

    kernel = "share/jupyter/kernels/a/kernel.json"
    assert view.links[kernel] == f"{STORE}/one/data/{kernel}"
    assert "share/jupyter/kernels/b" in view.directories
    assert view.links["lib/libx.so"] == f"{STORE}/one/data/lib/libx.so"
    assert view.links["bin/run"] == f"{STORE}/one/data/bin/run"
    assert "etc/jupyter/conf" in view.directories


def test_directories_that_programs_write_to_are_real_even_for_one_wheel() -> None:
    view = lay(laid("one", "data/share/jupyter/labextensions/x/package.json", "data/etc/a/b/c"))

    assert {"share/jupyter/labextensions", "etc/a/b"} <= {*view.directories}
    assert "share/jupyter/labextensions/x" in view.links
    assert view.settings == {"etc/a/b/c": f"{STORE}/one/data/etc/a/b/c"}


def test_data_in_lib64_stands_in_lib() -> None:
    view = lay(laid("one", "data/lib64/libx.so"), laid("two", "data/lib/liby.so"))

    assert view.links["lib64"] == "lib"
    assert view.links["lib/libx.so"] == f"{STORE}/one/data/lib64/libx.so"
    assert view.links["lib/liby.so"] == f"{STORE}/two/data/lib/liby.so"


def test_there_is_no_lib64_where_venv_makes_none() -> None:
    mac = replace(PYTHON, platform="macosx-14.0-arm64")
    inputs = LayoutInputs(
        interpreter=mac, entries=(), name=EnvironmentName("trial"), generation=GENERATION
    )

    assert "lib64" not in layout(inputs).links


def test_headers_stand_below_the_interpreters_under_the_packages_name() -> None:
    view = lay(laid("greenlet", "headers/greenlet.h"))

    assert view.links["include/python3.12/greenlet"] == f"{STORE}/greenlet/headers"


def test_scripts_that_ask_for_the_interpreter_are_rewritten_and_others_linked() -> None:
    text = b"#!python\nprint(1)\n"
    entry = laid("one", "scripts/ask", "scripts/elf", scripts={"scripts/ask": text})

    view = lay(entry)

    assert view.files["bin/ask"].content == f"#!{GENERATION}/bin/python\nprint(1)\n".encode()
    assert view.files["bin/ask"].mode == 0o755
    assert view.links["bin/elf"] == f"{STORE}/one/scripts/elf"


def test_entry_points_become_programs_that_name_the_generation() -> None:
    points = (
        script("tool", "one:main"),
        EntryPoint("gui_scripts", "window", "one:show"),
        EntryPoint("other", "plugin", "one:plug"),
    )

    view = lay(laid("one", entry_points=points))

    assert view.files["bin/tool"].content.startswith(f"#!{GENERATION}/bin/python\n".encode())
    assert "bin/window" in view.files
    assert "bin/plugin" not in view.files


def test_a_program_of_one_package_in_two_forms_is_its_entry_point() -> None:
    entry = laid("one", "scripts/tool", entry_points=(script("tool", "one:main"),))

    view = lay(entry)

    assert "bin/tool" in view.files
    assert "bin/tool" not in view.links


def test_programs_of_one_name_from_two_packages_clash_unless_they_are_the_same() -> None:
    same = (script("tool", "shared:main"),)
    lay(laid("one", entry_points=same), laid("two", entry_points=same))

    with pytest.raises(LayoutClash, match="one and two both bring bin/tool"):
        lay(laid("one", entry_points=same), laid("two", entry_points=(script("tool", "b:main"),)))


def test_an_entry_point_that_names_no_callable_is_noted() -> None:
    view = lay(laid("one", entry_points=(script("tool", "one"),)))

    assert "bin/tool" not in view.files
    assert view.notes == ("one 1.0 names no callable for its program 'tool': 'one'",)


def test_no_package_can_take_the_place_of_the_interpreter_or_of_activation() -> None:
    with pytest.raises(LayoutClash, match=r"envmgr itself both bring bin/python"):
        lay(laid("one", entry_points=(script("python", "one:main"),)))
    with pytest.raises(LayoutClash, match=r"envmgr itself both bring bin/activate"):
        lay(laid("one", "scripts/activate"), activate="# activation\n")


def test_the_interpreter_goes_by_all_its_names() -> None:
    links = lay().links

    assert links["bin/python"] == PYTHON.executable
    assert links["bin/python3"] == links["bin/python3.12"] == "python"


def test_pyvenv_cfg_makes_it_a_virtual_environment() -> None:
    lines = lay().files["pyvenv.cfg"].content.decode().splitlines()

    assert "home = /opt/python/bin" in lines
    assert "include-system-site-packages = false" in lines
    assert "version = 3.12.1" in lines
    assert "prompt = trial" in lines


def test_something_stands_in_for_pip_unless_pip_is_there() -> None:
    with_pip = lay(
        laid("pip", entry_points=(script("pip", "pip:main"), script("pip3", "pip:main")))
    )

    assert b"envmgr sync trial" in lay().files["bin/pip"].content
    assert b"envmgr sync" not in with_pip.files["bin/pip"].content
    assert b"envmgr sync" not in with_pip.files["bin/pip3"].content


def test_bytecode_of_modules_in_real_directories_is_linked_once_it_is_there() -> None:
    six = laid("six", "site-packages/six.py")
    one = laid("one", "site-packages/ns/one.py", "site-packages/ns/deep/x.py")
    two = laid("two", "site-packages/ns/two.py")
    reaching = laid("torch", "site-packages/torch/a.py", reaching=("site-packages/torch",))

    links = lay(six, one, two, reaching, compiled=True).bytecode

    assert links == {
        f"{SITE}/__pycache__/six.cpython-312.pyc": (
            f"{STORE}/six/site-packages/__pycache__/six.cpython-312.pyc"
        ),
        f"{SITE}/ns/__pycache__/one.cpython-312.pyc": (
            f"{STORE}/one/site-packages/ns/__pycache__/one.cpython-312.pyc"
        ),
        f"{SITE}/ns/__pycache__/two.cpython-312.pyc": (
            f"{STORE}/two/site-packages/ns/__pycache__/two.cpython-312.pyc"
        ),
        f"{SITE}/torch/__pycache__": f"{STORE}/torch/site-packages/torch/__pycache__",
    }
    assert lay(six, one, two, reaching).bytecode == {}


def test_parents_come_before_what_stands_in_them() -> None:
    view = lay(laid("one", "site-packages/ns/a/b.py"), laid("two", "site-packages/ns/a/c.py"))

    seen = {""}
    for directory in view.directories:
        assert directory.rpartition("/")[0] in seen
        seen.add(directory)
    for path in (*view.links, *view.files):
        assert path.rpartition("/")[0] in seen


def test_the_same_entries_give_the_same_layout() -> None:
    entries = [laid("one", "site-packages/ns/a.py"), laid("two", "site-packages/ns/b.py")]

    assert lay(*entries) == lay(*entries)
