"""Decide a view: which links, directories and files make wheels an environment.

Every entry claims places in the view. A place that one entry claims becomes
one link at the highest directory (*folding*); a place that several claim, or
that must be real, becomes a directory, and the question is asked again below
it. A directory must be real

- where entries meet;
- on the way to an ELF file whose ``$ORIGIN`` search path leaves its entry
  (``Manifest.reaching``), since the loader resolves ``..`` physically;
- where programs write: everything in ``etc``, and ``share`` down to ``share/A/B``;
- for ``dist-info``, which other installers must see as the view's own.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from envmgr.link.inputs import (
    ENVMGR,
    Clash,
    LaidEntry,
    LaidFile,
    Layout,
    LayoutClash,
    LayoutInputs,
)
from envmgr.link.prefix import CACHES, RECORD, STATE
from envmgr.link.scripts import (
    PIP_NAMES,
    is_program_name,
    programs,
    render_entry_point_script,
    render_pip_notice,
    render_wheel_script,
)
from envmgr.link.startup import render_startup
from envmgr.target.types import Interpreter
from envmgr.wheel.manifest import FileFacts, Manifest

__all__ = ["LaidEntry", "LaidFile", "Layout", "LayoutClash", "LayoutInputs", "layout"]

SOURCES = "SOURCES.txt"
"""Stands in every entry beside its manifest, and in the view's ``dist-info``."""
INSTALLER = "INSTALLER"
SHARE_DEPTH = 3
"""How deep ``share`` is real: ``share/jupyter/kernels`` is, ``.../kernels/python3`` folds."""

RESERVED = frozenset({STATE, ".gitignore", RECORD, CACHES})
"""Names at the top of a prefix or a generation that are envmgr's own."""

_LEFT_OUT = frozenset({"RECORD", "RECORD.jws", "RECORD.p7s", INSTALLER, SOURCES, "REQUESTED"})
"""Files of a wheel's ``dist-info`` that a view does not take over."""


class _Claim(NamedTuple):
    """An entry's wish for a place; ``source`` is a path in the entry, ``file`` its facts if one."""

    entry: int
    source: str
    file: FileFacts | None


class _Source:
    """One entry, to be asked what stands in its directories."""

    def __init__(self, laid: LaidEntry) -> None:
        self.name = str(laid.manifest.name)
        self.root = laid.root
        self.scripts = laid.scripts
        self._files = laid.manifest.files
        self._paths = [file.path for file in laid.manifest.files]
        self.real = frozenset(_with_parents(laid.manifest.reaching))

    def children(self, entry: int, directory: str) -> Iterator[tuple[str, _Claim]]:
        """Yield name and claim of everything directly in ``directory``, in order of their paths."""
        prefix = f"{directory}/"
        start = len(prefix)
        paths = self._paths
        at = bisect_left(paths, prefix)
        while at < len(paths) and paths[at].startswith(prefix):
            slash = paths[at].find("/", start)
            if slash < 0:
                yield paths[at][start:], _Claim(entry, paths[at], self._files[at])
                at += 1
            else:
                below = paths[at][:slash]
                yield below[start:], _Claim(entry, below, None)
                at = bisect_left(paths, f"{below}0", at)  # "0" is the character after "/"


def layout(inputs: LayoutInputs) -> Layout:
    """Decide the view of ``inputs``. Raises LayoutClash, with every clash there is."""
    view = _View(inputs)
    view.place("", ())
    for laid in inputs.entries:
        view.add_dist_info(laid)
    view.add_programs()
    view.add_own_files()
    return view.finish()


