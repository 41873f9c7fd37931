"""How versions and their exclusions read in a sentence."""

import re
from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct
from packaging.version import Version

from envmgr.index.types import (
    NoCompatibleTag,
    PythonMismatch,
    SourceOnly,
    UnsupportedVariant,
    UnusableMetadata,
    UploadedTooLate,
    UploadTimeUnknown,
)
from envmgr.resolve.package import (
    AsksForUrl,
    ContradictsItself,
    PrereleaseNotAllowed,
    Refusal,
    WithheldReason,
)
from envmgr.target.types import Target

RANGES_SHOWN = 4
_WORD_AND_NUMBER = re.compile(r"([^0-9]*)([0-9]*)")


def listed(items: Sequence[str]) -> str:
    """Join ``a``, ``a and b``, ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


class Versions(Struct, frozen=True):
    """A set of versions as text, and whether a verb for it is plural."""

    text: str
    plural: bool
    unbroken: bool
    """Whether it is one run among the versions there are."""

    def agreeing(self, one: str, many: str) -> str:
        """Return the form of a verb that agrees with the versions."""
        return many if self.plural else one


def ranged(some: Collection[Version], of: Iterable[Version]) -> Versions:
    """Write ``some`` as runs among all there are: ``1.0 to 1.4 and 2.0``. ``some`` is not empty."""
    runs: list[list[Version]] = []
    broken = True
    for version in sorted(set(of) | set(some)):
        if version not in some:
            broken = True
        elif broken:
            runs.append([version])
            broken = False
        else:
            runs[-1].append(version)
    texts = [_run(run) for run in runs]
    if len(texts) > RANGES_SHOWN:
        rest = sum(map(len, runs[RANGES_SHOWN - 1 :]))
        texts = [*texts[: RANGES_SHOWN - 1], f"{rest} more"]
    return Versions(listed(texts), len(some) > 1, len(runs) == 1)


def _run(run: Sequence[Version]) -> str:
    if len(run) == 1:
        return str(run[0])
    return f"{run[0]} {'and' if len(run) == 2 else 'to'} {run[-1]}"


def withheld_because(reasons: Sequence[WithheldReason], target: Target, *, plural: bool) -> str:
    """Complete ``... exists but ...`` for reasons of one kind."""
    first = reasons[0]
    match first:
        case NoCompatibleTag():
            tags = [tag for r in reasons if isinstance(r, NoCompatibleTag) for tag in r.tags]
            have = "have" if plural else "has"
            return f"{have} no wheel for {described(target)}{_built_for(tags, target)}"
        case PythonMismatch(requires_python):
            require = "require" if plural else "requires"
            return f"{require} Python {requires_python}"
        case SourceOnly():
            return (
                "come only as source distributions"
                if plural
                else ("comes only as a source distribution")
            )
        case UploadedTooLate():
            times = [r.uploaded for r in reasons if isinstance(r, UploadedTooLate)]
            were = "were" if plural else "was"
            return f"{were} uploaded too late for exclude-newer ({min(times).date()})"
        case UploadTimeUnknown():
            have = "have" if plural else "has"
            return f"{have} no upload time, without which exclude-newer cannot be kept"
        case UnsupportedVariant():
            labels = [
                label for r in reasons if isinstance(r, UnsupportedVariant) for label in r.labels
            ]
            come = "come" if plural else "comes"
            shown = _span(sorted(set(labels)))
            return f"{come} only as variant wheels ({shown}), which cannot be chosen yet"
        case UnusableMetadata(reason):
            return f"{'have' if plural else 'has'} unusable metadata: {reason}"
        case PrereleaseNotAllowed():
            return (
                "are pre-releases, which are not allowed"
                if plural
                else ("is a pre-release, which is not allowed")
            )


def refused_because(refusal: Refusal, target: Target, *, plural: bool) -> str:
    """Complete ``NAME VERSIONS ...`` for what was found in metadata."""
    match refusal:
        case UnusableMetadata(reason):
            return f"{'have' if plural else 'has'} unusable metadata: {reason}"
        case PythonMismatch(requires_python):
            require = "require" if plural else "requires"
            return f"{require} Python {requires_python}, and this is {target.python_version}"
        case AsksForUrl(requirement):
            asks = "ask" if plural else "asks"
            return f"{asks} for {requirement}, which only the file itself may do"
        case ContradictsItself(requirement):
            asks = "ask" if plural else "asks"
            return f"{asks} for {requirement}, and so for another version of the same package"


def described(target: Target) -> str:
    """Return ``Python 3.13 on linux x86_64``."""
    markers = target.markers
    place = " ".join(filter(None, (markers["sys_platform"], markers["platform_machine"])))
    return f"Python {markers['python_version']} on {place}"


def _built_for(tags: Iterable[str], target: Target) -> str:
    """Say what wheels there are for: Pythons where the platform fits, else platforms."""
    whole = [tuple(tag.split("-")) for tag in tags if tag.count("-") == 2]
    if not whole:
        return ""
    platforms = {tag.rpartition("-")[2] for tag in target.tags}
    near = [part for part in whole if not platforms.isdisjoint(part[2].split("."))]
    own = {tag.split("-")[0] for tag in target.tags[:1]}
    if not near:
        shown = {part[2] for part in whole}
    elif own.isdisjoint(python for python, _, _ in near):
        shown = {python for python, _, _ in near}
    else:
        shown = {f"{python}-{abi}" for python, abi, _ in near}
    return f": built for {_span(sorted(shown, key=_natural))}"


def _span(items: Sequence[str]) -> str:
    return ", ".join(items) if len(items) <= 3 else f"{items[0]} … {items[-1]}"


def _natural(text: str) -> list[tuple[str, int]]:
    """Sort ``cp38`` before ``cp311``."""
    return [(word, int(number or 0)) for word, number in _WORD_AND_NUMBER.findall(text)]
