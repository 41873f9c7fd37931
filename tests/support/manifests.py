"""Manifests and interpreters of thought: enough to lay out a view that nobody makes."""

from collections.abc import Iterable, Mapping

from envmgr.link.inputs import LaidEntry, Layout, LayoutInputs
from envmgr.link.layout import layout
from envmgr.names import EnvironmentName, PackageName, StoreKey
from envmgr.spec.views import ConflictRule, LinkWay
from envmgr.target.types import MARKER_VARIABLES, Interpreter
from envmgr.wheel.manifest import ElfFacts, EntryPoint, FileFacts, LinkFacts, make_manifest

SITE = "lib/python3.12/site-packages"
STORE = "/store"
GENERATION = "/envs/trial/.envmgr/generations/one"

PYTHON = Interpreter(
    executable="/opt/python/bin/python3.12",
    version=(3, 12, 1),
    implementation="cpython",
    free_threaded=False,
    debug=False,
    pointer_bits=64,
    platform="linux-x86_64",
    libc=None,
    soabi="cpython-312-x86_64-linux-gnu",
    cache_tag="cpython-312",
    magic="cb0d0d0a",
    markers=dict.fromkeys(MARKER_VARIABLES, ""),
    site_packages=SITE,
    headers="include/python3.12",
)


def laid(
    name: str,
    *paths: str,
    contents: Mapping[str, str] | None = None,
    reaching: tuple[str, ...] = (),
    entry_points: Iterable[EntryPoint] = (),
    scripts: Mapping[str, bytes] | None = None,
    requested: bool = False,
    direct_url: str | None = None,
    way: LinkWay = LinkWay.FOLD,
    programs: tuple[str, ...] = (),
    executable: tuple[str, ...] = (),
    links: Mapping[str, str] | None = None,
) -> LaidEntry:
    """An entry that holds ``paths``, each of its own content unless ``contents`` gives one.

    ``programs`` are ELF files among them; ``links`` map further paths to what they say.
    """
    manifest = make_manifest(
        name=PackageName(name),
        version="1.0",
        wheel=f"{name}-1.0-py3-none-any.whl",
        root_is_purelib=True,
        dist_info=f"{name}-1.0.dist-info",
        entry_points=tuple(entry_points),
        files=[
            FileFacts(
                path,
                1,
                path.startswith("scripts/") or path in executable,
                (contents or {}).get(path, name + path),
            )
            for path in (*paths, f"site-packages/{name}-1.0.dist-info/METADATA")
        ],
        elf=[ElfFacts(path, "x86_64", 64, None, (), (), (), {}, ()) for path in programs],
        links=[LinkFacts(path, text) for path, text in (links or {}).items()],
    )
    import msgspec

    return LaidEntry(
        key=StoreKey(name),
        root=f"{STORE}/{name}",
        manifest=msgspec.structs.replace(manifest, reaching=reaching),
        scripts=scripts or {},
        requested=requested,
        direct_url=direct_url,
        way=way,
    )


def lay(
    *entries: LaidEntry,
    compiled: bool = False,
    conflicts: tuple[tuple[str, str], ...] = (),
    elsewhere: tuple[str, ...] = (),
    **activation: str,
) -> Layout:
    """The layout of some entries.

    ``conflicts`` are pairs of a path and whom to keep, ``activation`` further files in ``bin``.
    """
    return layout(
        LayoutInputs(
            interpreter=PYTHON,
            entries=entries,
            name=EnvironmentName("trial"),
            generation=GENERATION,
            activation={f"bin/{name}": text for name, text in activation.items()},
            compiled=compiled,
            conflicts=tuple(ConflictRule(path, PackageName(keep)) for path, keep in conflicts),
            elsewhere=frozenset(map(PackageName, elsewhere)),
        )
    )
