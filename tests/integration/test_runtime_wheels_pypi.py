"""Wheels of shared runtimes made of real ones, loaded after pip and in views: `make slow`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from envmgr.files import remove_tree
from envmgr.wheel.elf import parse_elf
from tests.integration.cli.terminal import ROOT

pytestmark = pytest.mark.slow

LIBGOMP = Path("/usr/lib/x86_64-linux-gnu/libgomp.so.1")
THREADS = """\
import ctypes, sys
for name in sys.argv[1:]:
    assert ctypes.CDLL(f"{sys.prefix}/lib/{name}").omp_get_max_threads() > 0, name
print(len({line.split()[4] for line in open("/proc/self/maps") if "omp" in line}))
"""


@pytest.fixture
def home(tmp_path: Path) -> object:
    yield tmp_path
    remove_tree(tmp_path / "home")


def run(*words: str | Path, directory: Path) -> str:
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "ENVMGR_HOME": str(directory / "home"),
        "ENVMGR_CACHE": str(directory / "cache"),
    }
    line = list(map(str, words))
    done = subprocess.run(
        line, cwd=directory, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def envmgr(*words: str | Path, directory: Path) -> Any:
    return json.loads(run(sys.executable, "-m", "envmgr", *words, "--json", directory=directory))[
        "result"
    ]


def build(home: Path, text: str) -> dict[str, Any]:
    (home / "recipe.yaml").write_text(text, "utf-8")
    (wheel,) = envmgr("recipe", "build", "recipe.yaml", "-o", "out", directory=home)["wheels"]
    return dict(wheel)


def pip_python(home: Path, wheel: Path) -> Path:
    """Install a wheel with pip into a new environment and return its interpreter."""
    run(sys.executable, "-m", "venv", "venv", directory=home)
    python = home / "venv/bin/python"
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    install = [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel]
    subprocess.run(list(map(str, install)), cwd=home, env=environ, check=True)
    return python


def view_python(home: Path, package: str) -> Path:
    """Make an environment of the wheels in ``out`` and return its interpreter."""
    (home / "environment.yaml").write_text(
        f"schema: 1\nname: x\nindexes: [{{name: out, url: '{(home / 'out').as_uri()}/'}}]\n"
        f"dependencies: [{package}]\n",
        "utf-8",
    )
    envmgr("create", "-p", "view", directory=home)
    return home / "view/bin/python"


def test_intel_s_runtime_is_small_and_loads_with_pip_and_in_a_view(home: Path) -> None:
    built = build(
        home,
        "build: {shared-iomp: {wheel: intel-openmp >=2025, keep: [data/lib/libiomp5.so], "
        "links: {libomp.so: libiomp5.so}}}\n",
    )

    assert built["unpacked_before"] > 100e6
    assert built["wheel"]["unpacked"] < 5e6
    assert any("LICENSE" in name for name in built["licences"])
    plain = pip_python(home, home / built["wheel"]["path"])
    assert run(plain, "-c", THREADS, "libiomp5.so", directory=home) == "1\n"
    assert not (home / "venv/lib/libomp.so").exists()
    view = view_python(home, "shared-iomp")
    assert run(view, "-c", THREADS, "libomp.so", "libiomp5.so", directory=home) == "1\n"
    assert not envmgr("store", "verify", directory=home)["damaged"]


def test_a_grafted_library_gets_its_own_name_back(home: Path) -> None:
    built = build(
        home,
        "build: {shared-gomp: {wheel: scikit-learn, keep: ['site-packages/*.libs/libgomp-*'], "
        "sonames: {libgomp-*: libgomp.so.1}}}\n",
    )

    (link,) = built["links"]
    assert link["target"].endswith("/libgomp.so.1")
    view = view_python(home, "shared-gomp")
    place = next((home / "view").glob("lib/python*/site-packages/*.libs/libgomp.so.1"))
    code = f"import ctypes; print(ctypes.CDLL({str(place)!r}).omp_get_max_threads() > 0)"
    assert run(view, "-c", code, directory=home) == "True\n"
    facts = parse_elf(place.read_bytes(), place.name)
    assert facts is not None
    assert facts.soname == "libgomp.so.1"


@pytest.mark.skipif(not LIBGOMP.exists(), reason="needs Debian's libgomp1")
def test_a_library_of_the_host_loads_with_pip_and_in_a_view(home: Path) -> None:
    built = build(home, "build: {host-gomp: {host: libgomp.so.1, version: 12}}\n")

    assert "-py3-none-manylinux_2_" in built["wheel"]["path"]
    plain = pip_python(home, home / built["wheel"]["path"])
    assert run(plain, "-c", THREADS, "libgomp.so.1", directory=home) == "1\n"
    view = view_python(home, "host-gomp")
    assert run(view, "-c", THREADS, "libgomp.so", "libgomp.so.1", directory=home) == "1\n"


def test_tbb_is_there_once_under_three_names(home: Path) -> None:
    run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "tbb", directory=home)
    (wheel,) = home.glob("tbb-*.whl")

    linked = envmgr("wheel", "link", wheel, "-o", "out", directory=home)

    assert linked["wheel"]["unpacked"] < 0.4 * linked["unpacked_before"]
    again = envmgr("wheel", "link", home / linked["wheel"]["path"], "-o", "again", directory=home)
    assert again["wheel"]["sha256"] == linked["wheel"]["sha256"]
    plain = pip_python(home, home / linked["wheel"]["path"])
    load = "import ctypes, sys; ctypes.CDLL(sys.prefix + '/lib/libtbb.so.12')"
    run(plain, "-c", load, directory=home)
    names = {link["path"].rpartition("/")[2] for link in linked["links"]}
    assert "libtbb.so" in names
    assert not (home / "venv/lib/libtbb.so").exists()
