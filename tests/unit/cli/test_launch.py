from envmgr.cli.launch import ProgramNotFound, environ_within

PREFIX = "/envs/climate"
GENERATION = "/envs/climate/.envmgr/generations/0a"


def within(environ: dict[str, str], variables: dict[str, str] | None = None) -> dict[str, str]:
    return environ_within(environ, PREFIX, GENERATION, variables or {})


def test_the_generation_comes_first_on_path() -> None:
    assert within({"PATH": "/usr/bin:/bin"})["PATH"] == f"{GENERATION}/bin:/usr/bin:/bin"


def test_an_empty_path_gets_no_current_directory() -> None:
    assert within({"PATH": ""})["PATH"] == f"{GENERATION}/bin"


def test_without_a_path_the_systems_default_is_kept() -> None:
    assert within({})["PATH"].startswith(f"{GENERATION}/bin:/")


def test_the_environment_says_which_it_is() -> None:
    inside = within({"VIRTUAL_ENV": "/other", "PATH": "/bin"})

    assert inside["VIRTUAL_ENV"] == GENERATION
    assert inside["ENVMGR_PREFIX"] == PREFIX


def test_variables_are_set_unless_the_person_set_them() -> None:
    inside = within(
        {"OMP_NUM_THREADS": "2", "PATH": "/bin"}, {"OMP_NUM_THREADS": "8", "MODE": "fast"}
    )

    assert inside["OMP_NUM_THREADS"] == "2"
    assert inside["MODE"] == "fast"


def test_an_environment_cannot_replace_path_by_a_variable() -> None:
    assert within({}, {"PATH": "/evil"})["PATH"].startswith(f"{GENERATION}/bin:")


def test_pythonhome_of_another_python_is_removed() -> None:
    assert "PYTHONHOME" not in within({"PYTHONHOME": "/opt/python", "PATH": "/bin"})


def test_everything_else_stays_and_the_given_mapping_is_not_touched() -> None:
    environ = {"PATH": "/bin", "LANG": "C.UTF-8", "PYTHONHOME": "/x"}

    assert within(environ)["LANG"] == "C.UTF-8"
    assert environ == {"PATH": "/bin", "LANG": "C.UTF-8", "PYTHONHOME": "/x"}


def test_a_missing_program_is_exit_127_and_names_the_nearest() -> None:
    error = ProgramNotFound("pytets", PREFIX, "pytest")

    assert error.exit_code == 127
    assert str(error) == "there is no program 'pytets' in /envs/climate, nor on PATH"
    assert error.hint == "did you mean pytest?"
