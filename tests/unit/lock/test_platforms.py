import pytest

from envmgr.lock.platforms import (
    PlatformFloor,
    highest,
    library_of,
    lowest_sufficient,
    parse_floor,
)
from envmgr.target.types import Glibc, MacOS, Musl


@pytest.mark.parametrize(
    ("tag", "floor"),
    [
        ("manylinux_2_28_x86_64", PlatformFloor("manylinux", (2, 28), "x86_64")),
        ("manylinux2014_aarch64", PlatformFloor("manylinux", (2, 17), "aarch64")),
        ("manylinux2010_i686", PlatformFloor("manylinux", (2, 12), "i686")),
        ("manylinux1_x86_64", PlatformFloor("manylinux", (2, 5), "x86_64")),
        ("musllinux_1_2_x86_64", PlatformFloor("musllinux", (1, 2), "x86_64")),
        ("macosx_11_0_universal2", PlatformFloor("macosx", (11, 0), "universal2")),
        ("linux_x86_64", None),
        ("any", None),
        ("manylinux3000_x86_64", None),
        ("win_amd64", None),
    ],
)
def test_a_tag_tells_the_library_it_needs(tag: str, floor: PlatformFloor | None) -> None:
    assert parse_floor(tag) == floor


def test_the_least_of_a_wheels_tags_is_enough() -> None:
    assert str(lowest_sufficient(["manylinux2014_x86_64", "manylinux_2_28_x86_64"])) == (
        "manylinux_2_17_x86_64"
    )


def test_a_tag_without_a_version_asks_for_none() -> None:
    assert lowest_sufficient(["linux_x86_64", "manylinux_2_28_x86_64"]) is None
    assert lowest_sufficient([]) is None


def test_versions_are_compared_as_numbers() -> None:
    floors = [PlatformFloor("manylinux", version, "x86_64") for version in ((2, 5), (2, 17))]

    assert highest(floors) == floors[1]
    assert highest([]) is None


def test_every_library_serves_one_kind_of_tag() -> None:
    assert library_of(Glibc(2, 36)) == ("manylinux", (2, 36))
    assert library_of(Musl(1, 2)) == ("musllinux", (1, 2))
    assert library_of(MacOS(14, 0)) == ("macosx", (14, 0))
