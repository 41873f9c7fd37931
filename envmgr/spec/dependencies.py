"""Lists of requirements: what each text means, and what to write where it means nothing."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from packaging.markers import Marker, UndefinedComparison

from envmgr.names import GroupName, InvalidName, PackageName, group_name, normalized, package_name
from envmgr.spec.addresses import has_password, without_credentials
from envmgr.spec.foreign import python_key, translate
from envmgr.spec.nodes import ListNode, MappingNode, Node, ScalarNode
from envmgr.spec.problems import Findings
from envmgr.spec.types import Dependency, Places
from envmgr.wheel.requirement import Direct, Named, RequirementSyntaxError, parse_requirement

LONGEST_REQUIREMENT = 4000
"""In characters."""
_DEEPEST_MARKER = 50
"""Parentheses of one marker; packaging's parser recurses."""


def parse_dependencies(node: Node | None, findings: Findings) -> tuple[Dependency, ...]:
    """Read ``dependencies``, or one group of ``groups``."""
    return tuple(
        dependency
        for text in _texts(node)
        if (dependency := parse_dependency(text, findings)) is not None
    )


def parse_groups(node: Node | None, findings: Findings) -> dict[GroupName, tuple[Dependency, ...]]:
    """Read ``groups``. Names are normalised (PEP 735); two that become one are a problem."""
    groups: dict[GroupName, tuple[Dependency, ...]] = {}
    written: dict[GroupName, str] = {}
    for entry in node.entries if isinstance(node, MappingNode) else ():
        name = group_name(entry.key.text.rstrip("\n"))
        if name in groups:
            message = f"the groups `{written[name]}` and `{entry.key.text}` are one: `{name}`"
            findings.add(entry.key.at, message, "rename one of them, or join their lists")
            continue
        written[name] = entry.key.text
        groups[name] = parse_dependencies(entry.value, findings)
    return groups


def places_of(file: MappingNode) -> Places:
    """Return where each requirement of ``dependencies`` and ``groups`` stands.

    Parallel to what is read of them in a file without problems.
    """
    groups = file.get("groups")
    return Places(
        tuple(text.at for text in _texts(file.get("dependencies"))),
        {
            group_name(entry.key.text.rstrip("\n")): tuple(text.at for text in _texts(entry.value))
            for entry in (groups.entries if isinstance(groups, MappingNode) else ())
        },
    )


def parse_limits(node: Node | None, key: str, findings: Findings) -> tuple[Named, ...]:
    """Read ``constraints`` or ``overrides``: requirements on versions, without extras or URLs."""
    limits: list[Named] = []
    for text in _texts(node):
        limit = parse_dependency(text, findings)
        if isinstance(limit, Direct):
            message = f"`{key}` takes versions, not the URL of a wheel"
            findings.add(text.at, message, "list the wheel under `dependencies:`")
        elif limit is not None and limit.extras is not None:
            message = f"`{key}` takes no extras, and this has [{', '.join(sorted(limit.extras))}]"
            findings.add(text.at, message, f"write `{limit.name}` without them")
        elif limit is not None:
            limits.append(limit)
    return tuple(limits)


def parse_prereleases(node: Node | None, findings: Findings) -> frozenset[PackageName]:
    """Read ``prereleases``: a list of names, alone or under ``allow``."""
    listed = node.get("allow") if isinstance(node, MappingNode) else node
    names: set[PackageName] = set()
    for text in _texts(listed):
        try:
            names.add(package_name(text.text))
        except InvalidName:
            found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", text.text)
            hint = f"write `{normalized(found.group())}`: a name and no version" if found else None
            findings.add(text.at, f"`{text.text}` is not the name of a package", hint)
    return frozenset(names)


def parse_dependency(node: ScalarNode, findings: Findings) -> Dependency | None:
    """Read one requirement; ``None`` where it is none, and then there is a problem."""
    text = node.text.strip()
    if len(text) > LONGEST_REQUIREMENT or text.count("(") > _DEEPEST_MARKER:
        findings.add(node.at, "this requirement is too long or too deep to be one", None)
        return None
    try:
        dependency = parse_requirement(text)
    except RequirementSyntaxError as error:
        _complain(node, text, error, findings)
        return None
    sound = _check_direct(node, dependency, findings) if isinstance(dependency, Direct) else True
    if dependency.name == "python":
        written = str(dependency.specifier) if isinstance(dependency, Named) else ""
        hint = python_key(written or ">=3.12")
        findings.add(node.at, "Python itself is not a package of an index", hint)
        return None
    return dependency if sound and _check_marker(node, dependency.marker, findings) else None


