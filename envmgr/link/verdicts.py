"""Who wins a path that several packages bring: the rules of ``conflicts``, applied and proposed."""

from collections.abc import Collection, Iterable, Iterator, Set

from envmgr.names import PackageName
from envmgr.spec.views import ConflictRule, literal_path

SPELLED_OUT = 3
"""Paths of one directory that a proposal lists; more of them are one rule with a glob."""


class Verdicts:
    """The rules of one environment file, and which of them have decided something."""

    def __init__(self, rules: Iterable[ConflictRule], site: str) -> None:
        self._rules = tuple(rules)
        self._site = f"{site}/"
        self._used: set[ConflictRule] = set()

    def written(self, path: str) -> str:
        """Return a path of the view as rules have it."""
        inside = path.startswith(self._site)
        return path.removeprefix(self._site) if inside else f"/{path}"

    def winner(self, path: str, claimants: Collection[str]) -> str | None:
        """Return who of several packages wins a path; ``None`` where no rule says."""
        written = self.written(path)
        for rule in self._rules:
            if rule.keep in claimants and rule.matches(written):
                self._used.add(rule)
                return str(rule.keep)
        return None

    def weight(self, package: str) -> int:
        """Return more for a package that a rule keeps, the most for that of the first rule."""
        kept = [rule.keep for rule in self._rules]
        return len(kept) - kept.index(PackageName(package)) if package in kept else 0

    def notes(self, present: Set[str], elsewhere: Set[PackageName]) -> Iterator[str]:
        """Tell of rules that decided nothing, a sentence each.

        ``present`` are the packages of the view; of those in ``elsewhere``, which it leaves
        out by choice, nothing is said.
        """
        for rule in self._rules:
            if rule in self._used or rule.keep in elsewhere:
                continue
            if rule.keep not in present:
                yield f"`conflicts` has {rule}, and {rule.keep} is not in this environment"
            else:
                yield (
                    f"`conflicts` has {rule}, and no other package brings anything different there"
                )


def render_rules(wanted: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Write the rules that decide ``wanted``, pairs of a path and the package to keep.

    A directory with many of these paths gets one rule.
    """
    keep: dict[str, str] = {}
    for path, package in wanted:
        keep.setdefault(path, package)
    together: dict[tuple[str, str], list[str]] = {}
    for path, package in keep.items():
        together.setdefault((path.rpartition("/")[0], package), []).append(path)
    lines: list[str] = []
    for (directory, package), paths in together.items():
        literal = [literal_path(path) for path in paths]
        if len(paths) > SPELLED_OUT and directory:
            literal = [f"{literal_path(directory)}/*"]
        lines += [str(ConflictRule(path, PackageName(package))) for path in literal]
    return tuple(lines)
