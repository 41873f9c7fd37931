"""What a lock is made from, in words: the part of an environment file that its digest covers."""

from typing import TypeAlias

from envmgr.spec.addresses import without_credentials
from envmgr.spec.runtimes import VENDORED
from envmgr.spec.types import EnvironmentSpec, IndexSpec, PythonRange

Inputs: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]


def inputs_of(spec: EnvironmentSpec) -> Inputs:
    """Return the file's keys that decide a resolution, each with its values as text.

    Keys without values are left out. Only the order of the indexes means something.
    """
    python = spec.python.specifier if isinstance(spec.python, PythonRange) else spec.python.path
    stated = {
        "python": (str(python),),
        "indexes": tuple(map(_index_text, spec.indexes)),
        "dependencies": _sorted_texts(spec.dependencies),
        **{f"groups.{name}": _sorted_texts(spec.groups[name]) for name in sorted(spec.groups)},
        "constraints": _sorted_texts(spec.constraints),
        "overrides": _sorted_texts(spec.overrides),
        "prereleases": _sorted_texts(spec.prereleases),
        "runtimes": tuple(
            f"{family} = {wish.implementation}"
            for family, wish in sorted(spec.runtimes.families.items())
            if wish.implementation not in (None, VENDORED)
        ),
        "exclude-newer": (spec.exclude_newer.isoformat(),) if spec.exclude_newer else (),
    }
    return tuple((key, values) for key, values in stated.items() if any(values))


def _sorted_texts(values: tuple[object, ...] | frozenset[object]) -> tuple[str, ...]:
    return tuple(sorted(map(str, values)))


def _index_text(index: IndexSpec) -> str:
    reserved = f" for {', '.join(index.packages)}" if index.packages else ""
    return f"{index.name} {without_credentials(index.shown_url)}{reserved}"
