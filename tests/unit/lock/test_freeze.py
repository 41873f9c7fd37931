import pytest

from envmgr.lock.check import why_unfit
from envmgr.names import IndexName, package_name
from envmgr.resolve.types import MarkerOutcome
from envmgr.spec.types import IndexSpec
from envmgr.target.types import Glibc, Libc, MacOS, Musl
from tests.support.locks import (
    INDEX,
    WHEN,
    chosen,
    direct_candidate,
    groups_of,
    lock_of,
    outcome,
    target_for,
    wheel_candidate,
)
from tests.support.values import replace

PURE = "pytest-9.0.0-py3-none-any.whl"
NUMPY = "numpy-2.4.6-cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"
OLD = "old-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
STABLE = "stable-1.0-cp39-abi3-manylinux_2_34_x86_64.whl"


def test_packages_are_sorted_and_say_where_they_came_from() -> None:
    lab = IndexSpec(
        name=IndexName("lab"),
        url="https://u:p@lab.example.org/simple/",
        shown_url="https://${ENVMGR_U}:${ENVMGR_P}@lab.example.org/simple/",
        packages=("other", "lab-*"),
    )
    ours = wheel_candidate("lab_tools-1.0-py3-none-any.whl", lab)

    lock = lock_of(chosen(ours), NUMPY, indexes=(lab, INDEX))

    tools, numpy = lock.packages
    assert (tools.index, tools.index_reason) == ("lab", 'reserved by "lab-*"')
    assert tools.index_url == "https://lab.example.org/simple/"
    assert (numpy.index, numpy.index_reason) == ("pypi", "first with the name")
    assert lock.indexes[0] == ("lab", "https://lab.example.org/simple/")
    assert numpy.wheel.upload_time == WHEN


def test_a_reason_that_is_given_wins() -> None:
    lock = lock_of(NUMPY, reasons={package_name("numpy"): "first with the name after lab"})

    assert lock.packages[0].index_reason == "first with the name after lab"


def test_a_direct_reference_has_no_index() -> None:
    lock = lock_of(chosen(direct_candidate("file:///project/w/mine-1.0-py3-none-any.whl")))

    (mine,) = lock.packages
    assert (mine.index, mine.index_url, mine.index_reason) == (None, None, "direct")
    assert mine.wheel.location == "w/mine-1.0-py3-none-any.whl"


def test_what_the_index_did_not_say_is_what_was_computed() -> None:
    bare = replace(wheel_candidate(NUMPY), sha256=None, size=None)
    name = package_name("numpy")

    lock = lock_of(chosen(bare), sha256={name: "a" * 64}, sizes={name: 7})

    assert (lock.packages[0].wheel.sha256, lock.packages[0].wheel.size) == ("a" * 64, 7)


def test_no_lock_is_made_without_a_hash() -> None:
    bare = replace(wheel_candidate(NUMPY), sha256=None)

    with pytest.raises(ValueError, match=r"numpy 2\.4\.6 has no hash"):
        lock_of(chosen(bare))


def test_what_dependencies_need_is_needed_by_them_alone() -> None:
    lock = lock_of(
        chosen(NUMPY, groups=[None, "test"]),
        chosen(PURE, groups=["test", "plots"]),
        groups=groups_of("test", "plots"),
    )

    assert lock.packages[0].groups == frozenset({None})
    assert lock.packages[1].groups == frozenset({"test", "plots"})
    assert lock.groups == ("plots", "test")


def test_an_extra_that_asks_for_its_own_package_is_no_dependency() -> None:
    lock = lock_of(chosen(NUMPY, requires=["numpy", "b", "a", "b"]))

    assert lock.packages[0].requires == ("a", "b")


def test_pure_wheels_depend_on_no_machine() -> None:
    conditions = lock_of(PURE).conditions

    assert (conditions.machine, conditions.platform_floor, conditions.abi) == (None, None, None)
    assert conditions.environment == (
        "implementation_name == 'cpython' and sys_platform == 'linux'"
    )


