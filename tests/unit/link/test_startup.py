import ast

from envmgr.link.startup import MODULE, render_startup


def test_the_startup_file_is_python_of_3_8_and_of_the_standard_library() -> None:
    text = render_startup({})[f"{MODULE}.py"]

    tree = ast.parse(text, feature_version=(3, 8))

    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported == {"os", "sys"}
    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(tree))


def test_variables_are_written_as_python_reads_them() -> None:
    odd = {"B": 'it\'s \\ "x" \N{SNOWMAN}\N{GRINNING FACE}\n', "A": "1"}

    tree = ast.parse(render_startup(odd)[f"{MODULE}.py"])

    [table] = [node.value for node in tree.body if isinstance(node, ast.Assign)][:1]
    assert list(ast.literal_eval(table).items()) == sorted(odd.items())


def test_both_ways_of_starting_have_one_stem_and_call_one_function() -> None:
    files = render_startup({})

    assert set(files) == {"_envmgr.py", "_envmgr.pth", "_envmgr.start"}
    assert files["_envmgr.pth"] == "import _envmgr; _envmgr.start()\n"
    assert files["_envmgr.start"] == "_envmgr:start\n"
