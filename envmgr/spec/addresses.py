"""The addresses of indexes: variables, credentials, paths."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_AUTHORITY = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<user>[^/?#]*)@(?P<rest>.*)", re.DOTALL
)
_USER = re.compile(r"(?<=:)//[^/?#\s]*@")
_HOST_LIKE = re.compile(r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?::[0-9]+)?(?:/.*)?")


class AddressInvalid(ValueError):
    """An index address that cannot be used; never quotes a secret. ``offset`` counts from 0."""

    def __init__(self, reason: str, hint: str | None = None, offset: int | None = None) -> None:
        super().__init__(reason, hint, offset)
        self.reason = reason
        self.hint = hint
        self.offset = offset

    def __str__(self) -> str:
        return self.reason


def parse_address(text: str, directory: Path, expand: Mapping[str, str]) -> tuple[str, str]:
    """Return an index's URL, and how it is shown: unexpanded and without literal credentials.

    ``http(s)`` URLs get a trailing slash, ``file`` URLs lose theirs. A path is
    made absolute against ``directory``. A variable's value is percent-encoded
    where it stands for a user or a password. Raises AddressInvalid.
    """
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        return _finish(_expanded(text, expand), text, directory)
    scheme, user, rest = found["scheme"], found["user"], found["rest"]
    if has_password(f"{user}@"):
        hint = "put it in netrc, or in a variable: ${ENVMGR_PASSWORD}"
        raise AddressInvalid("the URL holds a password", hint)
    secret = _expanded(user, expand, len(scheme), quoted=True)
    place = _expanded(rest, expand, found.start("rest"))
    address = f"{scheme}{secret}@{place}"
    shown = text if "${" in user else f"{scheme}{rest}"
    return _finish(address, shown, directory)


def without_credentials(text: str) -> str:
    """Return a text without the users and passwords that URLs in it hold."""
    return _USER.sub("//", text)


def has_password(authority: str) -> bool:
    """Whether the part of a URL before the path spells out a password."""
    user, at, _ = authority.rpartition("@")
    password = user.partition(":")[2]
    return bool(at) and bool(_VARIABLE.sub("", password))


def _expanded(text: str, expand: Mapping[str, str], begin: int = 0, *, quoted: bool = False) -> str:
    """Put in the variables of a part that begins at ``begin`` of the whole."""

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in expand:
            reason, hint = _why_not_expanded(name)
            raise AddressInvalid(reason, hint, begin + found.start())
        return quote(expand[name], safe="") if quoted else expand[name]

    expanded = _VARIABLE.sub(value, text)
    if "${" in _VARIABLE.sub("", text):
        raise AddressInvalid("a `${` is not closed", "write ${NAME}", begin + text.rfind("${"))
    return expanded


def _why_not_expanded(name: str) -> tuple[str, str]:
    if not _NAME.fullmatch(name):
        return f"`${{{name}}}` names no variable", "write ${ENVMGR_NAME}: letters, digits and _"
    if name.startswith("ENVMGR_"):
        return f"the variable {name} is not set", f"set {name}, or write the URL without it"
    hint = f"rename it to ENVMGR_{name}, or allow it: `expand: [{name}]` in your config.yaml"
    return f"the variable {name} is not set, or may not be used here", hint


def _finish(address: str, shown: str, directory: Path) -> tuple[str, str]:
    if not address or not address.isprintable():
        raise AddressInvalid("an address is neither empty nor holds control characters")
    if "\\" in address:
        raise AddressInvalid("a `\\` separates nothing here", "write `/`")
    if "://" not in address and not address.lower().startswith("file:"):
        return _of_path(address, shown, directory), shown
    if any(character in address for character in "?# "):
        raise AddressInvalid("the address of an index has no `?`, no `#` and no space", "remove it")
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise AddressInvalid("this is not a URL") from None
    if parts.scheme == "file":
        return _of_file(parts.netloc, parts.path), _without_slash(shown)
    if parts.scheme not in {"http", "https"}:
        hint = "write an https:, http: or file: URL, or the path of a directory"
        raise AddressInvalid(f"an index cannot be asked by `{parts.scheme}:`", hint)
    if not parts.hostname:
        raise AddressInvalid("the URL names no host")
    return _with_slash(address), shown if shown.endswith("}") else _with_slash(shown)


def _of_file(host: str, path: str) -> str:
    if host not in {"", "localhost"} or not path.startswith("/"):
        raise AddressInvalid("a file: URL must hold an absolute path", "write file:///directory")
    return f"file://{_without_slash(path)}"


def _of_path(path: str, shown: str, directory: Path) -> str:
    if path.startswith("~"):
        raise AddressInvalid("`~` is not expanded here", "write the path in full")
    if _HOST_LIKE.fullmatch(path) and not path.startswith("."):
        hint = f"write https://{shown}, or ./{shown} for a directory"
        raise AddressInvalid("the URL has no scheme", hint)
    return (directory / path).as_uri()


def _with_slash(url: str) -> str:
    return url.rstrip("/") + "/"


def _without_slash(text: str) -> str:
    return text.rstrip("/") or "/"
