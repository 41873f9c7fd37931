"""``spacy download`` in a view: what pip or uv puts there, and what becomes of it: `make slow`.

Models are not on PyPI, so one is made, packaged as spaCy does it, and served here.
"""

import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.integration.test_tools_pypi import Environment

pytestmark = pytest.mark.slow

FILE = """\
schema: 1
name: tools
python: "3.12"
exclude-newer: 2026-11-01
dependencies: [spacy, build, setuptools, wheel{more}]
"""
MODEL = "en_core_web_sm-3.8.0"
MAKE = """
import spacy
made = spacy.blank("en")
made.add_pipe("sentencizer")
made.to_disk("model")
"""
DOWNLOAD = """
from spacy import about
about.__download_url__ = "{url}/"
from spacy.cli import download
download("{model}", True, False, None, "--no-deps")
"""
LOAD = "import spacy; print(len(list(spacy.load('en_core_web_sm')('Hello. You.').sents)))"
LIKE_A_USER = "--bounding-set=-dac_override,-dac_read_search,-fowner"
"""For root: modes hold then as they do for everybody else."""


class Models(Environment):
    """An environment with spaCy, and a server that has a model."""

    def write(self, more: str = "") -> None:
        (self.directory / "environment.yaml").write_text(FILE.format(more=more), "utf-8")

    def make_model(self) -> None:
        self.python(MAKE)
        named = ("--name", "core_web_sm", "--version", "3.8.0")
        self.program("python", "-m", "spacy", "package", "model", ".", "--build", "wheel", *named)
        place = self.directory / "served" / MODEL
        place.mkdir(parents=True)
        (wheel,) = (self.directory / MODEL / "dist").glob("*.whl")
        shutil.copy(wheel, place)

    def download(self, url: str) -> str:
        """``spacy download`` as a user, by whatever installer it finds."""
        held = ["setpriv", LIKE_A_USER] if os.geteuid() == 0 else []
        code = DOWNLOAD.format(url=url, model=MODEL)
        words = ("-m", "envmgr", "run", "-n", "tools", "python", "-c", code)
        return self.call(*held, sys.executable, *words)

    def installers(self) -> dict[str, str]:
        rows = json.loads(self.envmgr("list", "-n", "tools", "--json"))["result"]["packages"]
        return {row["name"]: row["installer"] for row in rows}


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    with TemporaryDirectory(prefix="envmgr-spacy-") as directory:
        made = Models(Path(directory))
        (made.directory / "nobody").mkdir()
        made.write()
        made.envmgr("create", "--no-compile")
        made.make_model()
        yield made


@pytest.fixture
def url(models: Models) -> Iterator[str]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(models.directory / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_a_downloaded_model_is_loaded_listed_and_can_be_taken_into_the_file(
    models: Models, url: str, installer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """spaCy takes pip where the environment has it, else the uv that is on PATH."""
    bin_of_uv = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", f"{bin_of_uv}:{os.environ['PATH']}")
    models.write(more=", pip" if installer == "pip" else "")
    models.envmgr("sync", "tools", "--no-compile")

    models.download(url)

    assert models.python(LOAD) == "2"
    assert models.installers()["en-core-web-sm"] == installer
    models.write(more=", six")
    models.call(sys.executable, "-m", "envmgr", "sync", "tools", "--no-compile", expect=9)
    assert models.python(LOAD) == "2"

    models.write(more=f", six, 'en-core-web-sm @ {url}/{MODEL}/{MODEL}-py3-none-any.whl'")
    models.envmgr("sync", "tools", "--no-compile")

    assert models.python(LOAD) == "2"
    assert models.installers()["en-core-web-sm"] == "envmgr"
