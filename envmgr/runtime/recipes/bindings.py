"""``works-with`` in recipes: packages that work only with some implementations of a family."""

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from envmgr.names import InvalidName, package_name
from envmgr.runtime.recipes.nodes import mappings, text, texts
from envmgr.runtime.types import HOST, Binding, Family
from envmgr.spec.nodes import MappingNode
from envmgr.spec.problems import Findings


def parse_bindings(node: MappingNode, findings: Findings) -> tuple[Binding, ...]:
    """Read ``works-with`` of a recipe whose structure was checked."""
    found = (_binding(each, findings) for each in mappings(node, "works-with"))
    return tuple(each for each in found if each is not None)


def _binding(node: MappingNode, findings: Findings) -> Binding | None:
    versions, name = node.get("versions"), node.get("package")
    try:
        package = package_name(text(node, "package"))
    except InvalidName:
        at = node.at if name is None else name.at
        findings.add(at, f"`{text(node, 'package')}` is not the name of a package")
        return None
    try:
        specifier = SpecifierSet(text(node, "versions"))
    except InvalidSpecifier:
        at = node.at if versions is None else versions.at
        findings.add(at, f"the versions of {package} are no specifier (PEP 440)")
        return None
    return Binding(
        package=package,
        versions=specifier,
        implementations=texts(node, "implementations"),
        abis=texts(node, "abis"),
        reason=text(node, "reason"),
        source=str(findings.file),
    )


def check_bindings(node: MappingNode, family: Family, findings: Findings) -> None:
    """Find what ``works-with`` names and the family has not."""
    implementations = [each.name for each in family.implementations]
    abis = sorted({each.abi for each in family.implementations if each.abi is not None})
    bindings = mappings(node, "works-with")
    if bindings and not abis:
        hint = "leave it out: in this family links decide, for each package"
        findings.add(bindings[0].at, f"no implementation of {family.name} tells an ABI", hint)
        return
    for binding in bindings:
        named, needed = texts(binding, "implementations"), texts(binding, "abis")
        if bool(named) == bool(needed):
            hint = "`abis` names SONAMEs, `implementations` what environment files call them"
            findings.add(binding.at, "one of `abis` and `implementations` is needed", hint)
        for name in named:
            if name not in (*implementations, HOST):
                hint = f"write one of {', '.join((*implementations, HOST))}"
                findings.add(binding.at, f"the family has no implementation `{name}`", hint)
        for abi in needed:
            if abi not in abis:
                hint = f"write one of {', '.join(abis)}"
                findings.add(binding.at, f"no implementation has the ABI `{abi}`", hint)


def merged_bindings(known: tuple[Binding, ...], added: tuple[Binding, ...]) -> tuple[Binding, ...]:
    """Let what a site's recipe says of a package take the place of what was known of it."""
    told = {each.package for each in added}
    return (*(each for each in known if each.package not in told), *added)
