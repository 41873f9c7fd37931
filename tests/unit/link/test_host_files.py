"""Files of a view that lead to what the machine has."""

import pytest

from envmgr.link.inputs import LaidEntry, LaidFile, Layout, LayoutInputs
from envmgr.link.layout import LayoutClash, layout
from envmgr.names import EnvironmentName
from tests.support.manifests import GENERATION, PYTHON, laid

HOST = {"lib/libmpi.so.12": LaidFile(b"\x7fELF"), "bin/mpiexec": LaidFile(b"#!/bin/sh\n", 0o755)}


def lay_on_host(*entries: LaidEntry) -> Layout:
    return layout(
        LayoutInputs(
            interpreter=PYTHON,
            entries=entries,
            name=EnvironmentName("trial"),
            generation=GENERATION,
            host=HOST,
        )
    )


def test_they_stand_in_the_view_as_they_are() -> None:
    view = lay_on_host(laid("alpha", "data/lib/libalpha.so", "data/bin/alpha"))

    assert {path: view.files[path] for path in HOST} == HOST
    assert {"lib/libalpha.so", "bin/alpha"} <= set(view.links)


@pytest.mark.parametrize("path", HOST)
def test_a_wheel_that_brings_the_same_clashes_with_them(path: str) -> None:
    with pytest.raises(LayoutClash) as clash:
        lay_on_host(laid("mpich", f"data/{path}"))

    assert [(each.path, each.first) for each in clash.value.clashes] == [(path, "mpich")]
