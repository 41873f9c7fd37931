"""Code that a resolution will need, read while something else is waited for."""

from importlib import import_module
from threading import Thread

from envmgr.index.cache import FORMAT
from envmgr.spec.settings import Settings

SOLVING = "envmgr.pipeline.solve"
FETCHING = "envmgr.index.client"


def read_ahead(settings: Settings) -> Thread:
    """Begin to import what resolves: an interpreter that is probed takes as long to answer.

    What speaks HTTP is read where it is sure to be needed, since nothing was ever fetched.
    """
    cold = not settings.offline and not (settings.cache / FORMAT).is_dir()
    thread = Thread(target=_read, args=((SOLVING, FETCHING) if cold else (SOLVING,),), daemon=True)
    thread.start()
    return thread


def _read(modules: tuple[str, ...]) -> None:
    for module in modules:
        import_module(module)
