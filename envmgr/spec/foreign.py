"""Spellings of other tools, recognised so that the answer can say what to write instead."""

import re
from collections.abc import Callable

_NAME = r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?P<extras>\s*\[[^\]]*\])?"
_VERSION = r"(?P<version>[0-9][0-9A-Za-z.!+_-]*(?:\.\*|\*)?)"

_CHANNEL = r"(?P<channel>[A-Za-z0-9_./-]+)::(?P<rest>.+)"
_BUILD = r"(?P<head>[^=<>!~]+(?:[=<>!~]=?)\s*[0-9][^=\s]*)\s*=\s*[\w.*]+"
_SPACED_BUILD = rf"(?P<head>{_NAME}(?:\s+|\s*=\s*){_VERSION})\s*[=\s]\s*[A-Za-z*][\w.*]*"
_SINGLE = rf"{_NAME}\s*=\s*{_VERSION}"
_SPACED = rf"{_NAME}\s+{_VERSION}"
_CARET = rf"{_NAME}\s*\^\s*(?P<version>[0-9]+(?:\.[0-9]+)*)"
_TILDE = rf"{_NAME}\s*~\s*(?P<version>[0-9]+(?:\.[0-9]+)*)"
_AT = rf"{_NAME}\s*@\s*{_VERSION}"
_REVERSED = rf"{_NAME}\s*=(?P<sign>[<>])\s*{_VERSION}"
_NO_COMMA = rf"{_NAME}\s*[<>=!~]=?\s*[^\s,;]+(\s+[<>=!~]=?\s*[^\s,;]+)+"
_EITHER = rf"{_NAME}[^;@]*\|.*"
_URL = r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://\S+"
_PATH = r"\.{0,2}/\S*|\.{1,2}|[^\s;]+\.whl|[A-Za-z]:\\.*"
_LONGEST = 200
"""Longer texts are nobody's spelling, and would take the patterns long."""
_OPTION = r"-(?:e|r|c|f|i|-[a-z-]+)\b.*"
_HASHES = r"(?P<rest>[^#]*?)(?:\s+--hash[= ]\S+)+"


def translate(text: str) -> str | None:
    """Return what to write instead of a requirement that is not PEP 508, as a hint.

    ``None`` where the text is no known spelling of another tool.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    for pattern, answer in _ANSWERS:
        found = re.fullmatch(pattern, text)
        if found is not None:
            return answer(found)
    if "\N{NO-BREAK SPACE}" in text:
        return "replace the no-break space by an ordinary one"
    return None


def conda_specifier(version: str) -> str:
    """Conda's ``=1.26`` as PEP 440: every version that begins with it."""
    stem = version.removesuffix("*").removesuffix(".")
    return f"=={stem}.*"


def caret_specifier(version: str) -> str:
    """Return ``^1.2`` as PEP 440: below the next change of the first part that is not zero."""
    parts = [int(part) for part in version.split(".")]
    first = next((place for place, part in enumerate(parts) if part), len(parts) - 1)
    upper = [*parts[:first], parts[first] + 1]
    return f">={version},<{'.'.join(map(str, upper))}"


def python_key(specifier: str) -> str:
    """Return the hint for Python itself among the dependencies."""
    return f'write `python: "{specifier}"` as a key of the file'


def _written(name: str, extras: str | None, specifier: str) -> str:
    if name.lower() == "python":
        return python_key(specifier.removeprefix("==").removesuffix(".*"))
    return f"write `{name}{(extras or '').strip()} {specifier}`"


def _versioned(specifier: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
    def answer(found: re.Match[str]) -> str:
        return _written(found["name"], found["extras"], specifier(found["version"]))

    return answer


def _of_channel(found: re.Match[str]) -> str:
    rest = found["rest"]
    inner = translate(rest)
    return f"{inner or f'write `{rest}`'}: conda's channels hold no wheels"


def _without_build(found: re.Match[str]) -> str:
    head = found["head"]
    return f"{translate(head) or f'write `{head}`'}: wheels have no conda builds"


def _exact(version: str) -> str:
    return f"=={version}"


def _reversed(found: re.Match[str]) -> str:
    return _written(found["name"], found["extras"], f"{found['sign']}={found['version']}")


def _with_commas(found: re.Match[str]) -> str:
    spaced = re.sub(r"\s+(?=[<>=!~])", ",", re.sub(r"([<>=!~])\s+", r"\1", found.group()))
    name, _, rest = spaced.partition(",")
    if re.search(r"[<>=!~]", name):
        return f"write `{spaced}`"
    return f"write `{name} {rest}`"


def _of_url(found: re.Match[str]) -> str:
    if found["scheme"] in {"http", "https", "file"}:
        filename = found.group().partition("#")[0].rpartition("/")[2]
        name = filename.partition("-")[0] if filename.endswith(".whl") else "NAME"
        return f"write `{name} @ {found.group()}`"
    return "name a wheel's URL: repositories are not supported yet"


_OPTION_HINTS = (
    (("-e", "--editable"), "remove it: editable installs are not supported yet"),
    (("-r", "--requirement"), "list what that file asks for here"),
    (("-c", "--constraint"), "list what that file says under `constraints:`"),
    (
        ("-i", "--index-url", "--extra-index-url", "-f", "--find-links"),
        "list that address under `indexes:`",
    ),
)


def _of_option(found: re.Match[str]) -> str:
    for options, hint in _OPTION_HINTS:
        if found.group().startswith(options):
            return hint
    return "remove it: pip's options have no meaning here"


def _without_hashes(found: re.Match[str]) -> str:
    return f"write `{found['rest'].strip()}`: the lock has the hashes"


_ANSWERS: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (_OPTION, _of_option),
    (_HASHES, _without_hashes),
    (_URL, _of_url),
    (_PATH, lambda _: "write `NAME @ file:///absolute/path/of/a.whl`"),
    (_CHANNEL, _of_channel),
    (_EITHER, lambda _: "give one range with commas: PEP 440 has no `|`"),
    (_BUILD, _without_build),
    (_SPACED_BUILD, _without_build),
    (_REVERSED, _reversed),
    (_SINGLE, _versioned(conda_specifier)),
    (_SPACED, _versioned(conda_specifier)),
    (_AT, _versioned(_exact)),
    (_CARET, _versioned(caret_specifier)),
    (_TILDE, _versioned(lambda version: f"~={version}" if "." in version else f"=={version}.*")),
    (_NO_COMMA, _with_commas),
)
