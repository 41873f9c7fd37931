"""The environment file: from text to a value, or to all of its problems."""

from collections.abc import Mapping
from pathlib import Path

from envmgr.spec.composer import compose, decode
from envmgr.spec.dependencies import (
    parse_dependencies,
    parse_groups,
    parse_limits,
    parse_prereleases,
    places_of,
)
from envmgr.spec.index_list import parse_indexes
from envmgr.spec.keys import ENVIRONMENT
from envmgr.spec.nodes import MappingNode, ScalarNode
from envmgr.spec.problems import EnvironmentFileInvalid, FileUnreadable, Findings
from envmgr.spec.runtimes import parse_runtimes
from envmgr.spec.scalars import whole_number
from envmgr.spec.source import read_source
from envmgr.spec.types import KEPT, EnvironmentSpec
from envmgr.spec.values import parse_exclude_newer, parse_name, parse_python, parse_variables
from envmgr.spec.views import parse_conflicts, parse_link


def read_environment(path: Path, expand: Mapping[str, str]) -> EnvironmentSpec:
    """Read an environment file; ``expand`` holds the variables that index URLs may use.

    Raises FileUnreadable, EnvironmentFileInvalid.
    """
    source = path.absolute()
    try:
        data = read_source(source)
    except OSError as error:
        hint = "name a file with -f FILE" if isinstance(error, FileNotFoundError) else None
        raise FileUnreadable(source, (error.strerror or str(error)).lower(), hint) from None
    findings = Findings(source)
    text = decode(data, findings)
    if text is None:
        raise EnvironmentFileInvalid(source, findings.problems)
    return parse_environment(text, source, expand)


def parse_environment(text: str, source: Path, expand: Mapping[str, str]) -> EnvironmentSpec:
    """Read the text of an environment file whose absolute path is ``source``.

    Raises EnvironmentFileInvalid with every problem of the file.
    """
    findings = Findings(source)
    spec = _parse(text, source, expand, findings)
    if spec is None or findings.problems:
        raise EnvironmentFileInvalid(source, findings.problems)
    return spec


def _parse(
    text: str, source: Path, expand: Mapping[str, str], findings: Findings
) -> EnvironmentSpec | None:
    root = compose(text, findings)
    if root is None:
        return None
    file = ENVIRONMENT.check(root, "", findings)
    if not isinstance(file, MappingNode):
        return None
    description = file.get("description")
    keep = file.get("keep")
    directory = source.parent
    return EnvironmentSpec(
        source=source,
        name=parse_name(file.get("name"), source, findings),
        description=description.text if isinstance(description, ScalarNode) else None,
        python=parse_python(file.get("python"), directory, findings),
        indexes=parse_indexes(file.get("indexes"), directory, expand, findings),
        dependencies=parse_dependencies(file.get("dependencies"), findings),
        groups=parse_groups(file.get("groups"), findings),
        constraints=parse_limits(file.get("constraints"), "constraints", findings),
        overrides=parse_limits(file.get("overrides"), "overrides", findings),
        prereleases=parse_prereleases(file.get("prereleases"), findings),
        exclude_newer=parse_exclude_newer(file.get("exclude-newer"), findings),
        runtimes=parse_runtimes(file.get("runtimes"), findings),
        link=parse_link(file.get("link"), findings),
        conflicts=parse_conflicts(file.get("conflicts"), findings),
        keep=KEPT if keep is None else whole_number(keep) or KEPT,
        variables=parse_variables(file.get("variables"), findings),
        places=places_of(file),
    )
