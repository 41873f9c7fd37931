"""What goes into a repacked wheel, and under which names."""

import json
from pathlib import Path

import pytest
from packaging.version import Version

from envmgr.runtime.building.platform_tag import NoPlatformTag
from envmgr.runtime.building.recipe import Build, parse_builds
from envmgr.runtime.building.repack import BuildMistake, Origin, Repacked, repack, select_files
from envmgr.wheel.elf import parse_elf
from envmgr.wheel.elf_names import NameDoesNotFit
from envmgr.wheel.metadata import parse_metadata
from envmgr.wheel.writing import Part
from tests.support.elves import Elf

INFO = "intel_openmp-2026.2.0.dist-info"
PATHS = [
    "data/lib/libiomp5.so",
    "data/lib/libomptarget.so",
    "data/share/doc/third-party-programs.txt",
    "site-packages/pack/license.py",
    f"site-packages/{INFO}/LICENSE.txt",
    f"site-packages/{INFO}/METADATA",
    f"site-packages/{INFO}/licenses/deep/any.txt",
]
METADATA = (
    b"Metadata-Version: 2.1\nName: intel-openmp\nVersion: 2026.2.0\nSummary: A runtime\n"
    b"License: Some licence\nClassifier: License :: Other\nClassifier: Topic :: X\n"
    b"Requires-Dist: intel-cmplr-lib-ur\n\ntext\n"
)
HASHED = "libgomp-a34b3233.so.1.0.0"


def build(keys: str) -> Build:
    (found,) = parse_builds(f"build: {{shared: {{{keys}}}}}".encode(), Path("/r.yaml"))
    return found


def origin(
    tag: tuple[str, str, str] | None = ("cp312", "cp312", "manylinux_2_28_x86_64"),
) -> Origin:
    return Origin(
        file="intel_openmp-2026.2.0-x.whl",
        sha256="ab" * 32,
        index="pypi",
        version=Version("2026.2.0"),
        metadata=METADATA,
        tag=tag,
    )


def repacked(keys: str, *files: Part, tag: bool = True) -> Repacked:
    where = origin() if tag else origin(None)
    return repack(build(keys), where, files, {"LICENSE.txt": b"text"})


def paths(result: Repacked) -> set[str]:
    return {part.path for part in result.wheel.parts if ".dist-info/" not in part.path}


def links(result: Repacked) -> dict[str, str]:
    return {
        link.path.rpartition("/")[2]: link.target.rpartition("/")[2] for link in result.wheel.links
    }


def about(result: Repacked, name: str) -> bytes:
    (data,) = [part.data for part in result.wheel.parts if part.path.endswith(f".dist-info/{name}")]
    return data


def test_what_is_kept_and_every_licence_go_in() -> None:
    chosen = select_files(build("wheel: a, keep: ['data/lib/libiomp*']"), PATHS, INFO)

    assert chosen.kept == ("data/lib/libiomp5.so",)
    assert chosen.licences == (
        "data/share/doc/third-party-programs.txt",
        f"site-packages/{INFO}/LICENSE.txt",
        f"site-packages/{INFO}/licenses/deep/any.txt",
    )


@pytest.mark.parametrize(
    "keys", ["wheel: a, keep: ['data/*.dll']", "wheel: a, keep: ['data/*'], licences: ['x']"]
)
def test_a_glob_for_nothing_is_a_mistake(keys: str) -> None:
    with pytest.raises(BuildMistake, match="no file of the wheel is"):
        select_files(build(keys), PATHS, INFO)


def test_a_library_is_called_by_its_soname_and_has_a_name_for_linkers() -> None:
    library = Part("data/lib/libfoo.so.1.2", bytes(Elf(soname="libfoo.so.1")), executable=True)

    result = repacked("wheel: a, keep: [x]", library)

    assert paths(result) == {"shared-2026.2.0.data/data/lib/libfoo.so.1"}
    assert links(result) == {"libfoo.so": "libfoo.so.1"}
    assert result.wheel.filename == "shared-2026.2.0-py3-none-manylinux_2_28_x86_64.whl"
    assert next(part for part in result.wheel.parts if part.path in paths(result)).executable


def test_a_soname_of_the_recipe_is_given_to_the_library_and_to_who_needs_it() -> None:
    gomp = Part(f"site-packages/p.libs/{HASHED}", bytes(Elf(soname=HASHED)))
    user = Part("site-packages/p.libs/libuser.so", bytes(Elf(soname="libuser.so", needed=[HASHED])))

    result = repacked("wheel: a, keep: [x], sonames: {libgomp-*.so.*: libgomp.so.1}", gomp, user)

    data = {part.path: part.data for part in result.wheel.parts}
    assert paths(result) == {"p.libs/libgomp.so.1", "p.libs/libuser.so"}
    renamed, needing = (parse_elf(data[path], path) for path in sorted(paths(result)))
    assert renamed is not None
    assert needing is not None
    assert renamed.soname == "libgomp.so.1"
    assert needing.needed == ("libgomp.so.1",)
    assert result.notes == ()


