"""Manifests of packages with libraries, for those who decide about shared runtimes."""

from collections.abc import Iterable, Mapping, Sequence

from envmgr.link.inputs import LaidEntry
from envmgr.names import PackageName, StoreKey
from envmgr.wheel.manifest import ElfFacts, FileFacts, LinkFacts, Manifest, make_manifest
from tests.support.manifests import STORE

SITE = "site-packages"


def elf(
    path: str,
    *,
    soname: str | None = None,
    needed: Sequence[str] = (),
    runpath: Sequence[str] = (),
    wants: Mapping[str, Sequence[str]] | None = None,
    defines: Sequence[str] = (),
    machine: str = "x86_64",
    bits: int = 64,
) -> ElfFacts:
    """A library at a path of an entry; its SONAME is the file's name unless another is given.

    ``wants`` maps names of needed libraries to symbol versions; what it names is needed.
    """
    wanted = {name: tuple(versions) for name, versions in (wants or {}).items()}
    return ElfFacts(
        path=path,
        machine=machine,
        bits=bits,
        soname=path.rpartition("/")[2] if soname is None else soname,
        needed=tuple(dict.fromkeys((*needed, *wanted))),
        rpath=(),
        runpath=tuple(runpath),
        needed_versions=wanted,
        defined_versions=tuple(defines),
    )


def package(
    name: str,
    *elves: ElfFacts,
    files: Iterable[str] = (),
    links: Mapping[str, str] | None = None,
    contents: Mapping[str, str] | None = None,
    version: str = "1.0",
) -> Manifest:
    """A package that holds libraries and other files, each of its own content.

    ``contents`` gives some files the content of others; ``links`` map further paths to what
    they say.
    """
    paths = [*(each.path for each in elves), *files, f"{SITE}/{name}-{version}.dist-info/METADATA"]
    told = contents or {}
    return make_manifest(
        name=PackageName(name),
        version=version,
        wheel=f"{name}-{version}-py3-none-any.whl",
        root_is_purelib=False,
        dist_info=f"{name}-{version}.dist-info",
        entry_points=(),
        files=[FileFacts(path, 1, False, told.get(path, name + path)) for path in paths],
        elf=elves,
        links=[LinkFacts(path, text) for path, text in (links or {}).items()],
    )


def laid_package(manifest: Manifest) -> LaidEntry:
    """The same as an entry of a view."""
    return LaidEntry(
        key=StoreKey(manifest.name), root=f"{STORE}/{manifest.name}", manifest=manifest
    )


def vendor(
    name: str,
    copy: str = "",
    *,
    defines: Sequence[str] = ("GOMP_1.0",),
    wants: Sequence[str] = ("GOMP_1.0",),
    content: str | None = None,
    needs: Sequence[str] = (),
    machine: str = "x86_64",
    bits: int = 64,
    more: Iterable[ElfFacts] = (),
) -> Manifest:
    """A package ``x`` with ``x/_core.so``, which wants versions of its ``x.libs/<copy>``.

    The copy is one of libgomp, with a name of its own, unless another is named.
    """
    copy = copy or f"libgomp-{name}.so.1.0.0"
    path = f"{SITE}/{name}.libs/{copy}"
    core = elf(
        f"{SITE}/{name}/_core.so",
        soname="",
        wants={copy: wants},
        runpath=(f"$ORIGIN/../{name}.libs",),
        machine=machine,
        bits=bits,
    )
    library = elf(
        path, needed=needs, defines=defines, runpath=("$ORIGIN",), machine=machine, bits=bits
    )
    contents = {} if content is None else {path: content}
    return package(name, core, library, *more, contents=contents)
