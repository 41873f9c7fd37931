"""Where an environment file's lock stands (PEP 751, File Name)."""

import re
from hashlib import sha256
from pathlib import Path

_DEFAULT_STEM = "environment"
_SUFFIXES = (".yaml", ".yml")
_UNUSABLE = re.compile(r"[^a-z0-9_-]+")


def lock_path(environment_file: Path, target: str | None = None) -> Path:
    """Name the lock beside ``environment_file``, for one of its ``targets`` or for none.

    ``environment.yaml`` has ``pylock.toml`` and ``pylock.<target>.toml``, any other
    ``NAME.yaml`` ``pylock.<name>.toml`` and ``pylock.<name>-<target>.toml``. Tools refuse
    a second dot in the name, and capitals.
    """
    stem = _stem(environment_file.name)
    parts = [] if stem == _DEFAULT_STEM else [_spelled(stem)]
    if target is not None:
        parts.append(_spelled(target))
    name = "-".join(parts)
    return environment_file.with_name(f"pylock.{name}.toml" if name else "pylock.toml")


def _stem(filename: str) -> str:
    for suffix in _SUFFIXES:
        if filename.endswith(suffix) and filename != suffix:
            return filename.removesuffix(suffix)
    return filename


def _spelled(text: str) -> str:
    """Write ``text`` with ``[a-z0-9_-]`` only; what has none of these gets a name of its own."""
    spelled = _UNUSABLE.sub("-", text.lower()).strip("-")
    return spelled or sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
