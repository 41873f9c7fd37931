"""Two packages that bring one path, as opencv-python and opencv-python-headless do."""

import pytest

from envmgr.link.inputs import LayoutClash
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.wheels import make_wheel


@pytest.fixture
def rivals(project: Project, server: IndexServer) -> Project:
    for name in ("vision", "vision-headless"):
        files = {"vision/__init__.py": f"kind = {name!r}\n", "vision/shared.py": "x = 1\n"}
        server.add(
            make_wheel(name, "1.0", files=files, data={"scripts/see": f"#!python\n# {name}"})
        )
    return project


def test_they_clash_and_the_error_has_the_line_that_settles_it(rivals: Project) -> None:
    rivals.write("vision", "vision-headless")
    with pytest.raises(LayoutClash) as failure:
        rivals.create()
    assert "  - {path: vision/__init__.py, keep: vision}" in failure.value.hint
    assert "  - {path: /bin/see, keep: vision}" in failure.value.hint
    assert len(failure.value.details()) == 2


def test_a_dry_run_looks_for_clashes_of_what_is_in_the_store(rivals: Project) -> None:
    rivals.write("vision", "vision-headless")
    assert rivals.create(dry_run=True).made == "created"  # nothing is known of them yet
    with pytest.raises(LayoutClash):
        rivals.create()

    with pytest.raises(LayoutClash) as failure:
        rivals.create(dry_run=True)

    assert len(failure.value.details()) == 2
    rule = "conflicts: [{path: '**', keep: vision}, {path: '/**', keep: vision}]\n"
    rivals.write("vision", "vision-headless", more=rule)
    assert rivals.create(dry_run=True).made == "created"


@pytest.mark.parametrize("keep", ["vision", "Vision_Headless"])
def test_the_one_that_keeps_the_paths_is_imported(rivals: Project, keep: str) -> None:
    rules = "".join(f"  - {{path: '{path}', keep: {keep}}}\n" for path in ("vision/*", "/bin/see"))
    rivals.write("vision", "vision-headless", more=f"conflicts:\n{rules}")
    rivals.create()
    kind = keep.lower().replace("_", "-")
    assert rivals.python("import vision, vision.shared; print(vision.kind)") == kind
    assert f"# {kind}" in (rivals.prefix / "bin" / "see").read_text().splitlines()


def test_another_winner_is_a_new_generation_from_the_same_lock(rivals: Project) -> None:
    rule = "conflicts: [{path: '**', keep: %s}, {path: '/**', keep: %s}]\n"
    rivals.write("vision", "vision-headless", more=rule % (("vision",) * 2))
    first = rivals.create()
    lock = rivals.lock_file.read_bytes()
    rivals.write("vision", "vision-headless", more=rule % (("vision-headless",) * 2))
    second = rivals.create()
    assert first.generation != second.generation
    assert rivals.lock_file.read_bytes() == lock
    assert rivals.python("import vision; print(vision.kind)") == "vision-headless"


def test_a_rule_that_nothing_needs_is_warned_of(rivals: Project) -> None:
    rivals.write("vision", more="conflicts: [{path: 'vision/*', keep: opencv}]\n")
    rivals.create()
    assert "opencv is not in this environment" in rivals.told()


def test_a_copied_package_may_write_into_its_own_directory(rivals: Project) -> None:
    rivals.write("vision", more="link: {vision: copy}\n")
    rivals.create()
    write = (
        "import pathlib, vision; place = pathlib.Path(vision.__file__).with_name('new.py');"
        "place.write_text('x = 5'); import vision.new; print(vision.new.x)"
    )
    assert rivals.python(write) == "5"
    rivals.write("vision")
    rivals.create()
    assert (
        rivals.python("import vision, importlib.util as u; print(u.find_spec('vision.new'))")
        == "None"
    )


NOTICES = "data/share/doc/mkl/licensing/third-party-programs.txt"


