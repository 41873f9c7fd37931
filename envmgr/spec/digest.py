"""What an environment file says, as digests: of the resolution, the view and the activation.

The canonical form is JSON (sorted keys, no spaces, UTF-8) of the keys that the
table of keys assigns to a digest. A key that is absent, or has its default, is
left out, so that a key added later does not change the digest of files without
it. Order counts for ``indexes`` and ``conflicts`` only.
"""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TypeAlias

from envmgr.spec.keys import KEYS, Digest
from envmgr.spec.runtimes import VENDORED, RuntimeWish
from envmgr.spec.types import Dependency, EnvironmentSpec, IndexSpec, PythonPath, PythonSpec

CANONICAL_VERSION = 1
"""Raised when the canonical form changes; then every lock is stale."""

_Canonical: TypeAlias = "str | list[_Canonical] | dict[str, _Canonical] | None"


def resolution_digest(spec: EnvironmentSpec) -> str:
    """Return ``sha256:<hex>`` of everything that decides what is resolved."""
    return _digest(spec, Digest.RESOLUTION)


def view_digest(spec: EnvironmentSpec) -> str:
    """Return ``sha256:<hex>`` of everything that decides how the packages are laid out."""
    return _digest(spec, Digest.VIEW)


def activation_digest(spec: EnvironmentSpec) -> str:
    """Return ``sha256:<hex>`` of everything that activation sets."""
    return _digest(spec, Digest.ACTIVATION)


def canonical_form(spec: EnvironmentSpec, digest: Digest) -> str:
    """Return the text that a digest is of."""
    forms = {**_FORMS, **_RESOLUTION_FORMS} if digest is Digest.RESOLUTION else _FORMS
    kept = {
        key.name: value
        for key in KEYS
        if key.supported and digest in key.digests
        if (value := forms[key.name](spec))
    }
    head = f"envmgr {digest.value} {CANONICAL_VERSION}\n"
    return head + json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _digest(spec: EnvironmentSpec, digest: Digest) -> str:
    return f"sha256:{sha256(canonical_form(spec, digest).encode()).hexdigest()}"


def _python(spec: EnvironmentSpec) -> _Canonical:
    python: PythonSpec = spec.python
    if not isinstance(python, PythonPath):
        return str(python.specifier)
    directory = spec.source.parent
    inside = python.path.is_relative_to(directory)
    return f"path {python.path.relative_to(directory) if inside else python.path}"


def _index(index: IndexSpec) -> _Canonical:
    packages: list[_Canonical] = [*sorted(set(index.packages))]
    return {"name": index.name, "url": index.shown_url, "packages": packages}


def _requirements(requirements: tuple[Dependency, ...]) -> list[_Canonical]:
    return [*sorted(set(map(str, requirements)))]


def _groups(spec: EnvironmentSpec) -> _Canonical:
    return {name: _requirements(group) for name, group in spec.groups.items()}


def _exclude_newer(spec: EnvironmentSpec) -> _Canonical:
    return None if spec.exclude_newer is None else spec.exclude_newer.isoformat()


def _runtimes(spec: EnvironmentSpec) -> _Canonical:
    if spec.runtimes.vendored:
        return VENDORED
    return {
        family: [wish.implementation, wish.host, [*sorted(wish.apart)]]
        for family, wish in spec.runtimes.families.items()
        if wish != RuntimeWish()
    }


def _runtime_choices(spec: EnvironmentSpec) -> _Canonical:
    """Of runtimes, what packages are asked for: neither who keeps a copy, nor the host's."""
    return {
        family: wish.implementation
        for family, wish in spec.runtimes.families.items()
        if wish.implementation not in (None, VENDORED)
    }


_FORMS: Mapping[str, Callable[[EnvironmentSpec], _Canonical]] = {
    "python": _python,
    "indexes": lambda spec: [_index(index) for index in spec.indexes],
    "dependencies": lambda spec: _requirements(spec.dependencies),
    "groups": _groups,
    "constraints": lambda spec: _requirements(spec.constraints),
    "overrides": lambda spec: _requirements(spec.overrides),
    "prereleases": lambda spec: [*sorted(spec.prereleases)],
    "exclude-newer": _exclude_newer,
    "runtimes": _runtimes,
    "link": lambda spec: {name: way.value for name, way in spec.link.items()},
    "conflicts": lambda spec: [[rule.path, rule.keep] for rule in spec.conflicts],
    "variables": lambda spec: dict(spec.variables),
}
"""How each supported key that is part of a digest is written."""

_RESOLUTION_FORMS: Mapping[str, Callable[[EnvironmentSpec], _Canonical]] = {
    "runtimes": _runtime_choices,
}
"""Of keys of which a resolution depends on a part alone."""