def _texts(node: Node | None) -> Iterator[ScalarNode]:
    """Yield the requirements of a checked list; a mapping's is its ``package``."""
    for item in node.items if isinstance(node, ListNode) else ():
        text = item.get("package") if isinstance(item, MappingNode) else item
        if isinstance(text, ScalarNode):
            yield text


def _complain(
    node: ScalarNode, text: str, error: RequirementSyntaxError, findings: Findings
) -> None:
    safe = without_credentials(text)
    shown = safe if len(safe) <= 60 else f"{safe[:57]}..."
    hint = translate(safe)
    if hint is not None:
        findings.add(node.at, f"`{shown}` is not a requirement (PEP 508)", hint)
        return
    if not text:
        findings.add(node.at, "this requirement is empty", "remove it")
        return
    indent = len(node.text) - len(node.text.lstrip())
    column = None if error.column is None else indent + min(error.column, len(text))
    reason = error.reason.lower().replace("_", " ")
    message = f"`{shown}` is not a requirement (PEP 508): {reason}"
    in_marker = -1 < text.find(";") < (error.column or 0)
    findings.add(node.column(column), message, _MARKER_HINT if in_marker else _VERSION_HINT)


_VERSION_HINT = "write it as `name >=1.0,<2`"
_MARKER_HINT = 'write a marker as `; python_version < "3.12"` or `; sys_platform == "linux"`'


_EXTRA = re.compile(r"""("[^"]*"|'[^']*')|\b(?:extras?|dependency_groups)\b""")


def _check_marker(node: ScalarNode, marker: Marker | None, findings: Findings) -> bool:
    """``extra`` has a value only in a package's own metadata (PEP 508)."""
    if marker is None:
        return True
    used = next((hit for hit in _EXTRA.finditer(str(marker)) if not hit.group(1)), None)
    if used is None:
        return _check_operators(node, marker, findings)
    message = f"`{used.group()}` in a marker has no meaning in an environment file"
    findings.add(node.at, message, "use `groups:` for what is wanted only sometimes")
    return False


def _check_operators(node: ScalarNode, marker: Marker, findings: Findings) -> bool:
    """Find operators that are not defined for what they compare: ``os_name ~= "x"`` (PEP 508)."""
    try:
        marker.evaluate(dict.fromkeys(_VARIABLES, "0"))
    except UndefinedComparison:
        message = f"`{marker}` compares in a way that has no meaning (PEP 508)"
        findings.add(node.at, message, "compare text with == or !=")
        return False
    return True


_VARIABLES = (
    "implementation_name", "implementation_version", "os_name", "platform_machine",
    "platform_python_implementation", "platform_release", "platform_system",
    "platform_version", "python_full_version", "python_version", "sys_platform",
)  # fmt: skip


def _check_direct(node: ScalarNode, direct: Direct, findings: Findings) -> bool:
    """Only wheels, of the package's own name, by ``https:``, ``http:`` or ``file:``."""
    at = node.column(node.text.find(direct.url))
    found = _why_not_direct(direct)
    if found is not None:
        findings.add(at, *found)
        return False
    return True


_SCHEMES = "write a URL that begins with https:, http: or file:///"


def _why_not_direct(direct: Direct) -> tuple[str, str | None] | None:
    if "${" in direct.url:
        hint = "write the URL out; put credentials in netrc"
        return "variables are expanded in the URLs of indexes only", hint
    try:
        parts = urlsplit(direct.url)
        secret = has_password(parts.netloc)
    except ValueError as error:
        return f"this is not a URL: {error}", None
    if "+" in parts.scheme:
        return f"`{parts.scheme}` is not supported yet", "give the URL of a wheel"
    if parts.scheme not in {"http", "https", "file"}:
        hint = translate(f"{direct.name} @ {direct.url}") or _SCHEMES
        shown = without_credentials(direct.url)
        return f"`{shown}` is not the URL of a wheel", hint
    if secret:
        return "the URL holds a password", "remove it, and put it in netrc"
    if parts.scheme == "file" and (parts.netloc not in {"", "localhost"} or parts.path[:1] != "/"):
        return "a file: URL must hold an absolute path", "write file:///absolute/path/of/a.whl"
    if parts.scheme != "file" and not parts.hostname:
        return "the URL names no host", None
    return _why_not_wheel(direct, parts.path.rpartition("/")[2])


def _why_not_wheel(direct: Direct, filename: str) -> tuple[str, str | None] | None:
    if not filename.endswith(".whl"):
        shown = filename or direct.url
        return f"`{shown}` is not a wheel", "give the URL of a file that ends in .whl"
    theirs = normalized(filename.partition("-")[0])
    if theirs != direct.name:
        return f"the wheel is of `{theirs}`, not of `{direct.name}`", f"write `{theirs} @ ...`"
    return None
