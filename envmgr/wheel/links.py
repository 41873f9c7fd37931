"""LINKS: the symbolic links that a wheel wants (PEP 778, with the choices of ADR 0013).

``<name>.dist-info/LINKS`` is CSV, two paths a line: one is there once the wheel is
unpacked, the other is a link to it. PEP 778's text has the link first and its example
has it second; either is taken where only one of the two can be meant.

Everything is decided before anything is written, from paths alone. Paths of plans are
those of a store entry: ``site-packages/pkg/libfoo.so``, ``data/lib/libfoo.so``.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field

from envmgr.wheel.central_directory import path_problem
from envmgr.wheel.manifest import LinkFacts

LINKS = "LINKS"
"""Name of the file in ``.dist-info``."""
LINKED_PARTS = frozenset({"site-packages", "data"})
"""The parts of an entry that may hold links; ``scripts`` are rewritten, ``headers`` moved."""
LONGEST_CHAIN = 16
"""Links that lead to links, counted up to the file."""

_BYTECODE = "__pycache__"


class InvalidLinks(ValueError):
    """A LINKS that cannot be used; ``reason`` is one clause, ``line`` counts from 1.

    ``unsafe`` where following it could write or read outside the wheel's own places.
    """

    def __init__(self, line: int, reason: str, *, unsafe: bool = False) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason
        self.unsafe = unsafe

    def __str__(self) -> str:
        return f"LINKS cannot be used: line {self.line}: {self.reason}"


class LinkRow(Struct, frozen=True):
    """One line as written: two paths, of which one is there and the other shall be a link."""

    line: int
    first: str
    second: str


def parse_links(text: str) -> tuple[LinkRow, ...]:
    """Read LINKS, in its order; every path is a relative one without ``.`` and ``..``.

    Raises InvalidLinks.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return tuple(_parse_row(reader.line_num, fields) for fields in reader if fields)
    except csv.Error as error:
        raise InvalidLinks(reader.line_num, str(error)) from None


def _parse_row(line: int, fields: list[str]) -> LinkRow:
    if len(fields) != 2:
        raise InvalidLinks(line, f"expected two paths, found {len(fields)}")
    for path in fields:
        problem = path_problem(path)
        if problem:
            shown = path.encode("unicode_escape").decode()
            raise InvalidLinks(line, f"{shown!r}: {problem}", unsafe=True)
        if unicodedata.normalize("NFC", path) != path:
            raise InvalidLinks(line, f"{path!r} is not in Unicode's normal form C", unsafe=True)
    return LinkRow(line, *fields)


