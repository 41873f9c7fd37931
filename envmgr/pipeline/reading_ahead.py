"""Code that a command will need, read while something else is waited for."""

from functools import partial
from importlib import import_module
from threading import Thread

from envmgr.index.cache import FORMAT
from envmgr.spec.settings import Settings
from envmgr.threads import begin_thread

SOLVING = "envmgr.pipeline.solve"
ASKING = "envmgr.index.client"
FETCHING = "envmgr.index.fetch"


def read_ahead(settings: Settings, *, solving: bool) -> Thread | None:
    """Begin to import what resolves, or what fetches: a probed interpreter takes as long to answer.

    What speaks HTTP is read where it is sure to be needed, since nothing was ever fetched.
    """
    modules = _modules(settings, solving=solving)
    return begin_thread("reading-ahead", partial(_read, modules)) if modules else None


def _modules(settings: Settings, *, solving: bool) -> tuple[str, ...]:
    asking = () if settings.offline else (ASKING,)
    if solving:
        return (SOLVING, *(() if (settings.cache / FORMAT).is_dir() else asking))
    return () if settings.stores[0].is_dir() else (FETCHING, *asking)


def _read(modules: tuple[str, ...]) -> None:
    for module in modules:
        import_module(module)
