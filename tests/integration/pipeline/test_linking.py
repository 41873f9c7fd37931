"""``conflicts`` and ``link`` of an environment file, from the file to what a program sees."""

import os
from pathlib import Path

import pytest

from envmgr.events import Warned
from envmgr.link.generation import read_current
from envmgr.link.inputs import LayoutClash
from envmgr.link.prefix import current_generation
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.wheels import Wheel, make_wheel

OPENCV, HEADLESS = (
    make_wheel(
        name,
        files={
            "cv2/__init__.py": "from cv2.version import flavour\n",
            "cv2/version.py": f"flavour = {name!r}\n",
            "cv2/data/same.xml": "<same/>\n",
            f"{name.replace('-', '_')}.libs/lib.so": name,
        },
    )
    for name in ("opencv-python", "opencv-python-headless")
)
ONEMPI, TWOMPI = (
    make_wheel(
        name,
        files={},
        data={
            **{f"data/include/mpi{part}.h": f"{name} {part}" for part in range(20)},
            "data/lib/libmpi.so": name,
            "data/bin/mpiexec": f"#!/bin/sh\necho {name}\n",
            f"data/lib/{name}/plugin.so": name,
        },
        executable=[f"{name}-1.0.data/data/bin/mpiexec"],
    )
    for name in ("onempi", "twompi")
)


def serve(server: IndexServer, *wheels: Wheel) -> None:
    for wheel in wheels:
        server.add(wheel)


def warnings(project: Project) -> list[str]:
    return [event.text for event in project.events if isinstance(event, Warned)]


def site(project: Project) -> Path:
    (found,) = current_generation(project.prefix).glob("lib/*/site-packages")
    return found


def test_two_packages_with_one_module_are_refused_with_the_lines_that_help(
    project: Project, server: IndexServer
) -> None:
    serve(server, OPENCV, HEADLESS)
    project.write("opencv-python", "opencv-python-headless")
    with pytest.raises(LayoutClash) as refusal:
        project.create()
    assert not os.path.lexists(project.prefix)
    assert refusal.value.exit_code == 9
    lines = refusal.value.hint.split(":\n", 1)[1]
    assert lines == "conflicts:\n  - {path: cv2/version.py, keep: opencv-python}"

    project.write("opencv-python", "opencv-python-headless", more=lines + "\n")

    assert project.create().made == "created"
    assert project.python("import cv2; print(cv2.flavour)") == "opencv-python"
    assert warnings(project) == []


def test_the_other_package_can_be_kept_without_resolving_again(
    project: Project, server: IndexServer
) -> None:
    serve(server, OPENCV, HEADLESS)
    rule = "conflicts:\n  - {{path: cv2/**, keep: {}}}\n"
    project.write("opencv-python", "opencv-python-headless", more=rule.format("opencv-python"))
    project.create()
    project.write(
        "opencv-python", "opencv-python-headless", more=rule.format("OpenCV_Python.Headless")
    )

    changed = project.create()

    assert (changed.made, changed.lock_written) == ("updated", False)
    assert project.python("import cv2; print(cv2.flavour)") == "opencv-python-headless"
    assert project.create().made == "unchanged"


def test_packages_with_files_in_common_stand_side_by_side_where_rules_say_whose(
    project: Project, server: IndexServer
) -> None:
    serve(server, ONEMPI, TWOMPI)
    project.write("onempi", "twompi")
    with pytest.raises(LayoutClash) as refusal:
        project.create()
    lines = refusal.value.hint.split(":\n", 1)[1]
    assert lines.splitlines() == [
        "conflicts:",
        "  - {path: /bin/mpiexec, keep: onempi}",
        "  - {path: /include/*, keep: onempi}",
        "  - {path: /lib/libmpi.so, keep: onempi}",
    ]

    project.write("onempi", "twompi", more=lines.replace("onempi", "twompi") + "\n")
    project.create()

    assert (project.prefix / "lib/libmpi.so").read_text() == "twompi"
    assert (project.prefix / "include/mpi7.h").read_text() == "twompi 7"
    assert (project.prefix / "lib/onempi/plugin.so").read_text() == "onempi"


def test_rules_and_ways_for_packages_that_are_not_there_are_warned_of(
    project: Project, server: IndexServer
) -> None:
    serve(server, OPENCV)
    project.write(
        "opencv-python",
        more="conflicts:\n"
        "  - {path: cv2/**, keep: opencv-contrib}\n"
        "  - {path: cv2/version.py, keep: opencv-python}\n"
        "  - {path: cv2/checks.py, keep: checks}\n"
        "link: {absent: copy, checks: file}\n"
        "groups: {test: [checks]}\n",
    )

    project.create()

    absent, undisputed, stray = warnings(project)
    assert absent.endswith("keep: opencv-contrib}, and opencv-contrib is not in this environment")
    assert "{path: cv2/version.py, keep: opencv-python}, and no other package" in undisputed
    assert stray == "`link` has absent, which is not in this environment"


def test_a_copied_package_can_be_edited_and_other_packages_cannot(
    project: Project, server: IndexServer
) -> None:
    serve(server, OPENCV)
    project.write("opencv-python", "beta", more="link: {opencv-python: copy}\n")
    created = project.create()
    generation = current_generation(project.prefix)
    made = sum(len(names) + len(files) for _, names, files in os.walk(generation))
    assert made == created.entries + len(["generation.json"])

    (site(project) / "cv2/version.py").write_text("flavour = 'mine'\n", "utf-8")

    assert project.python("import cv2; print(cv2.flavour)") == "mine"
    assert (site(project) / "beta").is_symlink()
    record = read_current(project.prefix)
    assert record is not None
    assert record.taken == ("cv2", "opencv_python.libs")


def test_what_is_copied_is_not_taken_for_another_installers(
    project: Project, server: IndexServer
) -> None:
    serve(server, OPENCV)
    project.write("opencv-python", more="link: {opencv-python: copy}\n")
    project.create()
    (site(project) / "stray.py").write_text("", "utf-8")
    project.write("opencv-python", "beta", more="link: {opencv-python: hardlink}\n")

    project.create()

    (told,) = warnings(project)
    assert "stray.py" in told
    assert "cv2" not in told
    module = site(project) / "cv2/version.py"
    assert module.stat().st_nlink >= 2
    assert not module.is_symlink()


def test_a_way_that_changes_makes_a_new_generation_and_leaves_the_lock(
    project: Project, server: IndexServer
) -> None:
    serve(server, OPENCV)
    project.write("opencv-python")
    folded = project.create()
    project.write("opencv-python", more="link: {opencv-python: file}\n")

    filed = project.create()

    assert (filed.made, filed.lock_written) == ("updated", False)
    assert filed.entries > folded.entries
    assert not (site(project) / "cv2").is_symlink()
    assert (site(project) / "cv2/version.py").is_symlink()
