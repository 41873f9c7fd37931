from pathlib import Path

from envmgr.cli.listing import render_environments, render_packages, render_table
from envmgr.names import EnvironmentName, GenerationId, GroupName, IndexName, PackageName
from envmgr.pipeline.types import EnvironmentSummary, PackageRow
from tests.support.values import replace

CLIMATE = EnvironmentSummary(
    name=EnvironmentName("climate"),
    prefix=Path("/home/somebody/envs/climate"),
    file=Path("/home/somebody/climate/environment.yaml"),
    python="3.12.1",
    packages=1047,
    groups=(GroupName("plots"), GroupName("test")),
    generation=GenerationId("0a"),
    created="2026-11-24T05:43:10.123456+00:00",
)
NUMPY = PackageRow(
    name=PackageName("numpy"),
    version="2.4.6",
    index=IndexName("pypi"),
    groups=(),
    size=71_200_000,
    entry=Path("/home/somebody/store/v1/entries/aa"),
)


def test_columns_are_aligned_and_lines_end_where_their_text_ends() -> None:
    text = render_table(["NAME", "SIZE", "GROUPS"], [["a", "10", "x"], ["long", "9", ""]], "SIZE")

    assert text == "NAME  SIZE  GROUPS\na       10  x\nlong     9\n"


def test_environments_are_listed() -> None:
    text = render_environments([CLIMATE], verbose=0)

    assert text == (
        "NAME     PYTHON  PACKAGES  GROUPS       MADE              FILE\n"
        "climate  3.12.1     1,047  plots, test  2026-11-24 05:43  "
        "/home/somebody/climate/environment.yaml\n"
    )


def test_a_verbose_list_says_where_they_lie() -> None:
    line = render_environments([CLIMATE], verbose=1).splitlines()[1]

    assert line.endswith("  /home/somebody/envs/climate")


def test_packages_are_listed_and_summed() -> None:
    direct = PackageRow(
        name=PackageName("ours"),
        version="1.0",
        index=None,
        groups=(GroupName("test"),),
        size=800_000,
        entry=Path("/home/somebody/store/v1/entries/bb"),
    )

    assert render_packages([NUMPY, direct], verbose=0) == (
        "NAME   VERSION  INDEX   GROUPS      SIZE\n"
        "numpy  2.4.6    pypi    -        71.2 MB\n"
        "ours   1.0      direct  test    800.0 kB\n"
        "2 packages, 72.0 MB in the store\n"
    )


def test_packages_of_other_installers_are_listed_as_theirs() -> None:
    theirs = replace(NUMPY, name=PackageName("stray"), index=None, size=None, entry=None)
    theirs = replace(theirs, installer="pip")

    text = render_packages([NUMPY, theirs], verbose=1)

    line, end = text.splitlines()[2:]
    assert line == "stray  2.4.6    by pip  -             -  the environment itself"
    assert end == "1 package, 71.2 MB in the store; 1 that other installers put there"


def test_a_verbose_list_of_packages_says_which_entry() -> None:
    assert "/home/somebody/store/v1/entries/aa" in render_packages([NUMPY], verbose=1)


def test_a_package_that_the_store_has_lost_is_still_listed() -> None:
    lost = replace(NUMPY, size=None, entry=None)

    line = render_packages([lost], verbose=1).splitlines()[1]

    assert line.split() == ["numpy", "2.4.6", "pypi", "-", "?", "missing"]
