"""Code that a command will need, read while something else is waited for."""

from importlib import import_module
from threading import Thread

from envmgr.index.cache import FORMAT
from envmgr.spec.settings import Settings

SOLVING = "envmgr.pipeline.solve"
ASKING = "envmgr.index.client"
FETCHING = "envmgr.index.fetch"


def read_ahead(settings: Settings, *, solving: bool) -> Thread | None:
    """Begin to import what resolves, or what fetches: a probed interpreter takes as long to answer.

    What speaks HTTP is read where it is sure to be needed, since nothing was ever fetched.
    """
    modules = _modules(settings, solving=solving)
    if not modules:
        return None
    thread = Thread(target=_read, args=(modules,), daemon=True)
    thread.start()
    return thread


def _modules(settings: Settings, *, solving: bool) -> tuple[str, ...]:
    asking = () if settings.offline else (ASKING,)
    if solving:
        return (SOLVING, *(() if (settings.cache / FORMAT).is_dir() else asking))
    return () if settings.stores[0].is_dir() else (FETCHING, *asking)


def _read(modules: tuple[str, ...]) -> None:
    for module in modules:
        import_module(module)
