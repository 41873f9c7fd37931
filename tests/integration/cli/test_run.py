import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli.terminal import envmgr, make_environment

SHOW = """#!/bin/sh
printf '%s\\n' "$0" "$@" "VIRTUAL_ENV=$VIRTUAL_ENV" "PREFIX=$ENVMGR_PREFIX" "MODE=$MODE" \
    "HOME=${PYTHONHOME-unset}" "PATH=$PATH"
"""


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    place = tmp_path / "root" / "environments" / "climate"
    make_environment(place, {"show": SHOW, "fail": "#!/bin/sh\nexit 42\n"}, {"MODE": "fast"})
    return place


def test_a_program_starts_within_the_generation_that_stands(
    prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    generation = prefix / ".envmgr" / "generations" / "0a"

    done = envmgr(
        "run", "-n", "climate", "show", "--json", "-n", "--", "two words", "",
        environ={**environ, "PYTHONHOME": sys.base_prefix},
        directory=tmp_path,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{generation}/bin/show",
        "--json",
        "-n",
        "--",
        "two words",
        "",
        f"VIRTUAL_ENV={generation}",
        f"PREFIX={prefix}",
        "MODE=fast",
        "HOME=unset",
        f"PATH={generation}/bin:{environ['PATH']}",
    ]


def test_a_variable_the_person_set_stays(
    prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    done = envmgr(
        "run", "-p", str(prefix), "--", "show",
        environ={**environ, "MODE": "slow"}, directory=tmp_path,
    )  # fmt: skip

    assert "MODE=slow" in done.stdout.splitlines()


def test_a_relative_prefix_stands_against_the_current_directory(
    prefix: Path, environ: dict[str, str]
) -> None:
    done = envmgr("run", "-p", prefix.name, "show", environ=environ, directory=prefix.parent)

    assert f"PREFIX={prefix}" in done.stdout.splitlines()


def test_the_exit_code_is_the_programs(
    prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    done = envmgr("run", "-n", "climate", "fail", environ=environ, directory=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (42, "", "")


def test_the_program_takes_the_place_of_the_process(
    prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "envmgr", "run", "-n", "climate", "sh", "-c", "echo $$"],
        env=environ, cwd=tmp_path, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip

    shown, _ = process.communicate(timeout=60)

    assert int(shown) == process.pid


def test_a_program_dies_of_a_closed_pipe_like_anywhere_else(
    prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "envmgr", "run", "-n", "climate", "yes"],
        env=environ, cwd=tmp_path, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()

    assert process.wait(timeout=60) == -signal.SIGPIPE


def test_a_script_without_a_first_line_is_the_shells(
    prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    script = prefix / ".envmgr" / "generations" / "0a" / "bin" / "bare"
    script.write_text('echo "bare $1"\n')
    script.chmod(0o755)

    done = envmgr("run", "-n", "climate", "bare", "words", environ=environ, directory=tmp_path)

    assert done.stdout == "bare words\n"


def test_a_missing_program_is_127_and_names_the_nearest(
    prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    done = envmgr("run", "-n", "climate", "shwo", environ=environ, directory=tmp_path)

    assert done.returncode == 127
    assert done.stderr.splitlines() == [
        f"error: there is no program 'shwo' in {prefix}, nor on PATH",
        "hint: did you mean show?",
    ]


def test_a_file_that_cannot_be_started_is_126(
    prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    (tmp_path / "data.txt").write_text("no program")

    done = envmgr(
        "run", "-n", "climate", "--json", "./data.txt", environ=environ, directory=tmp_path
    )

    assert done.returncode == 126
    error = json.loads(done.stdout)["error"]
    assert (error["code"], error["exit"]) == ("ProgramNotExecutable", 126)


def test_an_unknown_environment_is_exit_9_with_the_nearest_name(
    prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    done = envmgr("run", "-n", "climat", "show", environ=environ, directory=tmp_path)

    assert done.returncode == 9
    assert "climate" in done.stderr


@pytest.mark.parametrize("words", [["run", "-n", "climate"], ["run", "show"], ["run"]])
def test_run_needs_an_environment_and_a_program(
    words: list[str], prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    done = envmgr(*words, environ=environ, directory=tmp_path)

    assert done.returncode == 2
    assert done.stderr.startswith("error: no ")


def test_prefix_prints_the_directory_alone(
    prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    done = envmgr("prefix", "climate", environ=environ, directory=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"{prefix}\n", "")


def test_prefix_survives_a_name_that_is_not_unicode(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    odd = Path(os.fsdecode(bytes(tmp_path) + b"/odd-\xff"))
    make_environment(odd, {})

    done = subprocess.run(
        [sys.executable, "-m", "envmgr", "prefix", "-p", odd],
        env=environ, cwd=tmp_path, capture_output=True, timeout=60, check=True,
    )  # fmt: skip

    assert done.stdout == bytes(odd) + b"\n"


def test_a_program_that_the_environment_lost_is_not_taken_from_elsewhere(
    prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    (prefix / ".envmgr/generations/0a/bin/sh").symlink_to("/no/where")

    done = envmgr("run", "-n", "climate", "sh", environ=environ, directory=tmp_path)

    assert done.returncode == 126
    assert "bin/sh cannot be started: it leads to /no/where, which is gone" in done.stderr
    assert f"hint: see `envmgr doctor -p {prefix}`" in done.stderr


def test_a_store_that_is_gone_is_warned_of_and_the_program_runs(
    prefix: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    record = prefix / ".envmgr/generations/0a/generation.json"
    facts = json.loads(record.read_bytes())
    record.write_text(json.dumps({**facts, "stores": [str(tmp_path / "none"), str(tmp_path)]}))

    done = envmgr("run", "-n", "climate", "fail", environ=environ, directory=tmp_path)

    assert done.returncode == 42
    assert done.stderr.count("warning: the store") == 1
    assert f"warning: the store {tmp_path}/none is gone" in done.stderr
