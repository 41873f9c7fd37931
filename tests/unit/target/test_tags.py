import pytest

from envmgr.target.tags import architectures, compatible_tags, fitting_platforms
from envmgr.target.types import Glibc, MacOS, Musl
from tests.support.host import make_interpreter
from tests.support.values import replace


def interpreters(tags: tuple[str, ...]) -> list[str]:
    """The distinct python-abi parts, in order."""
    return list(dict.fromkeys(tag.rpartition("-")[0] for tag in tags))


def test_a_glibc_system_takes_its_own_then_every_older_manylinux_with_its_legacy_name() -> None:
    platforms = fitting_platforms(make_interpreter(libc=Glibc(2, 18)))
    assert platforms == (
        "linux_x86_64",
        "manylinux_2_18_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
        "manylinux_2_16_x86_64",
        "manylinux_2_15_x86_64",
        "manylinux_2_14_x86_64",
        "manylinux_2_13_x86_64",
        "manylinux_2_12_x86_64",
        "manylinux2010_x86_64",
        "manylinux_2_11_x86_64",
        "manylinux_2_10_x86_64",
        "manylinux_2_9_x86_64",
        "manylinux_2_8_x86_64",
        "manylinux_2_7_x86_64",
        "manylinux_2_6_x86_64",
        "manylinux_2_5_x86_64",
        "manylinux1_x86_64",
    )


def test_other_architectures_begin_with_glibc_2_17() -> None:
    platforms = fitting_platforms(make_interpreter(libc=Glibc(2, 18), platform="linux-aarch64"))
    assert platforms == (
        "linux_aarch64",
        "manylinux_2_18_aarch64",
        "manylinux_2_17_aarch64",
        "manylinux2014_aarch64",
    )


def test_an_architecture_without_manylinux_takes_only_its_own() -> None:
    assert fitting_platforms(make_interpreter(platform="linux-armv6l")) == ("linux_armv6l",)


def test_without_a_known_c_library_only_the_plain_platform_fits() -> None:
    assert fitting_platforms(make_interpreter(libc=None)) == ("linux_x86_64",)


def test_musl_takes_every_older_minor_version() -> None:
    assert fitting_platforms(make_interpreter(libc=Musl(1, 2))) == (
        "linux_x86_64",
        "musllinux_1_2_x86_64",
        "musllinux_1_1_x86_64",
        "musllinux_1_0_x86_64",
    )


@pytest.mark.parametrize(
    ("platform", "bits", "expected"),
    [
        ("linux-x86_64", 64, ("x86_64",)),
        ("linux-x86_64", 32, ("i686",)),
        ("linux-i686", 32, ("i686",)),
        ("linux-aarch64", 32, ("armv8l", "armv7l")),
        ("linux-armv7l", 32, ("armv7l",)),
        ("linux-ppc64le", 64, ("ppc64le",)),
    ],
)
def test_a_32_bit_interpreter_is_not_what_its_kernel_is(
    platform: str, bits: int, expected: tuple[str, ...]
) -> None:
    assert architectures(platform, bits) == expected


def test_what_the_site_refuses_is_left_out_with_its_legacy_name() -> None:
    refused = ("manylinux_2_17_x86_64", "manylinux_2_36_x86_64")
    platforms = fitting_platforms(make_interpreter(refused_platforms=refused))
    assert not {*refused, "manylinux2014_x86_64"} & set(platforms)
    assert {"manylinux_2_35_x86_64", "manylinux_2_16_x86_64"} <= set(platforms)


def test_cpython_prefers_its_own_abi_then_the_stable_one_then_none() -> None:
    tags = compatible_tags(make_interpreter((3, 8, 1), libc=None))
    assert tags == (
        "cp38-cp38-linux_x86_64",
        "cp38-abi3-linux_x86_64",
        "cp38-none-linux_x86_64",
        *[f"cp3{minor}-abi3-linux_x86_64" for minor in (7, 6, 5, 4, 3, 2)],
        "py38-none-linux_x86_64",
        "py3-none-linux_x86_64",
        *[f"py3{minor}-none-linux_x86_64" for minor in (7, 6, 5, 4, 3, 2, 1, 0)],
        "cp38-none-any",
        "py38-none-any",
        "py3-none-any",
        *[f"py3{minor}-none-any" for minor in (7, 6, 5, 4, 3, 2, 1, 0)],
    )


def test_a_free_threaded_build_never_takes_abi3() -> None:
    tags = compatible_tags(make_interpreter((3, 13, 0), free_threaded=True, libc=None))
    names = interpreters(tags)
    assert names[:4] == ["cp313-cp313t", "cp313-abi3t", "cp313-none", "cp312-abi3t"]
    assert not [name for name in names if name.endswith("-abi3")]
    assert "cp313-cp313" not in names


def test_a_debug_build_also_takes_what_is_built_for_release() -> None:
    names = interpreters(compatible_tags(make_interpreter((3, 12, 1), debug=True, libc=None)))
    assert names[:3] == ["cp312-cp312d", "cp312-cp312", "cp312-abi3"]


def test_pypy_takes_its_own_abi_and_no_stable_one() -> None:
    pypy = make_interpreter(
        (3, 10, 14), implementation="pypy", soabi="pypy310-pp73-x86_64-linux-gnu", libc=None
    )
    tags = compatible_tags(pypy)
    assert tags[:3] == (
        "pp310-pypy310_pp73-linux_x86_64",
        "pp310-none-linux_x86_64",
        "py310-none-linux_x86_64",
    )
    assert "pp3-none-any" in tags
    assert not [tag for tag in tags if "abi3" in tag or tag.startswith("cp")]


def test_apple_silicon_takes_its_own_and_older_universal_binaries() -> None:
    mac = make_interpreter(platform="macosx-11.0-arm64", libc=MacOS(12, 3))
    platforms = fitting_platforms(mac)
    assert platforms[:5] == (
        "macosx_12_0_arm64",
        "macosx_12_0_universal2",
        "macosx_11_0_arm64",
        "macosx_11_0_universal2",
        "macosx_10_16_universal2",
    )
    assert platforms[-1] == "macosx_10_4_universal2"


def test_a_universal_interpreter_takes_what_its_processor_runs() -> None:
    universal = make_interpreter(platform="macosx-10.9-universal2", libc=MacOS(14, 1))
    arm, intel = (
        fitting_platforms(
            replace(universal, markers={**universal.markers, "platform_machine": machine})
        )
        for machine in ("arm64", "x86_64")
    )
    assert "macosx_14_0_arm64" in arm
    assert "macosx_14_0_x86_64" not in arm
    assert "macosx_10_9_x86_64" in intel