def test_further_names_stand_beside_the_library() -> None:
    library = Part("data/lib/libiomp5.so", bytes(Elf(soname="libiomp5.so")))

    result = repacked("wheel: a, keep: [x], links: {libomp.so: libiomp5.so}", library)

    assert links(result) == {"libomp.so": "libiomp5.so"}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("links: {libomp.so: libgone.so}", "no file of the new wheel is called `libgone.so`"),
        ("links: {libfoo.so.1: libfoo.so.1}", "`libfoo.so.1` is a file of the new wheel already"),
        ("sonames: {libgone.so: libx.so}", "no library that is kept is called `libgone.so`"),
        ("sonames: {libbare.so: libx.so}", "libbare.so has no SONAME that could be another"),
    ],
)
def test_a_recipe_that_does_not_fit_is_a_mistake(keys: str, message: str) -> None:
    foo = Part("data/lib/libfoo.so.1", bytes(Elf(soname="libfoo.so.1")))
    bare = Part("data/lib/libbare.so", bytes(Elf()))

    with pytest.raises(BuildMistake) as mistake:
        repacked(f"wheel: a, keep: [x], {keys}", foo, bare)

    assert mistake.value.message == message
    assert mistake.value.at.line == 1
    assert mistake.value.at.column > 40


def test_two_files_for_one_place_are_a_mistake() -> None:
    one = Part("data/lib/libfoo.so.1.1", bytes(Elf(soname="libfoo.so.1")))
    two = Part("data/lib/libfoo.so.1.2", bytes(Elf(soname="libfoo.so.1")))

    with pytest.raises(BuildMistake, match=r"would be data/lib/libfoo\.so\.1"):
        repacked("wheel: a, keep: [x]", one, two)


def test_a_name_that_does_not_fit_is_refused() -> None:
    library = Part("data/lib/liba.so", bytes(Elf(soname="liba.so")))

    with pytest.raises(NameDoesNotFit):
        repacked("wheel: a, keep: [x], sonames: {liba.so: libmuch-longer.so}", library)


def test_metadata_keeps_the_licence_and_none_of_the_requirements() -> None:
    library = Part("data/lib/libx.so", bytes(Elf(soname="libx.so")))

    result = repacked("wheel: a, keep: [x], requires: ['tcmlib'], version: 3", library)

    text = about(result, "METADATA")
    metadata = parse_metadata(text)
    assert (metadata.name, str(metadata.version), metadata.requires_dist) == (
        "shared",
        "3",
        ("tcmlib",),
    )
    lines = text.decode().splitlines()
    assert "Summary: A runtime" in lines
    assert "License: Some licence" in lines
    assert "License-File: LICENSE.txt" in lines
    assert "Classifier: License :: Other" in lines
    assert "Classifier: Topic :: X" not in lines
    assert about(result, "licenses/LICENSE.txt") == b"text"
    assert json.loads(about(result, "envmgr-build.json")) == {
        "file": "intel_openmp-2026.2.0-x.whl",
        "sha256": "ab" * 32,
        "index": "pypi",
        "version": "2026.2.0",
    }


def test_what_only_one_interpreter_can_use_keeps_its_tag() -> None:
    module = Part("site-packages/p/_x.cpython-312-x86_64-linux-gnu.so", bytes(Elf()))

    result = repacked("wheel: a, keep: [x]", module)

    assert result.wheel.filename == "shared-2026.2.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    assert b"Tag: cp312-cp312-manylinux_2_28_x86_64\n" in about(result, "WHEEL")


def test_a_library_of_the_host_gets_the_tag_that_its_symbols_ask_for() -> None:
    library = Part(
        "data/lib/libx.so.1", bytes(Elf(soname="libx.so.1", versions={"libc.so.6": ["GLIBC_2.33"]}))
    )

    result = repacked("host: libx.so.1, version: 1", library, tag=False)

    assert result.wheel.filename == "shared-1-py3-none-manylinux_2_33_x86_64.whl"
    with pytest.raises(NoPlatformTag):
        repacked("host: libx.so.1, version: 1", tag=False)


def test_what_is_needed_and_lacking_is_told_or_for_the_host_a_mistake() -> None:
    library = Part(
        "data/lib/libx.so", bytes(Elf(soname="libx.so", needed=["libq.so.0", "libc.so.6"]))
    )

    (note,) = repacked("wheel: a, keep: [x]", library).notes
    assert note == "data/lib/libx.so needs libq.so.0, which neither the wheel nor every system has"
    assert repacked("wheel: a, keep: [x], requires: [quad]", library).notes == ()
    with pytest.raises(BuildMistake, match=r"needs libq\.so\.0"):
        repacked("host: libx.so, version: 1", library, tag=False)
    assert repacked("host: libx.so, version: 1, requires: [quad]", library, tag=False).notes == ()
