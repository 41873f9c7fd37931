"""Who wins a path: the rules of ``conflicts``, applied and proposed."""

import pytest

from envmgr.link.inputs import LayoutClash
from envmgr.wheel.manifest import EntryPoint
from tests.support.manifests import SITE, STORE, laid, lay

CONFTEST = "site-packages/tests/conftest.py"


def script(name: str, value: str) -> EntryPoint:
    return EntryPoint("console_scripts", name, value)


def kept(path: str, *rules: tuple[str, str]) -> str:
    """Who has a path of three packages that all bring it."""
    entries = [laid(name, path) for name in ("one", "two", "three")]
    place = path.replace("site-packages", SITE).replace("data/", "")
    return lay(*entries, conflicts=rules).links[place].removeprefix(f"{STORE}/").partition("/")[0]


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        (CONFTEST, "tests/conftest.py"),
        (CONFTEST, "tests/*"),
        (CONFTEST, "tests/**"),
        (CONFTEST, "**"),
        (CONFTEST, "**/conftest.py"),
        (CONFTEST, "test?/[bc]onf*.py"),
        (CONFTEST, "**/tests/**/conftest.py"),
        ("site-packages/x.py", "x.py"),
        ("data/lib/libmpi.so", "/lib/libmpi.so"),
        ("data/lib/mpi/libmpi.so", "/lib/**"),
        ("data/lib/mpi/libmpi.so", "/**/libmpi.so"),
    ],
)
def test_a_rule_keeps_the_file_of_its_package(path: str, rule: str) -> None:
    for name in ("one", "two", "three"):
        assert kept(path, (rule, name)) == name


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        (CONFTEST, "conftest.py"),
        (CONFTEST, "*"),
        (CONFTEST, "*/*/conftest.py"),
        (CONFTEST, "/tests/conftest.py"),
        (CONFTEST, "/**"),
        (CONFTEST, "tests/conftest.py/**"),
        ("data/lib/libmpi.so", "lib/libmpi.so"),
        ("data/lib/libmpi.so", "**/libmpi.so"),
    ],
)
def test_a_rule_for_another_path_decides_nothing(path: str, rule: str) -> None:
    with pytest.raises(LayoutClash):
        kept(path, (rule, "two"))


def test_the_first_rule_that_fits_and_whose_package_brings_the_path_decides() -> None:
    assert kept(CONFTEST, ("tests/*", "two"), (CONFTEST, "three")) == "two"
    assert kept(CONFTEST, ("tests/*", "absent"), ("**", "three")) == "three"


def test_what_only_the_loser_brings_stays() -> None:
    view = lay(
        laid("one", CONFTEST, "site-packages/tests/of_one.py"),
        laid("two", CONFTEST, "site-packages/tests/of_two.py"),
        conflicts=(("tests/**", "two"),),
    )

    targets = {path: view.links[path] for path in view.links if "/tests/" in path}
    assert targets == {
        f"{SITE}/tests/conftest.py": f"{STORE}/two/{CONFTEST}",
        f"{SITE}/tests/of_one.py": f"{STORE}/one/site-packages/tests/of_one.py",
        f"{SITE}/tests/of_two.py": f"{STORE}/two/site-packages/tests/of_two.py",
    }


def test_equal_files_are_those_of_the_package_that_is_kept() -> None:
    same = {"site-packages/cv2/__init__.py": "same"}
    native = "site-packages/cv2/cv2.so"
    one, two = (laid(name, *same, native, contents=same) for name in ("one", "two"))

    for name in ("one", "two"):
        view = lay(one, two, conflicts=(("cv2/cv2.so", name),))
        assert view.links[f"{SITE}/cv2/__init__.py"].startswith(f"{STORE}/{name}/")


def test_the_bytecode_is_that_of_the_module_that_stands() -> None:
    view = lay(
        laid("one", CONFTEST),
        laid("two", CONFTEST),
        compiled=True,
        conflicts=(("tests/conftest.py", "two"),),
    )

    (target,) = view.bytecode.values()
    assert target.startswith(f"{STORE}/two/")


def test_a_file_or_a_directory_wins_over_the_other() -> None:
    file, directory = laid("one", "site-packages/x"), laid("two", "site-packages/x/a.py")

    assert (
        lay(file, directory, conflicts=(("x", "one"),))
        .links[f"{SITE}/x"]
        .startswith(f"{STORE}/one/")
    )
    assert (
        lay(file, directory, conflicts=(("x", "two"),))
        .links[f"{SITE}/x"]
        .startswith(f"{STORE}/two/")
    )


def test_directories_of_others_stay_where_a_directory_wins_over_a_file() -> None:
    view = lay(
        laid("one", "site-packages/x"),
        laid("two", "site-packages/x/a.py"),
        laid("three", "site-packages/x/b.py"),
        conflicts=(("x", "two"),),
    )

    assert {f"{SITE}/x/a.py", f"{SITE}/x/b.py"} <= {*view.links}
    assert f"{SITE}/x" in view.directories