@pytest.fixture
def makers(project: Project, server: IndexServer) -> Project:
    """Packages that ``recipes/disputes.yaml`` names, and one it does not."""
    for name in ("mkl", "mkl-include", "other"):
        files = {
            f"{name.replace('-', '_')}.py": "",
            "both.py": f"# {name}" if name != "mkl" else "",
        }
        server.add(make_wheel(name, "1.0", files=files, data={NOTICES: f"of {name}"}))
    return project


def test_what_is_known_to_do_no_harm_is_settled_and_told(
    makers: Project, server: IndexServer
) -> None:
    server.add(make_wheel("mkl-include", "2.0", data={NOTICES: "of mkl-include"}))
    makers.write("mkl", "mkl-include")
    assert makers.create().made == "created"
    assert makers.create().made == "unchanged"
    assert (makers.prefix / NOTICES.removeprefix("data/")).read_text("utf-8") == "of mkl"
    (told,) = [each for each in makers.told().splitlines() if "licensing" in each]
    assert told.startswith("/share/doc/mkl/licensing/third-party-programs.txt is that of mkl;")
    assert makers.create(dry_run=True).made == "unchanged"


def test_the_files_own_word_goes_before_what_is_known(makers: Project, server: IndexServer) -> None:
    server.add(make_wheel("mkl-include", "2.0", data={NOTICES: "of mkl-include"}))
    rule = "conflicts: [{path: /share/doc/**, keep: mkl-include}]\n"
    makers.write("mkl", "mkl-include", more=rule)
    makers.create()
    text = (makers.prefix / NOTICES.removeprefix("data/")).read_text("utf-8")
    assert text == "of mkl-include"
    assert "licensing" not in makers.told()


def test_what_else_they_dispute_is_a_clash_alone(makers: Project) -> None:
    makers.write("mkl", "mkl-include ==1.0")
    with pytest.raises(LayoutClash) as failure:
        makers.create()
    assert [each.written for each in failure.value.clashes] == ["both.py"]


def test_a_package_that_is_not_listed_clashes_as_ever(makers: Project) -> None:
    rule = "conflicts: [{path: both.py, keep: other}]\n"
    makers.write("mkl", "other", more=rule)
    with pytest.raises(LayoutClash) as failure:
        makers.create()
    assert [each.second for each in failure.value.clashes] == ["other"]


def test_the_lock_of_a_create_that_clashed_is_new_and_told_and_the_environment_as_before(
    rivals: Project,
) -> None:
    rivals.write("vision", "beta <1.1")
    first = rivals.create()
    old = rivals.lock_file.read_bytes()
    rivals.write("vision", "vision-headless", "beta <1.1")
    with pytest.raises(LayoutClash):
        rivals.create()
    new = rivals.lock_file.read_bytes()
    assert b'"vision-headless"' in new
    assert f"wrote {rivals.lock_file}, but project stays as it was" in rivals.told()
    assert rivals.python("import vision, beta; print(vision.kind)") == "vision"
    rivals.events.clear()
    with pytest.raises(LayoutClash):
        rivals.create()
    assert "wrote" not in rivals.told()

    rivals.write("vision", "beta <1.1")
    assert rivals.create().made == "unchanged"
    assert rivals.lock_file.read_bytes() == old
    rules = "conflicts: [{path: '**', keep: vision}, {path: '/**', keep: vision}]\n"
    rivals.write("vision", "vision-headless", "beta <1.1", more=rules)
    second = rivals.create()
    assert (second.made, second.generation != first.generation) == ("updated", True)
    assert rivals.lock_file.read_bytes() == new


def test_a_first_create_that_clashed_made_nothing_but_a_lock(rivals: Project) -> None:
    rivals.write("vision", "vision-headless")
    with pytest.raises(LayoutClash):
        rivals.create()
    assert f"wrote {rivals.lock_file}, but project was not made" in rivals.told()
    rivals.write("vision-headless")
    assert rivals.create().made == "created"
    assert rivals.python("import vision; print(vision.kind)") == "vision-headless"
