"""``build:`` of a recipe: wheels to make of other wheels, or of the host's libraries.

::

    build:
      shared-intel-openmp:               # what the new wheel is called
        wheel: intel-openmp >=2025       # or `host: libgomp.so.1`
        keep: [data/lib/libiomp5.so]     # globs over the files of the unpacked wheel
        sonames: {libiomp5.so: libiomp5.so}
        links: {libomp.so: libiomp5.so}  # further names -> the library beside which they stand
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from envmgr.names import InvalidName, PackageName, package_name
from envmgr.runtime.building.shape import BUILD
from envmgr.spec.composer import compose, decode
from envmgr.spec.nodes import ListNode, MappingNode, Node, ScalarNode
from envmgr.spec.problems import FileUnreadable, Findings, Place, RecipeInvalid
from envmgr.spec.source import read_source
from envmgr.wheel.requirement import Named, RequirementSyntaxError, parse_requirement


class Written(Struct, frozen=True):
    """A text of the recipe and where it stands."""

    text: str
    at: Place


class Build(Struct, frozen=True, kw_only=True):
    """One wheel to make."""

    name: PackageName
    at: Place
    wheel: Named | None
    """The wheel to take files of; ``None`` for a library of the host."""
    host: str
    """A SONAME or an absolute path; empty where ``wheel`` says something."""
    version: Version | None
    """``None``: that of the other wheel."""
    keep: tuple[Written, ...]
    sonames: Mapping[str, Written]
    links: Mapping[str, Written]
    licences: tuple[Written, ...]
    requires: tuple[str, ...]
    summary: str


def read_builds(file: Path) -> tuple[Build, ...]:
    """Read what a recipe says to build, in its order; other keys of it are not looked at.

    Raises FileUnreadable, and RecipeInvalid with every problem.
    """
    try:
        data = read_source(file)
    except OSError as error:
        raise FileUnreadable(file, (error.strerror or str(error)).lower()) from None
    return parse_builds(data, file)


def parse_builds(data: bytes, file: Path) -> tuple[Build, ...]:
    """Read the text of a recipe. Raises RecipeInvalid with every problem."""
    findings = Findings(file)
    text = decode(data, findings)
    root = None if text is None else compose(text, findings)
    builds: tuple[Build, ...] = ()
    if isinstance(root, MappingNode):
        builds = builds_of(root, findings)
        if root.get("build") is None:
            findings.add(root.at, "the recipe builds no wheel", "add `build:`")
    elif root is not None:
        findings.add(root.at, "a recipe must be a mapping", "write `build:`")
    if findings.problems:
        raise RecipeInvalid(file, findings.problems)
    return builds


def builds_of(root: MappingNode, findings: Findings) -> tuple[Build, ...]:
    """Read ``build:`` of a recipe, if it is there; its problems go into ``findings``."""
    written = root.get("build")
    checked = None if written is None else BUILD.check(written, "`build`", findings)
    entries = checked.entries if isinstance(checked, MappingNode) else ()
    builds = []
    for entry in entries:
        if isinstance(entry.value, MappingNode) and entry.value.whole:
            built = _Reader(entry.key, entry.value, findings).build()
            if built is not None:
                builds.append(built)
    return tuple(builds)


class _Reader(Struct, frozen=True):
    """One entry of ``build:`` whose structure is right."""

    key: ScalarNode
    node: MappingNode
    findings: Findings

    def build(self) -> Build | None:
        name = self.name()
        wheel, host = self.node.get("wheel"), self.node.get("host")
        if wheel is not None and host is not None:
            self.findings.add(host.at, "a wheel is made of `wheel` or of `host`", "keep one")
        version = self.version()
        self.check_needs(wheel, host)
        self.check_sonames()
        requirement = self.requirement(wheel)
        requires = tuple(self.requires())
        if name is None or (wheel is not None and requirement is None):
            return None
        return Build(
            name=name,
            at=self.key.at,
            wheel=requirement,
            host=host.text if isinstance(host, ScalarNode) else "",
            version=version,
            keep=self.texts("keep"),
            sonames=self.mapping("sonames"),
            links=self.mapping("links"),
            licences=self.texts("licences"),
            requires=requires,
            summary=self.text("summary"),
        )

    def name(self) -> PackageName | None:
        try:
            return package_name(self.key.text)
        except InvalidName:
            self.findings.add(self.key.at, f"`{self.key.text}` is not the name of a project")
            return None

    def check_needs(self, wheel: Node | None, host: Node | None) -> None:
        if wheel is not None and not self.texts("keep"):
            hint = "add `keep: [GLOB]`, over paths like data/lib/libiomp5.so"
            self.findings.add(self.key.at, f"`{self.key.text}` keeps nothing of its wheel", hint)
        if host is not None:
            if self.node.get("version") is None:
                hint = "add `version: ...`"
                self.findings.add(self.key.at, "a library of the host needs a version", hint)
            keep = self.node.get("keep")
            if keep is not None:
                self.findings.add(keep.at, "`keep` is for wheels", "remove it")
            if isinstance(host, ScalarNode) and "/" in host.text and host.text[0] != "/":
                hint = "write a SONAME, or a path from /"
                self.findings.add(host.at, "the path of a library of the host is absolute", hint)

    def check_sonames(self) -> None:
        for key in ("sonames", "links"):
            for written in self.mapping(key).values():
                if PurePosixPath(written.text).name != written.text:
                    self.findings.add(written.at, f"`{written.text}` is not the name of a file")

    def version(self) -> Version | None:
        written = self.node.get("version")
        if not isinstance(written, ScalarNode):
            return None
        try:
            return Version(written.text)
        except InvalidVersion:
            hint = "write one as PEP 440 has it: 2025.1"
            self.findings.add(written.at, f"`{written.text}` is not a version", hint)
            return None

    def requirement(self, written: Node | None) -> Named | None:
        if not isinstance(written, ScalarNode):
            return None
        hint = "write a name and versions: `intel-openmp >=2025`"
        try:
            requirement = parse_requirement(written.text)
        except RequirementSyntaxError as error:
            self.findings.add(written.at, str(error), hint)
            return None
        if isinstance(requirement, Named):
            return requirement
        self.findings.add(written.at, "a wheel is named, not given by its address", hint)
        return None

    def requires(self) -> list[str]:
        found = []
        for written in self.texts("requires"):
            try:
                found.append(str(parse_requirement(written.text)))
            except RequirementSyntaxError as error:
                self.findings.add(written.at, str(error))
        return found

    def text(self, key: str) -> str:
        value = self.node.get(key)
        return value.text if isinstance(value, ScalarNode) else ""

    def texts(self, key: str) -> tuple[Written, ...]:
        value = self.node.get(key)
        items = value.items if isinstance(value, ListNode) else ()
        return tuple(Written(item.text, item.at) for item in items if isinstance(item, ScalarNode))

    def mapping(self, key: str) -> dict[str, Written]:
        value = self.node.get(key)
        entries = value.entries if isinstance(value, MappingNode) else ()
        return {
            entry.key.text: Written(entry.value.text, entry.value.at)
            for entry in entries
            if isinstance(entry.value, ScalarNode)
        }
