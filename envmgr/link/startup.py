"""The start-up file of a generation: the only thing of envmgr that its interpreter loads.

A program started as ``PREFIX/bin/python`` runs through the link ``current``,
which a later ``sync`` moves. The file moves the process onto the generation
that stood there when it started, so that imports made later still find the
packages it started with. A probe (``python -I -c ...``) is told the prefix itself:
who asks so may remember the answer, and a generation is not for ever (uv keeps it
for as long as the base interpreter is the same: *tried*).

It also keeps what the process caches out of the store, where other environments
would find it. numba is told a directory of the generation: by itself it writes
beside the module, which for root is in the store, and takes the caches that are there
although they inline functions of other packages (*tried*: wrong results). Root's
Python writes no bytecode into entries; everybody else's cannot.

A variable that a runtime needs may name a place of the environment, as ``{prefix}/lib/...``:
the generation's is put there. Children inherit it, programs of other environments among
them, which take their own instead, or none.

``_envmgr.pth`` calls it in every Python until 3.17, ``_envmgr.start`` from 3.15 on
(PEP 829, which then ignores the other one's line).
"""

from collections.abc import Mapping

from envmgr.link.prefix import CACHES
from envmgr.store.store import LAYOUT

MODULE = "_envmgr"
PTH = f"import {MODULE}; {MODULE}.start()\n"
START = f"{MODULE}:start\n"

_TEXT = '''\
"""Keeps a process on the generation of the environment that it started with."""

import os
import sys

VARIABLES = {variables}
PLACES = ("MPI4PY_LIBMPI",)
CACHES = {caches}
ENTRIES = {entries}


class _Last:
    """Asked for ``sitecustomize`` once every .pth file is read; moves what they added."""

    def __init__(self, old, new):
        self.paths = old, new

    def find_spec(self, name, path=None, target=None):
        if name == "sitecustomize":
            sys.meta_path.remove(self)
            _move_paths(*self.paths)
            site = sys.modules.get("site")
            if site is not None:
                site.PREFIXES[:] = [_moved(each, *self.paths) for each in site.PREFIXES]
        return None


def _moved(path, old, new):
    if path == old or path.startswith(old + os.sep):
        rest = path[len(old):]
        if not rest.startswith(os.sep + ".envmgr" + os.sep):
            return new + rest
    return path


def _move_paths(old, new):
    seen = set()
    kept = []
    for path in sys.path:
        path = _moved(path, old, new)
        if path not in seen:
            seen.add(path)
            kept.append(path)
    sys.path[:] = kept


def _generation(prefix):
    state = os.path.join(prefix, ".envmgr")
    try:
        return os.path.join(state, os.readlink(os.path.join(state, "current")))
    except OSError:
        pass
    if os.path.basename(prefix) == "current":
        try:
            return os.path.join(os.path.dirname(prefix), os.readlink(prefix))
        except OSError:
            pass
    return None


def _is_probe():
    """Tell tools that ask where the environment is, and keep the answer, from programs in it."""
    return sys.flags.isolated and sys.argv[:1] == ["-c"]


def _pin():
    old = sys.prefix
    new = _generation(old)
    if new is None or not os.path.isdir(new):
        return
    if sys.exec_prefix == old:
        sys.exec_prefix = new
    sys.prefix = new
    sys.executable = _moved(sys.executable or "", old, new)
    _move_paths(old, new)
    sys.meta_path.insert(0, _Last(old, new))


def _follow_activation():
    """Name the generation where an activated shell names the prefix, as sys.prefix does."""
    prefix = sys.prefix.partition(os.sep + os.path.join(".envmgr", "generations") + os.sep)[0]
    if prefix != sys.prefix and os.environ.get("VIRTUAL_ENV") == prefix:
        os.environ["VIRTUAL_ENV"] = sys.prefix


def _set_variables():
    """Set what runtimes need and the user has not; what other environments set does not count."""
    here = _generation(sys.prefix) or sys.prefix
    for name in PLACES:
        if "envmgr/generations/" in os.environ.get(name, ""):
            del os.environ[name]
    for name, value in VARIABLES.items():
        os.environ.setdefault(name, value.replace("{prefix}", here))


def _keep_caches_apart():
    """Tell numba a place of this generation, unless the user has named one."""
    told = os.environ.get("NUMBA_CACHE_DIR", "")
    if told and "envmgr/generations/" not in told:
        return
    here = _generation(sys.prefix) or sys.prefix
    try:
        ours = os.stat(here).st_uid == os.geteuid()
    except OSError:
        return
    if not ours:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        here = os.path.join(base, "envmgr", "generations", os.path.basename(here))
    os.environ["NUMBA_CACHE_DIR"] = os.path.join(here, CACHES)


def _spare_entries():
    """Write no bytecode into the store as root, whom its modes do not stop."""
    loader = type(__spec__.loader)
    write = loader.set_data

    def set_data(self, path, data, **options):
        if ENTRIES not in os.path.realpath(path):
            write(self, path, data, **options)

    loader.set_data = set_data


def start():
    _set_variables()
    if not _done:
        _done.append(True)
        if not _is_probe():
            _pin()
            _follow_activation()
        _keep_caches_apart()
        if os.geteuid() == 0:
            _spare_entries()


_done = []
'''


def render_startup(variables: Mapping[str, str]) -> dict[str, str]:
    """Render the start-up file as name -> text, to stand in ``site-packages``.

    ``variables`` are what shared runtimes need; they are set where the user has
    not set them. ``{prefix}`` in a value stands for the generation.
    """
    lines = [f"    {name!r}: {value!r},\n" for name, value in sorted(variables.items())]
    table = "{\n" + "".join(lines) + "}" if lines else "{}"
    text = _TEXT.replace("{variables}", table)
    text = text.replace("{caches}", repr(f"{CACHES}/numba"))
    text = text.replace("{entries}", repr(f"/{LAYOUT}/entries/"))
    return {
        f"{MODULE}.py": text,
        f"{MODULE}.pth": PTH,
        f"{MODULE}.start": START,
    }
