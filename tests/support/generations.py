"""The commands about generations, on a Project."""

from pathlib import Path

from envmgr.link.generation import list_generations, numbers_of
from envmgr.names import EnvironmentName
from envmgr.pipeline.copies import Cloned, Renamed, clone, rename
from envmgr.pipeline.generations import GenerationSummary, RolledBack, list_history, rollback
from envmgr.pipeline.types import ByName, Selector
from tests.support.project import Project

PROJECT = ByName(EnvironmentName("project"))
SAY = "import alpha; print(alpha.__version__)"


def named(name: str) -> ByName:
    return ByName(EnvironmentName(name))


def history(project: Project, selector: Selector = PROJECT) -> tuple[GenerationSummary, ...]:
    return list_history(selector, project.settings)


def roll_back(project: Project, number: int | None = None) -> RolledBack:
    return rollback(PROJECT, number, project.settings, project.events.append)


def cloned(project: Project, target: Selector, source: Selector = PROJECT) -> Cloned:
    return clone(source, target, project.settings, project.events.append)


def renamed(project: Project, new: str, old: str = "project") -> Renamed:
    return rename(named(old), named(new), project.settings, project.events.append)


def kept(prefix: Path) -> list[int]:
    """Numbers of the generations that are there, oldest first."""
    numbers = numbers_of(prefix)
    return sorted(numbers[record.id] for record in list_generations(prefix))


def links_of(generation: Path) -> dict[str, str]:
    """Every link below a directory, with its target."""
    return {
        str(path.relative_to(generation)): str(path.readlink())
        for path in sorted(generation.rglob("*"))
        if path.is_symlink()
    }
