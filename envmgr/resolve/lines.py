"""The ``Requires-Dist`` lines of a wheel, sorted by what makes them count.

A wheel may list hundreds of lines for extras nobody asked for. Those are set
aside by their text, since parsing them would cost more than the resolution.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct, field

from envmgr.names import ExtraName, InvalidName, extra_name

_ONLY_GATE = re.compile(r"""\s*extra\s*==\s*(["'])([^"']+)\1\s*""")
_GATE = re.compile(r"""(?<![\w.])extra\s*==\s*(["'])([^"']+)\1""")
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
_OR = re.compile(r"(?<!\w)or(?!\w)")


class SortedLines(Struct, frozen=True):
    """Lines by the extra that must be active before they can count.

    ``plain`` never look at an extra. ``gated`` cannot hold unless that extra is
    active. ``mixed`` must be evaluated to know, for every extra and for none.
    """

    plain: tuple[str, ...]
    gated: Mapping[ExtraName, tuple[str, ...]] = field(default_factory=dict)
    mixed: tuple[str, ...] = ()

    def for_extra(self, extra: ExtraName | None) -> tuple[str, ...]:
        """Return the lines worth evaluating with ``extra`` active, or with none.

        With an extra the plain lines are left out: they count without it already.
        """
        if extra is None:
            return self.plain + self.mixed
        return self.gated.get(extra, ()) + self.mixed


@lru_cache(maxsize=4096)
def sort_lines(requires_dist: tuple[str, ...]) -> SortedLines:
    """Sort lines without parsing them. Total: an unreadable line is ``plain`` or ``mixed``."""
    plain: list[str] = []
    gated: dict[ExtraName, list[str]] = {}
    mixed: list[str] = []
    for line in requires_dist:
        marker = line.partition(";")[2]
        if "extra" not in marker:
            plain.append(line)
        elif (gate := _gate(line, marker)) is None:
            mixed.append(line)
        else:
            gated.setdefault(gate, []).append(line)
    return SortedLines(
        tuple(plain), {extra: tuple(lines) for extra, lines in gated.items()}, tuple(mixed)
    )


def _gate(line: str, marker: str) -> ExtraName | None:
    """Return the one extra without which a conjunction is false, ``None`` where that is unclear."""
    if "@" in line:
        return None
    match = _ONLY_GATE.fullmatch(marker) or _embedded_gate(marker)
    if match is None:
        return None
    try:
        return extra_name(match[2])
    except InvalidName:
        return None


def _embedded_gate(marker: str) -> re.Match[str] | None:
    """Find ``extra == "x"`` joined to the rest of a marker by nothing but ``and``."""
    if any("(" in text or ")" in text for text in _QUOTED.findall(marker)):
        return None
    outermost = _outside_brackets(marker)
    match = _GATE.search(outermost)
    if match is None or _OR.search(outermost):
        return None
    before = outermost[: match.start()]
    return None if before.count('"') % 2 or before.count("'") % 2 else match


def _outside_brackets(marker: str) -> str:
    depth = 0
    kept: list[str] = []
    for character in marker:
        if character in "()":
            depth += 1 if character == "(" else -1
        elif depth == 0:
            kept.append(character)
    return "".join(kept)
