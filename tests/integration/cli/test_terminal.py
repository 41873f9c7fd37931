"""On a real terminal: the live display, its cursor, and questions."""

import re
import sys
from pathlib import Path

import pytest

from tests.integration.cli.terminal import on_terminal

STORY = """
import sys, time
from envmgr.cli.progress import open_reporter
from envmgr.cli.session import Session
from envmgr.events import *
import os

session = Session("create", dict(os.environ), "/home/somebody")
with open_reporter(session) as report:
    report(StageStarted("resolve"))
    report(StageFinished("resolve", 147, 0.8))
    report(StageStarted("fetch", 342_000_000))
    report(StageStarted("unpack", 12))
    for step in range(18):
        report(StageAdvanced("fetch", 1_000_000, "torch-2.13.0-py3-none-any.whl"))
        report(StageAdvanced("unpack", 0, "numpy-2.4.6-py3-none-any.whl"))
        time.sleep(0.05)
    report(Warned("a slow index"))
    {ending}
print("summary")
"""

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def tell(ending: str, environ: dict[str, str], directory: Path) -> tuple[int, str]:
    script = STORY.replace("{ending}", ending)
    return on_terminal([sys.executable, "-c", script], environ, directory)


def test_the_display_shows_bytes_rate_and_what_is_left(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    code, shown = tell("report(StageFinished('fetch', 12, 1.0))", environ, tmp_path)

    assert code == 0
    assert "resolved 147 packages in 0.80 s" in shown
    assert re.search(r"fetching [\d.]+ MB of 342.0 MB, [\d.]+ MB/s, (\d+ s|.* min .*) left", shown)
    assert "(torch-2.13.0)" in shown
    assert "unpacking 0 of 12 wheels" in shown
    assert "warning:" in shown


@pytest.mark.parametrize(
    "ending",
    [
        "pass",
        "raise KeyboardInterrupt",
        "raise ValueError",
        "os.kill(os.getpid(), 15); time.sleep(9)",
    ],
)
def test_the_cursor_comes_back_however_it_ends(
    ending: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    _, shown = tell(ending, environ, tmp_path)

    assert HIDE in shown
    assert shown.rindex(SHOW) > shown.rindex(HIDE)


def test_the_display_is_gone_before_the_summary(tmp_path: Path, environ: dict[str, str]) -> None:
    code, shown = tell("pass", environ, tmp_path)

    assert code == 0
    after = shown[shown.rindex(SHOW) :]
    assert "summary" in after
    assert "fetching" not in after


def test_no_color_is_honoured(tmp_path: Path, environ: dict[str, str]) -> None:
    _, shown = tell("pass", {**environ, "NO_COLOR": "1"}, tmp_path)

    assert "fetching" in shown
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown)


def test_a_dumb_terminal_gets_plain_lines(tmp_path: Path, environ: dict[str, str]) -> None:
    _, shown = tell("pass", {**environ, "TERM": "dumb"}, tmp_path)

    assert "\x1b" not in shown
    assert "resolved 147 packages in 0.80 s" in shown.splitlines()