def render_links(pairs: Iterable[tuple[str, str]]) -> str:
    """Write LINKS from pairs of what is there and the link to it, as PEP 778's example has it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(pairs)
    return text.getvalue()


def plan_links(
    rows: Iterable[LinkRow], files: Iterable[str], dist_info: str
) -> tuple[LinkFacts, ...]:
    """Decide which links to make, a target always before what leads to it.

    ``rows`` and ``files`` have paths of the entry; ``dist_info`` is the directory's name.
    Raises InvalidLinks.
    """
    plan = _Plan(_Places.of(files), f"site-packages/{dist_info}")
    waiting = tuple(rows)
    while waiting:
        left = tuple(row for row in waiting if not plan.settle(row))
        if len(left) == len(waiting):
            raise _unrooted(left)
        waiting = left
    plan.check_parents()
    return tuple(plan.facts())


def relative_text(path: str, target: str) -> str:
    """Return what a link at ``path`` says to lead to ``target``; both relative to one root."""
    here, there = path.split("/")[:-1], target.split("/")
    shared = 0
    while shared < min(len(here), len(there) - 1) and here[shared] == there[shared]:
        shared += 1
    return "/".join([".."] * (len(here) - shared) + there[shared:])


class _Places(Struct, frozen=True):
    """What an entry has without its links."""

    files: frozenset[str]
    directories: frozenset[str]
    folded: Mapping[str, str]
    """What a file system that does not tell case apart takes each path for -> the path."""

    @classmethod
    def of(cls, files: Iterable[str]) -> "_Places":
        held = frozenset(files)
        directories = frozenset(above for path in held for above in _above(path))
        return cls(held, directories, {_folded(path): path for path in held | directories})


class _Plan(Struct):
    places: _Places
    info: str
    links: dict[str, tuple[str, LinkRow]] = field(default_factory=dict)
    """Link -> what it leads to, and the line that wants it; targets first."""
    chains: dict[str, int] = field(default_factory=dict)
    folded: dict[str, str] = field(default_factory=dict)

    def settle(self, row: LinkRow) -> bool:
        """Take a line if it is clear by now which of its paths is the link."""
        if row.first == row.second:
            raise InvalidLinks(row.line, f"{row.first} would lead to itself")
        there = [path for path in (row.first, row.second) if self._is_there(path)]
        if len(there) == 2:
            raise self._both_there(row)
        if not there:
            return False
        target = there[0]
        link = row.second if target == row.first else row.first
        self._check(row, link, target)
        self.links[link] = target, row
        self.chains[link] = self.chains.get(target, 0) + 1
        self.folded[_folded(link)] = link
        if self.chains[link] > LONGEST_CHAIN:
            raise InvalidLinks(row.line, f"{link} leads to a file over {LONGEST_CHAIN} links")
        return True

    def _is_there(self, path: str) -> bool:
        return path in self.places.files or path in self.places.directories or path in self.links

    def _both_there(self, row: LinkRow) -> InvalidLinks:
        for path in (row.second, row.first):
            if path in self.links:
                earlier = self.links[path][1].line
                return InvalidLinks(
                    row.line,
                    f"both {row.first} and {row.second} are there already, "
                    f"{path} by line {earlier}",
                    unsafe=True,
                )
        return InvalidLinks(
            row.line, f"the wheel holds both {row.first} and {row.second}", unsafe=True
        )

    def _check(self, row: LinkRow, link: str, target: str) -> None:
        problem = (
            self._part_problem(link, target)
            or self._place_problem(link)
            or self._case_problem(link)
            or self._directory_problem(link, target)
        )
        if problem:
            raise InvalidLinks(row.line, problem, unsafe=True)

    def _part_problem(self, link: str, target: str) -> str | None:
        part = link.partition("/")[0]
        for path in (link, target):
            if path.partition("/")[0] not in LINKED_PARTS:
                return f"{path} is in a part of the wheel that has no links"
            if path == self.info or path.startswith(f"{self.info}/"):
                return f"{path} is in .dist-info"
            if _BYTECODE in path.split("/"):
                return f"{path} is where bytecode stands"
        if target.partition("/")[0] != part:
            return f"{link} and {target} are installed in different places"
        return None

    def _place_problem(self, link: str) -> str | None:
        top = "/".join(link.split("/")[:2])
        if top == link or top not in self.places.directories:
            return f"{link} is below no top-level directory of the wheel"
        for above in _above(link):
            if above in self.places.files:
                return f"{link} would stand below the file {above}"
        return None

    def _case_problem(self, link: str) -> str | None:
        for path in (link, *_above(link)):
            other = self.places.folded.get(_folded(path)) or self.folded.get(_folded(path))
            if other is not None and other != path:
                return f"{path} and {other} differ in case alone"
        return None

    def _directory_problem(self, link: str, target: str) -> str | None:
        end = self.end(target)
        if end not in self.places.directories:
            return None
        if any(above == end or above.startswith(f"{end}/") for above in _above(link)):
            return f"{link} would lead to a directory that it stands in"
        return None

    def end(self, path: str) -> str:
        """Follow links to the file or directory."""
        while path in self.links:
            path = self.links[path][0]
        return path

    def check_parents(self) -> None:
        """See that nothing stands below a link."""
        for link, (_, row) in self.links.items():
            for above in _above(link):
                if above in self.links:
                    reason = f"{link} would stand below the link {above}"
                    raise InvalidLinks(row.line, reason, unsafe=True)

    def facts(self) -> Iterator[LinkFacts]:
        for link, (target, _) in self.links.items():
            yield LinkFacts(link, relative_text(link, target))


def _unrooted(rows: tuple[LinkRow, ...]) -> InvalidLinks:
    """Say what is wrong with lines none of whose paths is there: they loop, or they dangle."""
    groups: dict[str, str] = {}

    def leader(path: str) -> str:
        while groups.setdefault(path, path) != path:
            path = groups[path]
        return path

    for row in rows:
        first, second = leader(row.first), leader(row.second)
        if first == second:
            return InvalidLinks(row.line, f"{row.first} and {row.second} lead to each other")
        groups[first] = second
    row = rows[0]
    return InvalidLinks(row.line, f"the wheel holds neither {row.first} nor {row.second}")


def _above(path: str) -> Iterator[str]:
    """Yield the directories above a path, the nearest first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
