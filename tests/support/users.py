"""Doing something as somebody who is not root, since modes do not stop root."""

import ctypes
import json
import os
from collections.abc import Callable

NOBODY = 65534
PR_CAPBSET_DROP = 24
CAPABILITIES = 41


def as_nobody(action: Callable[[], str]) -> str:
    """Return what ``action`` returns in a process without privileges.

    Under root it is a child with another uid; anybody else is without privileges
    already. Whatever ``action`` imports must have been imported before.
    """
    if os.geteuid() != 0:
        return action()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(action, writing)
    os.close(writing)
    with open(reading, encoding="utf-8") as answers:
        said = answers.read()
    os.waitpid(child, 0)
    assert said, "the child without privileges ended without an answer"
    answer, failure = json.loads(said)
    assert failure is None, failure
    return str(answer)


def _answer(action: Callable[[], str], writing: int) -> None:
    try:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        said = json.dumps([action(), None])
    except BaseException as error:  # noqa: BLE001 - everything goes to the parent, nothing returns
        said = json.dumps([None, repr(error)])
    os.write(writing, said.encode())
    os._exit(0)


def hold_back() -> None:
    """For a child's ``preexec_fn``: what it becomes has root's files and no root's powers.

    The owner of a store, that is, who is an ordinary user; modes hold as they do there.
    """
    if os.geteuid() == 0:
        for capability in range(CAPABILITIES):
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
