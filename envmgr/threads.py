"""Threads that end with the program, where the system has any left to give."""

from collections.abc import Callable
from threading import Thread


def begin_thread(name: str, work: Callable[[], object]) -> Thread | None:
    """Let a daemon thread do ``work``; ``None`` where a limit (``ulimit -u``) leaves no thread."""
    thread = Thread(target=work, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return None
    return thread
