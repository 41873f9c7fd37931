"""What uv and pip do to a view, as root and as an ordinary user: nothing to the store."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envmgr.files import remove_tree
from envmgr.link.foreign import read_foreign
from envmgr.link.prefix import current_generation
from envmgr.names import StoreKey
from envmgr.store.entry import Entry
from envmgr.store.store import Store, open_store
from envmgr.store.tamper import find_tampering
from tests.support.users import hold_back
from tests.support.views import add, make_view, run
from tests.support.wheels import make_wheel

Tool = Callable[..., subprocess.CompletedProcess[str]]

UV = str(Path(sys.executable).parent / "uv")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield open_store((tmp_path / "home",))
    remove_tree(tmp_path / "home")


@pytest.fixture
def prefix(store: Store, tmp_path: Path) -> Path:
    """A view of alpha 1.0 and ``space``, with wheels of others to install from a directory."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for wheel in (
        make_wheel("alpha", "2.0"),
        make_wheel("alpha", "1.0"),
        make_wheel("beta", "1.0"),
        make_wheel("later", "1.0", requires=["alpha >=2"]),
        make_wheel("tenant", "1.0", files={"space/tenant.py": ""}),
    ):
        wheel.write_to(shelf)
    entries = [
        add(store, make_wheel("alpha", "1.0"), tmp_path / "own"),
        add(store, make_wheel("space", "1.0", files={"space/one.py": ""}), tmp_path / "own"),
    ]
    make_view(tmp_path / "env", entries)
    return tmp_path / "env"


def contents(store: Store) -> dict[str, str]:
    """Every path of the store with its mode and what it holds."""
    found = {}
    for directory, directories, names in os.walk(store.path):
        for path in (Path(directory, name) for name in (*directories, *names)):
            held = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            found[str(path)] = f"{path.lstat().st_mode:o} {held}"
    return found


@pytest.fixture(params=["root", "user"])
def powers(request: pytest.FixtureRequest) -> Callable[[], None] | None:
    return None if request.param == "root" else hold_back


@pytest.fixture(params=["uv", "pip"])
def tool(
    request: pytest.FixtureRequest,
    powers: Callable[[], None] | None,
    prefix: Path,
    tmp_path: Path,
) -> Tool:
    """Call ``uv pip`` or ``pip`` on the view, as root or as the store's owner."""
    python = str(prefix / "bin/python")

    def call(verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        shelf = ["--no-index", "--find-links", str(tmp_path / "shelf")] * (verb == "install")
        if request.param == "uv":
            common = ["--offline", "--no-config", "--cache-dir", str(tmp_path / "uv-cache")]
            command = [UV, "pip", verb, *words, *shelf, "--python", python, *common]
        else:
            yes = ["--yes"] * (verb == "uninstall")
            options = ["--isolated", "--no-cache-dir", "--disable-pip-version-check"]
            command = [sys.executable, "-m", "pip", "--python", python]
            command += [*options, verb, *words, *yes, *shelf]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            preexec_fn=powers,
        )

    return call


def say_version(prefix: Path) -> str:
    return run(prefix / "bin/python", "-B", "-c", "import alpha; print(alpha.__version__)")


@pytest.mark.parametrize(
    "words",
    [
        ("install", "alpha==2.0"),
        ("install", "later"),
        ("uninstall", "alpha"),
    ],
    ids=" ".join,
)
def test_a_package_of_the_view_is_neither_replaced_nor_removed(
    store: Store, prefix: Path, tool: Tool, words: tuple[str, str]
) -> None:
    before = contents(store)

    done = tool(*words)

    assert done.returncode != 0
    assert "RECORD" in done.stderr
    assert contents(store) == before
    assert say_version(prefix) == "1.0"
    assert not list(prefix.glob("lib/*/site-packages/alpha-2.0.dist-info"))


def test_reinstalling_is_refused(store: Store, prefix: Path, tool: Tool) -> None:
    before = contents(store)
    option = "--force-reinstall"

    done = tool("install", option, "alpha==1.0")

    assert done.returncode != 0
    assert contents(store) == before
    assert say_version(prefix) == "1.0"


def test_a_new_package_comes_and_goes_again(store: Store, prefix: Path, tool: Tool) -> None:
    before = contents(store)

    assert tool("install", "beta").returncode == 0
    (found,) = read_foreign(current_generation(prefix)).distributions
    assert (found.name, found.version) == ("beta", "1.0")
    assert found.installer in ("uv", "pip")
    assert run(prefix / "bin/python", "-B", "-c", "import beta, alpha") == ""

    assert tool("uninstall", "beta").returncode == 0
    assert not read_foreign(current_generation(prefix))
    assert contents(store) == before


def test_writing_into_a_folded_directory_is_denied_or_noticed(
    store: Store, prefix: Path, tool: Tool, powers: Callable[[], None] | None
) -> None:
    before = contents(store)
    place = next(prefix.glob("lib/*/site-packages/space")).resolve()
    entry = Entry(StoreKey(place.parents[1].name), place.parents[1])

    done = tool("install", "tenant")

    if powers is None and os.geteuid() == 0:
        found = find_tampering(entry)
        assert done.returncode == 0
        assert found is not None
        assert "site-packages/space/tenant.py" in found.added
    else:
        assert done.returncode != 0
        assert contents(store) == before
