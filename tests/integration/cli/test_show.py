"""Commands that only show something."""

import json
from pathlib import Path

from tests.integration.cli.terminal import envmgr, make_environment


def test_no_environments_is_said_aside(tmp_path: Path, environ: dict[str, str]) -> None:
    done = envmgr("list", environ=environ, directory=tmp_path)

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "no environments yet; make one: envmgr create -f FILE\n"


def test_environments_are_listed_by_name(tmp_path: Path, environ: dict[str, str]) -> None:
    for name in ("weather", "climate"):
        make_environment(tmp_path / "root" / "environments" / name, {})

    text = envmgr("list", environ=environ, directory=tmp_path).stdout
    document = json.loads(envmgr("list", "--json", environ=environ, directory=tmp_path).stdout)

    assert [line.split()[0] for line in text.splitlines()] == ["NAME", "climate", "weather"]
    assert document["command"] == "list"
    assert document["result"]["environments"][0] == {
        "name": "climate",
        "prefix": str(tmp_path / "root" / "environments" / "climate"),
        "file": str(tmp_path / "root" / "environments" / "climate.yaml"),
        "python": "3.12.1",
        "packages": 0,
        "groups": [],
        "generation": "0a",
        "created": "2026-11-24T05:43:10+00:00",
    }


def test_the_packages_of_an_unknown_environment_are_exit_9(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    done = envmgr("list", "-n", "climate", environ=environ, directory=tmp_path)

    assert done.returncode == 9
    assert done.stderr.startswith("error: there is no environment called climate\n")


def test_the_schema_is_printed_as_it_is_and_as_a_result(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    plain = json.loads(envmgr("schema", environ=environ, directory=tmp_path).stdout)
    wrapped = json.loads(envmgr("schema", "--json", environ=environ, directory=tmp_path).stdout)

    assert "$schema" in plain
    assert wrapped == {"schema": 1, "command": "schema", "result": plain}


def test_settings_are_shown_with_their_origins(tmp_path: Path, environ: dict[str, str]) -> None:
    config = tmp_path / ".config" / "envmgr" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("offline: true\n")

    done = envmgr("config", "show", "--json", environ=environ, directory=tmp_path)

    settings = {row["name"]: row for row in json.loads(done.stdout)["result"]["settings"]}
    assert settings["root"]["values"] == [str(tmp_path / "root")]
    assert settings["root"]["origin"] == "ENVMGR_HOME"
    assert settings["offline"]["values"] == ["true"]
    assert settings["offline"]["origin"].startswith(str(config))
    assert settings["compile"] == {"name": "compile", "values": ["true"], "origin": "default"}
    assert settings["environments"]["origin"] == "ENVMGR_HOME"


def test_settings_show_no_secret(tmp_path: Path, environ: dict[str, str]) -> None:
    secret = {**environ, "ENVMGR_INDEX_URL": "https://user:hush@wheels.example.org/simple/"}

    plain = envmgr("config", "show", environ=secret, directory=tmp_path)
    document = envmgr("config", "show", "--json", environ=secret, directory=tmp_path)

    assert "wheels.example.org/simple/" in plain.stdout
    assert "hush" not in plain.stdout + plain.stderr + document.stdout + document.stderr


def test_a_setting_that_cannot_be_is_exit_3(tmp_path: Path, environ: dict[str, str]) -> None:
    done = envmgr("list", environ={**environ, "ENVMGR_OFFLINE": "perhaps"}, directory=tmp_path)

    assert done.returncode == 3
    assert "ENVMGR_OFFLINE" in done.stderr
