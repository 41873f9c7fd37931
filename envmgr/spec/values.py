"""What single values of an environment file mean: name, python, exclude-newer, variables."""

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from envmgr.names import EnvironmentName, InvalidName, environment_name
from envmgr.spec.foreign import caret_specifier, conda_specifier
from envmgr.spec.nodes import MappingNode, Node, ScalarNode
from envmgr.spec.problems import Findings
from envmgr.spec.reserved import why_reserved
from envmgr.spec.types import PythonPath, PythonRange, PythonSpec

_LONGEST_SPECIFIER = 400


class PythonSpecInvalid(ValueError):
    """A text that names no interpreter."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text, hint)
        self.text = text
        self.hint = hint

    def __str__(self) -> str:
        return f"`{self.text}` is neither a version of Python nor the path of an interpreter"


def parse_python_text(text: str, directory: Path) -> PythonSpec:
    """Read ``python``; a path, which has a ``/``, is relative to ``directory``.

    Raises PythonSpecInvalid.
    """
    text = text.strip()
    if "/" in text:
        if text.startswith("~"):
            raise PythonSpecInvalid(text, "write the path in full: `~` is not expanded here")
        return PythonPath(directory / text)
    try:
        if not text or len(text) > _LONGEST_SPECIFIER:
            raise InvalidSpecifier(text)
        return PythonRange(SpecifierSet(_specifier(text)))
    except InvalidSpecifier:
        raise PythonSpecInvalid(text[:60], _python_hint(text)) from None


def _specifier(text: str) -> str:
    """PEP 440 of what was written: ``3.12`` is every 3.12, ``3.12.1`` only itself."""
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?(?:\.\*)?", text, re.ASCII):
        return conda_specifier(text)
    return f"=={text}" if text[0].isdigit() else text


def _python_hint(text: str) -> str:
    found = re.fullmatch(
        r"(?P<sign>[=^~]|[a-zA-Z]+)?\s*(?P<version>[0-9]+(?:\.[0-9]+){0,2})t?", text
    )
    if found is None or len(text) > _LONGEST_SPECIFIER:
        return 'write a specifier, ">=3.12", or a path with a "/"'
    version = found["version"]
    if text.endswith("t"):
        return "give the path of a free-threaded interpreter: choosing one is not supported yet"
    if found["sign"] == "^":
        return f'write "{caret_specifier(version)}"'
    if (found["sign"] or "").lower() not in {"", "=", "~", "py", "python", "cpython"}:
        return "give the path of the interpreter"
    return f'write "{version}"'


def parse_python(node: Node | None, directory: Path, findings: Findings) -> PythonSpec:
    """Read the key ``python``; any version where it is absent."""
    if isinstance(node, ScalarNode):
        try:
            return parse_python_text(node.text, directory)
        except PythonSpecInvalid as error:
            findings.add(node.at, str(error), error.hint)
    return PythonRange(SpecifierSet())


def parse_name(node: Node | None, source: Path, findings: Findings) -> EnvironmentName:
    """Read the key ``name``, or make one of the file's own name or its directory's."""
    if isinstance(node, ScalarNode):
        try:
            return environment_name(node.text)
        except InvalidName:
            hint = f"write `{_as_name(node.text)}`: a-z, 0-9, _ and -"
            shown = node.text if len(node.text) <= 40 else f"{node.text[:37]}..."
            findings.add(node.at, f"`{shown}` cannot be the name of an environment", hint)
    return default_name(source)


def default_name(source: Path) -> EnvironmentName:
    """Return the name of an environment whose file says none: ``NAME.yaml``, or its directory."""
    stem = source.stem
    return _as_name(source.parent.name if stem == "environment" else stem)


def _as_name(text: str) -> EnvironmentName:
    name = re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")
    return EnvironmentName(name or "environment")


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def parse_exclude_newer(node: Node | None, findings: Findings) -> datetime | None:
    """Read ``exclude-newer``: a date, to its end in UTC, or a time with its offset (RFC 3339)."""
    if not isinstance(node, ScalarNode):
        return None
    try:
        return parse_instant(node.text)
    except (ValueError, OverflowError):
        shown = node.text if len(node.text) <= 40 else f"{node.text[:37]}..."
        hint = "write a date, 2026-11-01, or a time with its offset, 2026-11-01T12:00:00Z"
        findings.add(node.at, f"`{shown}` is not a date", hint)
    return None


def parse_instant(text: str) -> datetime:
    """Return the first instant that is too late, in UTC. Raises ValueError, OverflowError."""
    if _DATE.fullmatch(text):
        day = date.fromisoformat(text) + timedelta(days=1)
        return datetime.combine(day, time(), UTC)
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    day_text, clock, fraction, offset = found.groups()
    offset = "+00:00" if offset in "Zz" else offset
    fraction = (fraction or "")[:7]
    return datetime.fromisoformat(f"{day_text}T{clock}{fraction}{offset}").astimezone(UTC)


def parse_variables(node: Node | None, findings: Findings) -> dict[str, str]:
    """Read ``variables``; those that would break the environment are problems."""
    variables: dict[str, str] = {}
    for entry in node.entries if isinstance(node, MappingNode) else ():
        name, value = entry.key.text, entry.value
        reason = why_reserved(name)
        if reason is not None:
            findings.add(entry.key.at, f"`variables` cannot set {name}: {reason}", "remove it")
        elif isinstance(value, ScalarNode) and "\0" in value.text:
            findings.add(value.at, f"the value of {name} holds a NUL character", "remove it")
        elif isinstance(value, ScalarNode):
            variables[name] = value.text
    return variables