class _View:
    """A layout on its way."""

    def __init__(self, inputs: LayoutInputs) -> None:
        self._inputs = inputs
        self._sources = tuple(map(_Source, inputs.entries))
        self._site = inputs.interpreter.site_packages
        self._python = f"{inputs.generation}/bin/python"
        self._infos = {f"{self._site}/{each.manifest.dist_info}" for each in inputs.entries}
        self._mounts = _mounts(inputs)
        self._scaffold = _scaffold(("bin", self._site), self._mounts)
        self._merges_lib64 = has_lib64(inputs.interpreter)
        self._directories: list[str] = []
        self._links: dict[str, str] = {}
        self._files: dict[str, LaidFile] = {}
        self._bytecode: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self._notes: list[str] = []
        self._clashes: set[Clash] = set()

    def place(self, path: str, claims: Iterable[_Claim]) -> None:
        """Give ``path`` to those who claim it."""
        if path in RESERVED:
            for claim in claims:
                self._clash(path, self._owner(claim), ENVMGR)
            return
        everyone = [*claims, *self._mounts.get(path, ())]
        files = [claim for claim in everyone if claim.file is not None]
        directories = [claim for claim in everyone if claim.file is None]
        if files:
            self._place_file(path, files)
        if files and (directories or path in self._scaffold):
            other = self._owner(directories[0]) if directories else ENVMGR
            self._clash(path, self._owner(files[0]), other)
        elif path in self._scaffold or self._must_be_real(path, directories):
            self._fill(path, directories)
        elif directories:
            self._links[path] = self._target(directories[0])
            self._owners[path] = self._owner(directories[0])

    def _must_be_real(self, path: str, claims: list[_Claim]) -> bool:
        if len(claims) > 1 or path in self._infos or is_kept_real(path):
            return bool(claims)
        return any(claim.source in self._sources[claim.entry].real for claim in claims)

    def _fill(self, path: str, claims: list[_Claim]) -> None:
        """Make ``path`` a directory, and place what stands in it."""
        if path:
            self._directories.append(path)
        children: dict[str, list[_Claim]] = {name: [] for name in self._scaffold.get(path, ())}
        left_out = _LEFT_OUT if path in self._infos else frozenset()
        for claim in claims:
            for name, child in self._sources[claim.entry].children(claim.entry, claim.source):
                if name in left_out or name == "__pycache__":
                    continue
                merged = "lib" if not path and name == "lib64" and self._merges_lib64 else name
                children.setdefault(merged, []).append(child)
        base = f"{path}/" if path else ""
        for name in sorted(children):
            self.place(base + name, children[name])
        if self._inputs.compiled and (path == self._site or path.startswith(f"{self._site}/")):
            self._link_bytecode(path, children)

    def _place_file(self, path: str, claims: list[_Claim]) -> None:
        chosen = claims[0]
        for other in claims[1:]:
            if not _same(chosen, other):
                self._clash(path, self._owner(chosen), self._owner(other))
        self._owners[path] = self._owner(chosen)
        script = self._sources[chosen.entry].scripts.get(chosen.source)
        if script is None:
            self._links[path] = self._target(chosen)
        else:
            self._files[path] = LaidFile(render_wheel_script(script, self._python), 0o755)

    def _link_bytecode(self, path: str, children: dict[str, list[_Claim]]) -> None:
        """Link the bytecode of the modules in a real directory, folded where one entry has all."""
        modules = {
            name: claims[0]
            for name, claims in children.items()
            if name.endswith(".py") and claims and claims[0].file is not None
        }
        if not modules:
            return
        caches = {self._cache_directory(claim) for claim in modules.values()}
        if len(caches) == 1 and path != self._site:
            self._bytecode[f"{path}/__pycache__"] = caches.pop()
            return
        self._directories.append(f"{path}/__pycache__")
        suffix = f".{self._inputs.interpreter.cache_tag}.pyc"
        for name, claim in modules.items():
            cached = name.removesuffix(".py") + suffix
            target = f"{self._cache_directory(claim)}/{cached}"
            self._bytecode[f"{path}/__pycache__/{cached}"] = target

    def add_dist_info(self, laid: LaidEntry) -> None:
        """Add what an installer writes into ``dist-info`` (recording installed projects).

        RECORD leads to a directory: absent for ``importlib.metadata`` and pip, unreadable
        for uv, which would take an absent one for leave to write over the package.
        """
        info = f"{self._site}/{laid.manifest.dist_info}"
        self._links[f"{info}/RECORD"] = f"{laid.root}/site-packages/{laid.manifest.dist_info}"
        self._links[f"{info}/{SOURCES}"] = f"{laid.root}/{SOURCES}"
        self._files[f"{info}/{INSTALLER}"] = LaidFile(b"envmgr\n")
        if laid.requested:
            self._files[f"{info}/REQUESTED"] = LaidFile(b"")
        if laid.direct_url is not None:
            self._links.pop(f"{info}/direct_url.json", None)
            self._files[f"{info}/direct_url.json"] = LaidFile(laid.direct_url.encode())

    def add_programs(self) -> None:
        """Add the programs that entry points name, and pip's stand-in where there is no pip."""
        for laid in self._inputs.entries:
            self._add_programs_of(laid.manifest)
        notice = LaidFile(render_pip_notice(self._inputs.name), 0o755)
        for name in PIP_NAMES:
            if f"bin/{name}" not in self._owners:
                self._files[f"bin/{name}"] = notice

    def _add_programs_of(self, manifest: Manifest) -> None:
        for point in programs(manifest.entry_points):
            script = render_entry_point_script(point, self._python)
            if script is None or not is_program_name(point.name):
                self._notes.append(
                    f"{manifest.name} {manifest.version} names no callable for its program "
                    f"{point.name!r}: {point.value!r}"
                )
                continue
            self._own(f"bin/{point.name}", LaidFile(script, 0o755), str(manifest.name))

    def add_own_files(self) -> None:
        """Add the interpreter's links, ``pyvenv.cfg``, start-up and activation."""
        interpreter = self._inputs.interpreter
        for name in _python_names(interpreter):
            self._own_link(f"bin/{name}", interpreter.executable if name == "python" else "python")
        if self._merges_lib64:
            self._own_link("lib64", "lib")
        texts = {"pyvenv.cfg": render_pyvenv(interpreter, self._inputs.name)}
        for name, text in render_startup(self._inputs.variables).items():
            texts[f"{self._site}/{name}"] = text
        for path, text in {**texts, **self._inputs.activation}.items():
            self._own(path, LaidFile(text.encode("utf-8", "surrogateescape")), ENVMGR)

    def _own(self, path: str, file: LaidFile, owner: str) -> None:
        """Write a file where nothing of another owner stands."""
        taken = self._owners.get(path)
        if taken not in (None, owner) and self._files.get(path) != file:
            self._clash(path, str(taken), owner)
        self._links.pop(path, None)
        self._files[path] = file
        self._owners[path] = owner

    def _own_link(self, path: str, target: str) -> None:
        if path in self._owners:
            self._clash(path, self._owners[path], ENVMGR)
        self._links[path] = target
        self._owners[path] = ENVMGR

    def _clash(self, path: str, first: str, second: str) -> None:
        self._clashes.add(Clash(path, first, second))

    def _owner(self, claim: _Claim) -> str:
        return self._sources[claim.entry].name

    def _target(self, claim: _Claim) -> str:
        return f"{self._sources[claim.entry].root}/{claim.source}"

    def _cache_directory(self, claim: _Claim) -> str:
        return f"{self._target(claim).rpartition('/')[0]}/__pycache__"

    def finish(self) -> Layout:
        """Return the layout. Raises LayoutClash."""
        if self._clashes:
            raise LayoutClash(tuple(sorted(self._clashes)))
        return Layout(
            directories=tuple(self._directories),
            links=self._links,
            files=self._files,
            bytecode=self._bytecode,
            notes=tuple(self._notes),
        )