@pytest.mark.parametrize(
    ("wheels", "floor", "abi"),
    [
        ([PURE, OLD], "manylinux_2_17_x86_64", "cp312"),
        ([OLD, NUMPY], "manylinux_2_27_x86_64", "cp312"),
        ([STABLE, PURE], "manylinux_2_34_x86_64", None),
        (["x-1-cp312-cp312-linux_x86_64.whl"], None, "cp312"),
        (["x-1-py3-none-manylinux1_x86_64.whl"], "manylinux_2_5_x86_64", None),
        (["x-1-cp312-none-any.whl"], None, None),
    ],
)
def test_the_floor_is_the_highest_that_a_chosen_wheel_needs(
    wheels: list[str], floor: str | None, abi: str | None
) -> None:
    conditions = lock_of(*wheels).conditions

    assert (conditions.platform_floor, conditions.abi) == (floor, abi)
    assert conditions.machine == ("x86_64" if floor or abi else None)


def test_only_tags_that_fit_the_target_count() -> None:
    both = "x-1-cp312-cp312-manylinux_2_17_x86_64.musllinux_1_1_x86_64.whl"

    glibc = lock_of(both).conditions
    musl = lock_of(both, target=target_for(libc=Musl(1, 2))).conditions

    assert glibc.platform_floor == "manylinux_2_17_x86_64"
    assert musl.platform_floor == "musllinux_1_1_x86_64"


def test_a_fat_wheel_of_macos_needs_the_targets_machine() -> None:
    target = target_for(libc=MacOS(14, 0), machine="arm64", system="darwin")

    conditions = lock_of("x-1-cp312-cp312-macosx_11_0_universal2.whl", target=target).conditions

    assert conditions.platform_floor == "macosx_11_0_arm64"
    assert conditions.machine == "arm64"


def test_a_free_threaded_interpreter_is_an_abi_of_its_own() -> None:
    target = target_for((3, 13, 1), free_threaded=True)

    conditions = lock_of("x-1-cp313-cp313t-manylinux_2_28_x86_64.whl", target=target).conditions

    assert conditions.abi == "cp313t"


@pytest.mark.parametrize(
    ("markers", "tail"),
    [
        ([outcome('python_full_version < "3.11"', False)], ""),
        ([outcome('python_full_version <= "3.12.0a6"', False)], ""),
        ([outcome('python_full_version < "3.12.5"', True)], " and python_full_version < '3.12.5'"),
        (
            [
                outcome('python_full_version >= "3.12.2"', True),
                outcome('implementation_version >= "3.12.9"', False),
            ],
            " and python_full_version >= '3.12.2' and python_full_version < '3.12.9'",
        ),
        (
            [outcome('python_full_version == "3.12.3"', True)],
            " and python_full_version >= '3.12.3' and python_full_version < '3.12.4'",
        ),
        ([outcome('platform_machine == "arm64"', False)], " and platform_machine == 'x86_64'"),
        ([outcome('"tegra" in platform_release', False)], " and platform_release == '6.1.0'"),
    ],
)
def test_other_tools_are_told_what_the_markers_depended_on(
    markers: list[MarkerOutcome], tail: str
) -> None:
    conditions = lock_of(PURE, markers=markers).conditions

    assert conditions.environment == (
        "implementation_name == 'cpython' and sys_platform == 'linux'" + tail
    )
    assert conditions.markers == tuple(sorted(markers))


@pytest.mark.parametrize("libc", [Glibc(2, 36), Glibc(2, 28), None])
def test_a_lock_fits_the_target_that_it_was_made_for(libc: Libc | None) -> None:
    target = target_for(libc=libc)
    markers = [outcome('python_full_version < "3.12.5"', True)]

    wheels = [PURE, "x-1-cp312-cp312-linux_x86_64.whl"] if libc is None else [PURE, NUMPY, OLD]

    assert why_unfit(lock_of(*wheels, markers=markers, target=target), target) == ()
