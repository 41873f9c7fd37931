"""What entries wish for in a view: places, and what of theirs shall stand there."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple

from envmgr.link.inputs import LaidEntry, LayoutInputs
from envmgr.spec.views import LinkWay
from envmgr.wheel.manifest import FileFacts, LinkFacts, Manifest, link_ends

WRITTEN_BY_PROGRAMS = ("etc", "share")
"""Where programs write below a prefix; of a view's own, there are only absolute links in them."""
WEIGHT = {way: weight for weight, way in enumerate(LinkWay)}
"""A file that is asked for in two ways gets in by the one that asks for more."""


_ADDED = ""
"""Stands for the digest of a name that a composition adds, where no file is."""


class Claim(NamedTuple):
    """An entry's wish for a place; ``source`` is a path in the entry.

    ``file`` has the facts of a file or a link, and is ``None`` for a directory.
    """

    entry: int
    source: str
    file: FileFacts | LinkFacts | None


class Source:
    """One entry, to be asked what stands in its directories."""

    def __init__(self, laid: LaidEntry, site: str, homes: Set[str]) -> None:
        """``homes`` are its directories that libraries make real (``Reaching``)."""
        self.name = str(laid.manifest.name)
        self.root = laid.root
        self.info = f"{site}/{laid.manifest.dist_info}"
        self.scripts = laid.scripts
        self.way = laid.way
        self._files = laid.manifest.files_and_links
        self._paths = [file.path for file in self._files]
        self.real = frozenset(with_parents(homes))
        self._reaching_programs = frozenset(_reaching_programs(laid.manifest, homes))
        self._composed = laid.composed
        self._serving = laid.serving

    def target(self, path: str) -> str:
        """Return where a link to a path of the entry leads: into what stands in for it, if any."""
        composed = self._composed
        root = self.root if composed is None or path not in composed.paths else composed.root
        return f"{root}/{path}"

    def way_at(self, path: str, claim: Claim) -> LinkWay:
        """Tell how what is claimed of this entry gets to a place of the view.

        ``dist-info`` is the view's own everywhere, and what stands in ``etc`` and
        ``share`` must be told from what programs wrote there. A program that reaches for
        libraries of other entries is no link: the kernel takes ``$ORIGIN`` from its end.
        """
        if self._composed is not None and claim.source in self._composed.exchanged:
            return LinkWay.FOLD
        if claim.source in self._serving:
            return LinkWay.FOLD
        if claim.source in self._reaching_programs:
            return max(self.way, LinkWay.HARDLINK, key=WEIGHT.__getitem__)
        if self.way is LinkWay.FOLD or path.partition("/")[0] in WRITTEN_BY_PROGRAMS:
            return LinkWay.FOLD
        return LinkWay.FOLD if f"{path}/".startswith(f"{self.info}/") else self.way

    def children(self, entry: int, directory: str) -> Iterator[tuple[str, Claim]]:
        """Yield name and claim of everything directly in ``directory``, in order of their paths."""
        prefix = f"{directory}/"
        start = len(prefix)
        paths = self._paths
        at = bisect_left(paths, prefix)
        while at < len(paths) and paths[at].startswith(prefix):
            slash = paths[at].find("/", start)
            if slash < 0:
                yield paths[at][start:], Claim(entry, paths[at], self._files[at])
                at += 1
            else:
                below = paths[at][:slash]
                yield below[start:], Claim(entry, below, None)
                at = bisect_left(paths, f"{below}0", at)  # "0" is the character after "/"
        for path in () if self._composed is None else self._composed.added:
            if path.startswith(prefix) and "/" not in path[start:]:
                yield path[start:], Claim(entry, path, FileFacts(path, 0, False, _ADDED))


def _reaching_programs(manifest: Manifest, homes: Set[str]) -> Iterator[str]:
    """Yield the programs, which are no libraries, in directories that reach out of their entry.

    With them come the links to such a program or directory.
    """
    if homes:
        dynamic = {facts.path for facts in manifest.elf}
        programs = set()
        for file in manifest.files:
            home, _, name = file.path.rpartition("/")
            if file.executable and home in homes and file.path in dynamic and ".so" not in name:
                programs.add(file.path)
        yield from programs
        yield from _links_to_reaching(programs | {*with_parents(homes)}, manifest)


def _links_to_reaching(own: Set[str], manifest: Manifest) -> Iterator[str]:
    """Yield the links that must lead to what is the view's own: such programs, or directories."""
    yield from (path for path, end in link_ends(manifest.links).items() if end in own)


def mounts(inputs: LayoutInputs) -> dict[str, list[Claim]]:
    """Map places of the view to the parts of entries that are spread out there (wheel schemes)."""
    found: dict[str, list[Claim]] = {}
    interpreter = inputs.interpreter
    for number, laid in enumerate(inputs.entries):
        places = {"data": "", "scripts": "bin"}
        places["headers"] = f"{interpreter.headers}/{laid.manifest.name}"
        found.setdefault(interpreter.site_packages, []).append(Claim(number, "site-packages", None))
        for part in laid.manifest.data:
            found.setdefault(places[part], []).append(Claim(number, part, None))
    return found


def scaffold(real: Iterable[str], places: Iterable[str]) -> dict[str, list[str]]:
    """Map directories that are always real to the names that follow in them.

    These are those of ``real`` and every parent of a place; a place itself may fold.
    """
    found: dict[str, list[str]] = {directory: [] for directory in real}
    for place in sorted({*found, *places}):
        path = place
        while path:
            parent, _, name = path.rpartition("/")
            names = found.setdefault(parent, [])
            if name not in names:
                names.append(name)
            path = parent
    return found


def with_parents(directories: Iterable[str]) -> Iterator[str]:
    """Yield directories and everything above them, some more than once."""
    for directory in directories:
        path = directory
        while path:
            yield path
            path = path.rpartition("/")[0]


def brought(claims: list[Claim]) -> list[Claim]:
    """Leave out names that compositions add where a package brings something of that name."""
    own = [claim for claim in claims if not _is_added(claim)]
    return own or claims


def _is_added(claim: Claim) -> bool:
    return isinstance(claim.file, FileFacts) and claim.file.sha256 == _ADDED


def same(one: Claim, other: Claim) -> bool:
    """Tell whether two claims to a place bring the same.

    That is content and executable bit of a file, and where a link leads to.
    """
    return _content(one) == _content(other)


def _content(claim: Claim) -> tuple[str, bool] | str | None:
    match claim.file:
        case FileFacts(sha256=sha256, executable=executable):
            return sha256, executable
        case LinkFacts(text=text):
            return text
    return None
