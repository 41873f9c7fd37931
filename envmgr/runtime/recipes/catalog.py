"""Recipes of shared runtimes: one file for each family, checked as a whole.

envmgr comes with some; a site adds its own, of which one with a known family adds to
it, or takes the place of implementations and libraries of the same name.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeVar, cast

from msgspec.structs import replace

from envmgr.runtime.forwarding.spelling import Integers, Spelling, Style
from envmgr.runtime.recipes.bindings import check_bindings, merged_bindings, parse_bindings
from envmgr.runtime.recipes.nodes import flag, mapping_of, mappings, text, texts
from envmgr.runtime.recipes.shape import RUNTIME
from envmgr.runtime.types import (
    EQUAL,
    HOST,
    PRESENT,
    VENDORED,
    Family,
    ForkCall,
    Implementation,
    Library,
    Need,
    Part,
    Provided,
    RuntimeCatalog,
    StaticCopy,
    Variables,
)
from envmgr.spec.composer import compose, decode
from envmgr.spec.nodes import MappingNode, ScalarNode
from envmgr.spec.problems import FileUnreadable, Findings, RecipeInvalid
from envmgr.spec.recipes import recipe_path
from envmgr.spec.source import read_source
from envmgr.wheel.requirement import Named, RequirementSyntaxError, parse_requirement

_LARGEST_ARGUMENT = 0xFFFF
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_TAKEN = (VENDORED, HOST, EQUAL, PRESENT)
_Item = TypeVar("_Item", bound=Library | Implementation)


def read_catalog(directories: Iterable[Path] = ()) -> RuntimeCatalog:
    """Read envmgr's own recipes, then those of ``directories``, which add to them.

    Raises FileUnreadable and RecipeInvalid, with every problem of the first bad file.
    """
    families: dict[str, Family] = {}
    nodes: list[tuple[Path, MappingNode]] = []
    for directory in (recipe_path("runtimes"), *directories):
        for file in recipes_in(directory):
            family, node = _parse(_read(file), file, families)
            known = families.get(family.name)
            families[family.name] = family if known is None else _merged(known, family)
            nodes.append((file, node))
    for file, node in nodes:
        findings = Findings(file)
        _check_references(node, families, findings)
        if findings.problems:
            raise RecipeInvalid(file, findings.problems)
    return RuntimeCatalog(tuple(families[name] for name in sorted(families)))


def recipes_in(directory: Path) -> list[Path]:
    """List the recipes in a directory, in the order in which they are read.

    Raises FileUnreadable.
    """
    try:
        names = [path for path in directory.iterdir() if path.suffix in (".yaml", ".yml")]
    except OSError as error:
        raise FileUnreadable(directory, (error.strerror or str(error)).lower()) from None
    return sorted(names)


def read_family(file: Path, families: Mapping[str, Family] = MappingProxyType({})) -> Family:
    """Read one recipe, which may add to one of ``families``.

    Raises FileUnreadable, RecipeInvalid.
    """
    return parse_family(_read(file), file, families)


def _read(file: Path) -> bytes:
    try:
        return read_source(file)
    except OSError as error:
        raise FileUnreadable(file, (error.strerror or str(error)).lower()) from None


def parse_family(
    data: bytes, file: Path, families: Mapping[str, Family] = MappingProxyType({})
) -> Family:
    """Read the text of a recipe, which may speak of what the family has in ``families``.

    Raises RecipeInvalid with every problem of it.
    """
    return _parse(data, file, families)[0]


def _parse(data: bytes, file: Path, families: Mapping[str, Family]) -> tuple[Family, MappingNode]:
    findings = Findings(file)
    decoded = decode(data, findings)
    root = None if decoded is None else compose(decoded, findings)
    checked = None if root is None else RUNTIME.check(root, "", findings)
    if findings.problems or not isinstance(checked, MappingNode):
        raise RecipeInvalid(file, findings.problems)
    family = _family(checked, findings)
    _check_names(checked, _whole(family, families), findings)
    _check_libraries(checked, family, families, findings)
    check_bindings(checked, _whole(family, families), findings)
    if findings.problems:
        raise RecipeInvalid(file, findings.problems)
    return family, checked


def _whole(family: Family, families: Mapping[str, Family]) -> Family:
    known = families.get(family.name)
    return family if known is None else _merged(known, family)


def _family(node: MappingNode, findings: Findings) -> Family:
    return Family(
        name=text(node, "family"),
        description=text(node, "description"),
        libraries=tuple(map(_library, mappings(node, "libraries"))),
        implementations=tuple(
            _implementation(each, findings) for each in mappings(node, "implementations")
        ),
        automatic=text(node, "automatic") or None,
        support=flag(node, "support"),
        static_copies=tuple(
            StaticCopy(files=texts(each, "files"), what=text(each, "what"))
            for each in mappings(node, "static-copies")
        ),
        bindings=parse_bindings(node, findings),
    )


def _library(node: MappingNode) -> Library:
    written = node.get("spelling")
    return Library(
        name=text(node, "name"),
        files=texts(node, "files"),
        spelling=_spelling(written) if isinstance(written, MappingNode) else None,
    )


def _spelling(node: MappingNode) -> Spelling:
    return Spelling(
        prefix=text(node, "prefix"),
        suffix=text(node, "suffix"),
        integers=cast("Integers", text(node, "integers") or "lp64"),
        style=cast("Style", text(node, "style") or "openblas"),
    )


def _implementation(node: MappingNode, findings: Findings) -> Implementation:
    return Implementation(
        name=text(node, "name"),
        description=text(node, "description"),
        licence=text(node, "licence"),
        wheel=_wheel(node, findings),
        provides=tuple(map(_provided, mappings(node, "provides"))),
        variables=tuple(
            Variables(mapping_of(each, "values"), mapping_of(each, "when"))
            for each in mappings(node, "variables")
        ),
        needs=tuple(
            Need(text(each, "library"), mapping_of(each, "when"))
            for each in mappings(node, "needs")
        ),
        fork=tuple(_fork_call(each, findings) for each in mappings(node, "fork")),
        system=text(node, "system") or None,
        abi=text(node, "abi") or None,
    )


def _fork_call(node: MappingNode, findings: Findings) -> ForkCall:
    arguments = tuple(int(each) for each in texts(node, "arguments"))
    if any(argument > _LARGEST_ARGUMENT for argument in arguments):
        findings.add(node.at, f"an argument is larger than {_LARGEST_ARGUMENT}")
    return ForkCall(
        call=text(node, "call"),
        arguments=arguments,
        place=cast('Literal["before", "child"]', text(node, "place")),
        when=mapping_of(node, "when"),
    )


def _provided(node: MappingNode) -> Provided:
    copy_of = text(node, "copy-of")
    also = texts(node, "stands-for")
    return Provided(
        copy_of=copy_of,
        file=text(node, "file"),
        stands_for=(copy_of, *also) if copy_of else also,
        spellings=tuple(map(_spelling, mappings(node, "spellings"))),
        parts=tuple(
            Part(text(each, "file"), mapping_of(each, "when")) for each in mappings(node, "parts")
        ),
    )


def _wheel(node: MappingNode, findings: Findings) -> Named | None:
    written = node.get("wheel")
    if not isinstance(written, ScalarNode):
        return None
    try:
        wheel = parse_requirement(written.text)
    except RequirementSyntaxError as error:
        findings.add(written.at, str(error), "write a name and versions: `mkl >=2024`")
        return None
    if not isinstance(wheel, Named):
        findings.add(written.at, "a wheel is named, not given by its address")
        return None
    return wheel


def _check_names(node: MappingNode, family: Family, findings: Findings) -> None:
    """Find what is named and not there, and what is there twice."""
    libraries = [library.name for library in family.libraries]
    implementations = [each.name for each in family.implementations]
    _check_twice(node, "libraries", findings)
    _check_twice(node, "implementations", findings)
    automatic = node.get("automatic")
    if family.automatic not in (None, EQUAL, PRESENT, *implementations):
        at = automatic.at if automatic else node.at
        hint = f"write one of {', '.join((EQUAL, PRESENT, *implementations))}"
        findings.add(at, f"the family has no implementation `{family.automatic}`", hint)
    _check_name(node, "family", findings)
    for implementation in mappings(node, "implementations"):
        _check_name(implementation, "name", findings)
        for provided in mappings(implementation, "provides"):
            _check_provided(provided, implementation, libraries, findings)


def _check_name(node: MappingNode, key: str, findings: Findings) -> None:
    """Find a name that environment files cannot give, or that means something else there."""
    name, value = text(node, key), node.get(key)
    if value is not None and _NAME.fullmatch(name) is None:
        hint = "use lower-case letters, digits, `-` and `_`, a letter first"
        findings.add(value.at, f"`{name}` cannot be a name here", hint)
    elif value is not None and name in _TAKEN:
        findings.add(value.at, f"nothing can be called `{name}`", "choose another name")


def _check_provided(
    node: MappingNode, implementation: MappingNode, libraries: list[str], findings: Findings
) -> None:
    copy, file = text(node, "copy-of"), text(node, "file")
    for wanted in (copy, *texts(node, "stands-for")):
        if wanted and wanted not in libraries:
            hint = f"write one of {', '.join(libraries)}"
            findings.add(node.at, f"the family has no library `{wanted}`", hint)
    if bool(copy) == bool(file):
        hint = "`copy-of` takes a copy of a package, `file` one of the wheel"
        findings.add(node.at, "one of `copy-of` and `file` is needed", hint)
    elif file and implementation.get("wheel") is None:
        hint = "add `wheel: NAME`, or write `copy-of: LIBRARY`"
        findings.add(node.at, "`file` is of a wheel, and the implementation names none", hint)


def _check_libraries(
    node: MappingNode, family: Family, families: Mapping[str, Family], findings: Findings
) -> None:
    """Find libraries that another family has: a file would be a copy of either."""
    others = {
        library.name: other.name
        for other in families.values()
        for library in other.libraries
        if other.name != family.name
    }
    for each in mappings(node, "libraries"):
        other = others.get(text(each, "name"))
        if other is not None:
            hint = f"add to that family, with `family: {other}`, or use another name"
            findings.add(each.at, f"{text(each, 'name')} is a library of {other}", hint)


def _check_references(
    node: MappingNode, families: Mapping[str, Family], findings: Findings
) -> None:
    """Find what is said of other families, and that no recipe knows."""
    known = {library.name for family in families.values() for library in family.libraries}
    for implementation in mappings(node, "implementations"):
        parts = (
            each for p in mappings(implementation, "provides") for each in mappings(p, "parts")
        )
        needs = mappings(implementation, "needs")
        others = (*mappings(implementation, "variables"), *mappings(implementation, "fork"))
        for need in needs:
            if text(need, "library") not in known:
                findings.add(need.at, f"no family has a library `{text(need, 'library')}`")
        for each in (*needs, *others, *parts):
            for name, word in mapping_of(each, "when").items():
                family = families.get(name)
                if family is None:
                    hint = f"write one of {', '.join(sorted(families))}"
                    findings.add(each.at, f"no recipe has the family `{name}`", hint)
                elif word != VENDORED and family.implementation(word) is None:
                    hint = "write one of its implementations, or `vendored`"
                    findings.add(each.at, f"{name} has no implementation `{word}`", hint)


def _check_twice(node: MappingNode, key: str, findings: Findings) -> None:
    seen: set[str] = set()
    for each in mappings(node, key):
        name = text(each, "name")
        if name in seen:
            findings.add(each.at, f"`{key}` has {name} twice", "keep one of the two")
        seen.add(name)


def _merged(known: Family, added: Family) -> Family:
    """Let a site's recipe add to a family, or replace parts of it by their names."""
    return replace(
        known,
        description=added.description,
        automatic=added.automatic or known.automatic,
        libraries=_by_name(known.libraries, added.libraries),
        implementations=_by_name(known.implementations, added.implementations),
        static_copies=(*known.static_copies, *added.static_copies),
        bindings=merged_bindings(known.bindings, added.bindings),
    )


def _by_name(known: tuple[_Item, ...], added: tuple[_Item, ...]) -> tuple[_Item, ...]:
    return tuple({each.name: each for each in (*known, *added)}.values())
