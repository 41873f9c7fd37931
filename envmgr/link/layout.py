"""Decide a view: which links, directories and files make wheels an environment.

Every entry claims places in the view. A place that one entry claims becomes
one link at the highest directory (*folding*); a place that several claim, or
that must be real, becomes a directory, and the question is asked again below
it. A directory must be real

- where entries meet;
- on the way to an ELF file whose ``$ORIGIN`` search path leads to what other entries
  bring (``Reaching``), since the loader resolves ``..`` physically;
- where programs write: everything in ``etc``, and ``share`` down to ``share/A/B``; these two
  are always there, and files in ``etc`` are copies;
- for ``dist-info``, which other installers must see as the view's own;
- where a package asks for another way than folding (``LinkWay``).

Where several bring different things for one path, the rules of ``conflicts`` decide
whose claims count (``Verdicts``); where none does, it is a clash.
"""

from collections.abc import Iterable, Iterator, Mapping

from envmgr.link.claims import (
    WEIGHT,
    WRITTEN_BY_PROGRAMS,
    Claim,
    Source,
    brought,
    mounts,
    same,
    scaffold,
)
from envmgr.link.inputs import (
    ENVMGR,
    SETTINGS,
    Clash,
    LaidEntry,
    LaidFile,
    Layout,
    LayoutClash,
    LayoutInputs,
    TakenFile,
)
from envmgr.link.prefix import CACHES, RECORD, STATE
from envmgr.link.reaching import reach_of
from envmgr.link.scripts import (
    PIP_NAMES,
    is_program_name,
    programs,
    render_entry_point_script,
    render_pip_notice,
    render_wheel_script,
)
from envmgr.link.startup import render_startup
from envmgr.link.venv import has_lib64, python_names, render_pyvenv
from envmgr.link.verdicts import Verdicts
from envmgr.spec.views import LinkWay
from envmgr.wheel.manifest import FileFacts, LinkFacts, Manifest

__all__ = ["LaidEntry", "LaidFile", "Layout", "LayoutClash", "LayoutInputs", "layout"]

SOURCES = "SOURCES.txt"
"""Stands in every entry beside its manifest, and in the view's ``dist-info``."""
INSTALLER = "INSTALLER"
SHARE_DEPTH = 3
"""How deep ``share`` is real: ``share/jupyter/kernels`` is, ``.../kernels/python3`` folds."""

KERNELS = "share/jupyter/kernels/"
"""A kernel that is installed again takes its directory away first, which may be no link."""

RESERVED = frozenset({STATE, ".gitignore", RECORD, CACHES})
"""Names at the top of a prefix or a generation that are envmgr's own."""

_LEFT_OUT = frozenset({"RECORD", "RECORD.jws", "RECORD.p7s", INSTALLER, SOURCES, "REQUESTED"})
"""Files of a wheel's ``dist-info`` that a view does not take over."""