def test_programs_of_entry_points_are_decided_too() -> None:
    one = laid("one", entry_points=(script("tool", "one:main"),))
    two = laid("two", entry_points=(script("tool", "two:main"),))
    three = laid("three", "scripts/tool")
    four = laid("four", entry_points=(script("tool", "four:main"),))

    for name in ("one", "two", "four"):
        view = lay(one, two, three, four, conflicts=(("/bin/tool", name),))
        assert f"from {name} import".encode() in view.files["bin/tool"].content
        assert "bin/tool" not in view.links
    view = lay(one, two, three, four, conflicts=(("/bin/tool", "three"),))
    assert view.links["bin/tool"] == f"{STORE}/three/scripts/tool"
    assert "bin/tool" not in view.files


def test_a_program_and_a_directory_of_one_name_clash_whatever_a_rule_says() -> None:
    directory = [laid(name, f"data/bin/tool/{name}") for name in ("one", "two")]

    with pytest.raises(LayoutClash, match="bin/tool"):
        lay(
            *directory,
            laid("three", entry_points=(script("tool", "three:main"),)),
            conflicts=(("/bin/tool", "three"),),
        )


@pytest.mark.parametrize(
    "greedy",
    [
        laid("one", "scripts/python"),
        laid("one", entry_points=(script("python3", "one:main"),)),
        laid("one", "data/pyvenv.cfg"),
        laid("one", "data/lib"),
        laid("one", "site-packages/_envmgr.pth"),
        laid("one", "data/generation.json"),
    ],
)
def test_no_rule_takes_what_is_envmgrs_own(greedy: object) -> None:
    with pytest.raises(LayoutClash, match="envmgr itself") as caught:
        lay(greedy, conflicts=(("**", "one"), ("/**", "one")))  # type: ignore[arg-type]

    assert caught.value.hint == (
        "take one out of the environment file, or choose versions that agree"
    )


def test_the_hint_has_the_lines_that_decide() -> None:
    paths = (CONFTEST, "data/bin/[x]", "site-packages/y: z.py")
    one, two = (laid(name, *paths, requested=True) for name in ("mdtraj", "trame-vuetify"))
    with pytest.raises(LayoutClash) as caught:
        lay(one, two)

    assert caught.value.hint == (
        "take mdtraj or trame-vuetify out of the environment file, or say there whose files "
        "stand:\n"
        "conflicts:\n"
        '  - {path: "/bin/[[]x]", keep: mdtraj}\n'
        "  - {path: tests/conftest.py, keep: mdtraj}\n"
        '  - {path: "y: z.py", keep: mdtraj}'
    )


def test_the_lines_of_the_hint_do_decide_and_are_yaml() -> None:
    import yaml

    names = ["plain.py", "[a].py", '"q".py', "star*", "what?", "null", "a, b", "\\", "#", "{", "é"]
    paths = [f"{part}/{name}" for part in ("site-packages", "data/bin") for name in names]
    entries = [laid(name, *paths) for name in ("one", "two", "three")]
    with pytest.raises(LayoutClash) as caught:
        lay(*entries)

    lines = caught.value.hint.split(":\n", 1)[1]
    rules = yaml.safe_load(lines)["conflicts"]
    view = lay(*entries, conflicts=tuple((rule["path"], rule["keep"]) for rule in rules))
    standing = [view.links[f"{SITE}/{name}"] for name in names]
    standing += [view.links[f"bin/{name}"] for name in names]
    assert all(target.startswith(f"{STORE}/one/") for target in standing)
    assert view.notes == ()


def test_the_hint_keeps_what_the_file_names_itself() -> None:
    with pytest.raises(LayoutClash) as caught:
        lay(laid("one", CONFTEST), laid("two", CONFTEST, requested=True))

    assert caught.value.hint.startswith("take two out of the environment file, or say there")
    assert caught.value.hint.endswith("- {path: tests/conftest.py, keep: two}")


def test_the_hint_does_not_ask_for_what_the_file_cannot_do() -> None:
    with pytest.raises(LayoutClash) as caught:
        lay(laid("one", CONFTEST), laid("two", CONFTEST))

    assert caught.value.hint == (
        "say in the environment file, which does not name one or two itself, whose files stand:\n"
        "conflicts:\n"
        "  - {path: tests/conftest.py, keep: one}"
    )


def test_many_paths_of_one_directory_are_one_line_of_the_hint() -> None:
    paths = [f"data/include/h{number}.h" for number in range(40)]
    with pytest.raises(LayoutClash) as caught:
        lay(laid("mpich", *paths), laid("openmpi", *paths))

    assert caught.value.hint.count("\n") == 2
    assert caught.value.hint.endswith("  - {path: /include/*, keep: mpich}")


def test_rules_that_decide_nothing_are_told() -> None:
    same = {CONFTEST: "same"}
    view = lay(
        laid("one", CONFTEST, contents=same),
        laid("two", CONFTEST, contents=same),
        conflicts=(("tests/conftest.py", "one"), ("x.py", "absent"), ("z.py", "other-group")),
        elsewhere=("other-group",),
    )

    undisputed, absent = view.notes
    assert "{path: tests/conftest.py, keep: one}, and no other package brings" in undisputed
    assert absent == (
        "`conflicts` has {path: x.py, keep: absent}, and absent is not in this environment"
    )


def test_nothing_is_told_of_rules_that_decided() -> None:
    view = lay(laid("one", CONFTEST), laid("two", CONFTEST), conflicts=(("tests/**", "one"),))

    assert view.notes == ()
