"""Files that the pages show are what the code reads."""

import re
from pathlib import Path

import pytest

from envmgr.cli.failure import render_failure
from envmgr.runtime.building.recipe import parse_builds
from envmgr.runtime.recipes.catalog import read_catalog
from envmgr.spec.configuration import parse_configuration
from envmgr.spec.environment import parse_environment
from envmgr.spec.problems import EnvironmentFileInvalid
from tests.integration.cli.terminal import ROOT

HOME = Path("/home/me")
VARIABLES = {"WORK": "/here", "SCRATCH": "/there"}
FILE_PAGES = ["README.md", "docs/environment-file.md", "docs/coming-from.md"]
SETTINGS_PAGES = ["docs/settings.md", "docs/site.md"]


def fenced(page: str, language: str) -> list[str]:
    """The blocks of one language, without the indentation of a list around them."""
    text = (ROOT / page).read_text("utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def indented(page: str, first_key: str) -> list[str]:
    """The blocks that are set in by four blanks and begin with a key."""
    text = (ROOT / page).read_text("utf-8")
    found = re.findall(rf"(?<=\n\n)((?: {{4}}{first_key}:.*\n)(?: {{4}}.*\n)*)", text)
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in found]


def shown_files() -> list[str]:
    whole = [block for page in FILE_PAGES for block in fenced(page, "yaml")]
    parts = [
        *indented("docs/environment-file.md", "link"),
        *indented("docs/environment-file.md", "conflicts"),
        *indented("docs/indexes.md", "indexes"),
        *indented("docs/runtimes.md", "runtimes"),
    ]
    files = [text for text in [*whole, *parts] if "dependancies" not in text]
    return [text for text in files if not text.startswith("# yaml-language-server")]


@pytest.mark.parametrize("text", shown_files())
def test_a_shown_environment_file_is_one(text: str) -> None:
    parse_environment(text, HOME / "environment.yaml", {})  # raises what is wrong with it


def test_a_faulty_environment_file_is_told_as_shown() -> None:
    (text,) = [t for t in fenced("docs/environment-file.md", "yaml") if "dependancies" in t]
    (shown,) = fenced("docs/environment-file.md", "text")

    with pytest.raises(EnvironmentFileInvalid) as caught:
        parse_environment(text, HOME / "lab/environment.yaml", {})

    assert render_failure(caught.value, coloured=False) == shown


@pytest.mark.parametrize("page", SETTINGS_PAGES)
def test_shown_settings_are_settings(page: str) -> None:
    blocks = fenced(page, "yaml")

    assert blocks
    for text in blocks:
        parse_configuration(text.encode(), HOME / "config.yaml", VARIABLES, HOME, site=True)


def test_the_shown_recipe_of_a_site_adds_to_ours(tmp_path: Path) -> None:
    (text,) = indented("docs/runtimes.md", "schema")
    (tmp_path / "mpi.yaml").write_text(text, "utf-8")

    catalog = read_catalog([tmp_path])

    bound = {binding.package for family in catalog.families for binding in family.bindings}
    assert {"lab-solver", "lab-tools", "dtfft-mpich"} <= bound


def test_the_shown_recipe_of_wheels_can_be_built() -> None:
    (text,) = indented("docs/wheels.md", "build")

    builds = parse_builds(text.encode(), HOME / "recipe.yaml")

    assert [build.name for build in builds] == ["shared-intel-openmp", "shared-gomp"]