def is_kept_real(path: str) -> bool:
    """Tell whether programs write below this directory of a prefix, so that it may not fold."""
    top, _, rest = path.partition("/")
    if top == "share":
        return rest.count("/") + bool(rest) < SHARE_DEPTH
    return top == "etc" or (not rest and top in ("lib", "include"))


def has_lib64(interpreter: Interpreter) -> bool:
    """Tell whether this interpreter wants ``lib64`` -> ``lib`` in an environment, as venv does."""
    return interpreter.pointer_bits == 64 and not interpreter.platform.startswith("macosx")


def render_pyvenv(interpreter: Interpreter, name: str) -> str:
    """Render ``pyvenv.cfg`` (PEP 405)."""
    pairs = {
        "home": interpreter.executable.rpartition("/")[0],
        "include-system-site-packages": "false",
        "version": interpreter.version_text,
        "executable": interpreter.executable,
        "prompt": name,
    }
    return "".join(f"{key} = {value}\n" for key, value in pairs.items())


def _python_names(interpreter: Interpreter) -> tuple[str, ...]:
    major, minor, _ = interpreter.version
    names = ["python", f"python{major}", f"python{major}.{minor}"]
    if interpreter.free_threaded:
        names.append(f"python{major}.{minor}t")
    if interpreter.implementation == "pypy":
        names += ["pypy", f"pypy{major}", f"pypy{major}.{minor}"]
    return tuple(names)


def _mounts(inputs: LayoutInputs) -> dict[str, list[_Claim]]:
    """Map places of the view to the parts of entries that are spread out there (wheel schemes)."""
    mounts: dict[str, list[_Claim]] = {}
    interpreter = inputs.interpreter
    for number, laid in enumerate(inputs.entries):
        places = {"data": "", "scripts": "bin"}
        places["headers"] = f"{interpreter.headers}/{laid.manifest.name}"
        mounts.setdefault(interpreter.site_packages, []).append(
            _Claim(number, "site-packages", None)
        )
        for part in laid.manifest.data:
            mounts.setdefault(places[part], []).append(_Claim(number, part, None))
    return mounts


def _scaffold(real: Iterable[str], places: Iterable[str]) -> dict[str, list[str]]:
    """Map directories that are always real to the names that follow in them.

    These are those of ``real`` and every parent of a place; a place itself may fold.
    """
    scaffold: dict[str, list[str]] = {directory: [] for directory in real}
    for place in sorted({*scaffold, *places}):
        path = place
        while path:
            parent, _, name = path.rpartition("/")
            names = scaffold.setdefault(parent, [])
            if name not in names:
                names.append(name)
            path = parent
    return scaffold


def _with_parents(directories: Iterable[str]) -> Iterator[str]:
    for directory in directories:
        path = directory
        while path:
            yield path
            path = path.rpartition("/")[0]


def _same(one: _Claim, other: _Claim) -> bool:
    return _content(one) == _content(other)


def _content(claim: _Claim) -> tuple[str, bool] | None:
    return (claim.file.sha256, claim.file.executable) if claim.file else None