_TAKING = frozenset({LinkWay.HARDLINK, LinkWay.COPY})


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
        self._site = inputs.interpreter.site_packages
        self._reach = reach_of(inputs)
        self._sources = tuple(
            Source(each, self._site, homes)
            for each, homes in zip(inputs.entries, self._reach.homes, strict=True)
        )
        self._verdicts = Verdicts(inputs.conflicts, self._site)
        self._python = f"{inputs.generation}/bin/python"
        self._infos = {source.info for source in self._sources}
        self._mounts = mounts(inputs)
        self._scaffold = scaffold(("bin", *WRITTEN_BY_PROGRAMS, self._site), self._mounts)
        self._merges_lib64 = has_lib64(inputs.interpreter)
        self._directories: list[str] = []
        self._links: dict[str, str] = {}
        self._files: dict[str, LaidFile] = {}
        self._bytecode: dict[str, str] = {}
        self._taken: dict[str, TakenFile] = {}
        self._taken_bytecode: dict[str, TakenFile] = {}
        self._modules: dict[str, Claim] = {}
        self._owners: dict[str, str] = {}
        self._notes: list[str] = []
        self._clashes: set[Clash] = set()

    def place(self, path: str, claims: Iterable[Claim]) -> None:
        """Give ``path`` to those who claim it."""
        if path in RESERVED:
            for claim in claims:
                self._clash(path, self._owner(claim), ENVMGR)
            return
        everyone = self._undisputed(path, [*claims, *self._mounts.get(path, ())])
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

    def _undisputed(self, path: str, claims: list[Claim]) -> list[Claim]:
        """Return the claims that count: where they differ and a rule decides, the winner's.

        A directory of the winner is shared with others' directories, as everywhere.
        """
        claims = brought(claims)
        if len(claims) < 2 or all(same(claims[0], claim) for claim in claims):
            return claims
        winner = self._verdicts.winner(path, {self._owner(claim) for claim in claims})
        kept = [claim for claim in claims if self._owner(claim) == winner]
        if any(claim.file is None for claim in kept):
            return [claim for claim in claims if claim.file is None or claim in kept]
        return kept or claims

    def _must_be_real(self, path: str, claims: list[Claim]) -> bool:
        if len(claims) > 1 or path in self._infos or is_kept_real(path):
            return bool(claims)
        return any(
            claim.source in self._sources[claim.entry].real
            or self._way(path, claim) is not LinkWay.FOLD
            for claim in claims
        )

    def _fill(self, path: str, claims: list[Claim]) -> None:
        """Make ``path`` a directory, and place what stands in it."""
        if path:
            self._directories.append(path)
            self._owners.update((path, self._owner(claim)) for claim in claims[:1])
        children: dict[str, list[Claim]] = {name: [] for name in self._scaffold.get(path, ())}
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

    def _place_file(self, path: str, claims: list[Claim]) -> None:
        for other in claims[1:]:
            if not same(claims[0], other):
                self._clash(path, self._owner(claims[0]), self._owner(other))
        chosen = max(claims, key=lambda claim: self._preference(path, claim))
        self._owners[path] = self._owner(chosen)
        if isinstance(chosen.file, LinkFacts):
            # Beside copies a link must lead to the copy, and not to the entry's file.
            copied = self._way(path, chosen) in _TAKING
            self._links[path] = chosen.file.text if copied else self._target(chosen)
            return
        if path.endswith(".py"):
            self._modules[path] = chosen
        script = self._sources[chosen.entry].scripts.get(chosen.source)
        way = self._way(path, chosen)
        if script is not None:
            self._files[path] = LaidFile(render_wheel_script(script, self._python), 0o755)
        elif way in _TAKING or path.startswith(SETTINGS):
            executable = isinstance(chosen.file, FileFacts) and chosen.file.executable
            copied = way is LinkWay.COPY or path.startswith(SETTINGS)
            self._taken[path] = TakenFile(self._target(chosen), executable, copied)
        else:
            self._links[path] = self._target(chosen)

    def _link_bytecode(self, path: str, children: Iterable[str]) -> None:
        """Bring the bytecode of the modules in a real directory, folded where one entry has all."""
        paths = (f"{path}/{name}" for name in children)
        modules = {each: self._modules[each] for each in paths if each in self._modules}
        if not modules:
            return
        caches = {self._cache_directory(claim) for claim in modules.values()}
        ways = {self._way(each, claim) for each, claim in modules.items()}
        if len(caches) == 1 and ways == {LinkWay.FOLD} and path != self._site:
            self._bytecode[f"{path}/__pycache__"] = caches.pop()
            return
        self._directories.append(f"{path}/__pycache__")
        for module, claim in modules.items():
            stem = module.rpartition("/")[2].removesuffix(".py")
            cached = f"{stem}.{self._inputs.interpreter.cache_tag}.pyc"
            target, place = (
                f"{self._cache_directory(claim)}/{cached}",
                f"{path}/__pycache__/{cached}",
            )
            way = self._way(module, claim)
            if way in _TAKING:
                self._taken_bytecode[place] = TakenFile(target, False, way is LinkWay.COPY)
            else:
                self._bytecode[place] = target

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
        wishes: dict[str, dict[str, LaidFile]] = {}
        for laid in self._inputs.entries:
            for name, script in self._programs_of(laid.manifest):
                owners = wishes.setdefault(f"bin/{name}", {})
                owners[str(laid.manifest.name)] = LaidFile(script, 0o755)
        for path, owners in wishes.items():
            self._place_program(path, owners)
        notice = LaidFile(render_pip_notice(self._inputs.name), 0o755)
        for name in PIP_NAMES:
            if f"bin/{name}" not in self._owners:
                self._files[f"bin/{name}"] = notice

    def _programs_of(self, manifest: Manifest) -> Iterator[tuple[str, bytes]]:
        for point in programs(manifest.entry_points):
            script = render_entry_point_script(point, self._python)
            if script is not None and is_program_name(point.name):
                yield point.name, script
                continue
            self._notes.append(
                f"{manifest.name} {manifest.version} names no callable for its program "
                f"{point.name!r}: {point.value!r}"
            )

    def _place_program(self, path: str, wishes: Mapping[str, LaidFile]) -> None:
        """Let one of those who wish for a program have it; equal wishes are one."""
        standing = self._owners.get(path)
        claimants = {*wishes, *([] if standing is None else [standing])}
        disputed = len(claimants) > len(wishes) or len(set(wishes.values())) > 1
        winner = self._verdicts.winner(path, claimants) if disputed else None
        if winner is not None and path not in self._directories:
            wishes = {owner: file for owner, file in wishes.items() if owner == winner}
            if wishes:
                self._owners.pop(path, None)
        for owner, file in wishes.items():
            self._own(path, file, owner)

    def add_own_files(self) -> None:
        """Add the interpreter's links, ``pyvenv.cfg``, start-up and activation."""
        interpreter = self._inputs.interpreter
        for name in python_names(interpreter):
            self._own_link(f"bin/{name}", interpreter.executable if name == "python" else "python")
        if self._merges_lib64:
            self._own_link("lib64", "lib")
        for soname, target in self._inputs.standing.items():
            if f"lib/{soname}" not in self._owners:
                self._own_link(f"lib/{soname}", target)
        texts = {"pyvenv.cfg": render_pyvenv(interpreter, self._inputs.name)}
        for name, text in render_startup(self._inputs.variables).items():
            texts[f"{self._site}/{name}"] = text
        for path, text in {**texts, **self._inputs.activation}.items():
            self._own(path, LaidFile(text.encode("utf-8", "surrogateescape")), ENVMGR)
        for path, file in self._inputs.host.items():
            self._own(path, file, ENVMGR)

    def _own(self, path: str, file: LaidFile, owner: str) -> None:
        """Write a file where nothing of another owner stands."""
        taken = self._owners.get(path)
        if taken not in (None, owner) and self._files.get(path) != file:
            self._clash(path, str(taken), owner)
        self._links.pop(path, None)
        self._taken.pop(path, None)
        self._files[path] = file
        self._owners[path] = owner

    def _own_link(self, path: str, target: str) -> None:
        if path in self._owners:
            self._clash(path, self._owners[path], ENVMGR)
        self._links[path] = target
        self._owners[path] = ENVMGR

    def _clash(self, path: str, first: str, second: str) -> None:
        ours = ENVMGR in (first, second) or first == second
        written = "" if ours else self._verdicts.written(path)
        self._clashes.add(Clash(path, first, second, written))

    def _owner(self, claim: Claim) -> str:
        return self._sources[claim.entry].name

    def _way(self, path: str, claim: Claim) -> LinkWay:
        return self._sources[claim.entry].way_at(path, claim)

    def _preference(self, path: str, claim: Claim) -> tuple[int, int]:
        """Rank equal claims: whoever is kept elsewhere first, whose files may need each other."""
        return self._verdicts.weight(self._owner(claim)), WEIGHT[self._way(path, claim)]

    def _target(self, claim: Claim) -> str:
        return self._sources[claim.entry].target(claim.source)

    def _cache_directory(self, claim: Claim) -> str:
        return f"{self._target(claim).rpartition('/')[0]}/__pycache__"

    def finish(self) -> Layout:
        """Return the layout. Raises LayoutClash."""
        packages = {source.name for source in self._sources}
        if self._clashes:
            requested = {str(each.manifest.name) for each in self._inputs.entries if each.requested}
            raise LayoutClash(tuple(sorted(self._clashes)), requested)
        unused = self._verdicts.notes(packages, self._inputs.elsewhere)
        return Layout(
            directories=tuple(self._directories),
            links=self._links,
            files=self._files,
            bytecode=self._bytecode,
            taken=self._taken,
            taken_bytecode=self._taken_bytecode,
            reaching=self._reach.places,
            sought={
                path: self._reach.sought[path]
                for path in self._directories
                if path in self._reach.sought
            },
            notes=(*self._notes, *unused),
        )


def is_kept_real(path: str) -> bool:
    """Tell whether programs write below this directory of a prefix, so that it may not fold."""
    top, _, rest = path.partition("/")
    if path.startswith(KERNELS):
        return True
    if top == "share":
        return rest.count("/") + bool(rest) < SHARE_DEPTH
    return top == "etc" or (not rest and top in ("lib", "include"))
