"""The data files that envmgr comes with: packages that are known to need their own way of linking.

They are part of the package where envmgr was installed from a wheel, and stand beside
it in a checkout.
"""

from collections.abc import Callable, Set
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from envmgr.names import InvalidName, PackageName, package_name
from envmgr.spec.composer import compose, decode
from envmgr.spec.nodes import ListNode, MappingNode, ScalarNode
from envmgr.spec.problems import FileUnreadable, Findings, RecipeInvalid
from envmgr.spec.scalars import Choice, Flag, SchemaVersion, Text
from envmgr.spec.shapes import Field, ListOf, Record
from envmgr.spec.source import read_source
from envmgr.spec.views import LinkWay

_PACKAGE = Record(
    (
        Field("name", Text(), "the package"),
        Field("versions", Text(), "a specifier (PEP 440); left out: all of them"),
        Field("beside", Text(), "only where this package is there too"),
        Field("way", Choice(("file", "copy", "hardlink")), "how it has to be linked"),
        Field("composed", Flag(), "whether a composition of its libraries does as well"),
        Field("reason", Text(), "why, in one sentence"),
        Field("evidence", Text(), "what was seen to fail, and with which versions"),
    ),
    required=("name", "way", "reason", "evidence"),
    hint="write `- {name: PACKAGE, way: WAY, reason: TEXT, evidence: TEXT}`",
)
_LINKS = Record(
    (
        Field("schema", SchemaVersion(1), "the format of this file"),
        Field("packages", ListOf(_PACKAGE), "packages that cannot be folded"),
    ),
    required=("schema", "packages"),
)

Item = TypeVar("Item")


class KnownLink(Struct, frozen=True):
    """A package that was seen to fail behind folded links, and the way in which it works."""

    name: PackageName
    versions: SpecifierSet
    way: LinkWay
    reason: str
    evidence: str
    beside: PackageName | None = None
    """Without this package in the same environment, folding does no harm."""
    composed: bool = False
    """Whether hard links in a composition do as well, beside all that its libraries look for."""

    def holds_for(self, name: PackageName, version: str, others: Set[PackageName]) -> bool:
        """Tell whether this version of a package is meant; pre-releases count like others.

        ``others`` are the packages of its environment.
        """
        return (
            name == self.name
            and (self.beside is None or self.beside in others)
            and self.versions.contains(version, prereleases=True)
        )


def recipe_path(name: str) -> Path:
    """Return where the file or directory of recipes called ``name`` stands: ``links.yaml``.

    Installed they are part of the package, in a checkout they stand beside it.
    """
    package = Path(__file__).parent.parent
    installed = package / "recipes" / name
    return installed if installed.exists() else package.parent / "recipes" / name


def read_recipe(name: str, file: Path | None = None) -> tuple[bytes, Path]:
    """Read a file that envmgr comes with, or another in its stead. Raises FileUnreadable."""
    path = file or recipe_path(name)
    try:
        return read_source(path), path
    except OSError as error:
        raise FileUnreadable(path, (error.strerror or str(error)).lower()) from None


def read_known_links(file: Path | None = None) -> tuple[KnownLink, ...]:
    """Read ``links.yaml``, the one that envmgr comes with if none is named.

    Raises FileUnreadable, and RecipeInvalid with every problem of the file.
    """
    return parse_known_links(*read_recipe("links.yaml", file))


def parse_known_links(data: bytes, file: Path) -> tuple[KnownLink, ...]:
    """Read the text of a ``links.yaml``. Raises RecipeInvalid with every problem."""
    return parse_list(data, file, _LINKS, "packages", _known)


def parse_list(
    data: bytes,
    file: Path,
    shape: Record,
    key: str,
    parse: Callable[[MappingNode, Findings], Item | None],
) -> tuple[Item, ...]:
    """Read a file of one list of mappings. Raises RecipeInvalid with every problem."""
    findings = Findings(file)
    text = decode(data, findings)
    root = None if text is None else compose(text, findings)
    checked = None if root is None else shape.check(root, "", findings)
    listed = checked.get(key) if isinstance(checked, MappingNode) else None
    items = listed.items if isinstance(listed, ListNode) else ()
    found = [parse(item, findings) for item in items if isinstance(item, MappingNode)]
    known = [each for each in found if each is not None]
    if findings.problems:
        raise RecipeInvalid(file, findings.problems)
    return tuple(known)


def _known(item: MappingNode, findings: Findings) -> KnownLink | None:
    texts = {
        entry.key.text: entry.value for entry in item.entries if isinstance(entry.value, ScalarNode)
    }
    if not {"name", "way", "reason", "evidence"} <= texts.keys():
        return None
    name, versions = texts["name"], texts.get("versions")
    package = read_package(name, findings)
    beside = read_package(texts["beside"], findings) if "beside" in texts else None
    if package is None:
        return None
    try:
        specifier = SpecifierSet("" if versions is None else versions.text)
    except InvalidSpecifier:
        at = name.at if versions is None else versions.at
        findings.add(at, f"the versions of {package} are no specifier (PEP 440)")
        return None
    return KnownLink(
        package,
        specifier,
        LinkWay(texts["way"].text),
        texts["reason"].text,
        texts["evidence"].text,
        beside,
        "composed" in texts and texts["composed"].text.lower() == "true",
    )


def read_package(node: ScalarNode, findings: Findings) -> PackageName | None:
    """Read the name of a package; ``None``, with a finding, where it is none."""
    try:
        return package_name(node.text)
    except InvalidName:
        findings.add(node.at, f"`{node.text}` is not the name of a package")
        return None
