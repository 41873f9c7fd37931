import json

import pytest

from envmgr.target.answer import MARK, TooOld, Unanswered, parse_answer
from tests.support.host import make_answer


def test_only_the_marked_line_counts() -> None:
    answer = json.dumps(make_answer("3.12.1"))
    parsed = parse_answer(f"warning: something\n{MARK}{answer}\nbye\n")
    assert parsed.version == (3, 12, 1)
    assert parsed.markers["python_full_version"] == "3.12.1"


def test_no_marked_line_is_no_answer() -> None:
    with pytest.raises(Unanswered, match="gave no answer"):
        parse_answer("Python 3.12.1\n")


def test_an_answer_with_something_missing_or_mistyped_makes_no_sense() -> None:
    whole = make_answer("3.12.1")
    for key in whole:
        part = {name: value for name, value in whole.items() if name != key}
        with pytest.raises(Unanswered, match="makes no sense"):
            parse_answer(f"{MARK}{json.dumps(part)}")
        with pytest.raises(Unanswered, match="makes no sense"):
            parse_answer(f"{MARK}{json.dumps({**whole, key: 1.5})}")
    with pytest.raises(Unanswered, match="makes no sense"):
        parse_answer(f"{MARK}{{")


def test_an_old_python_says_its_version_only_and_that_is_enough() -> None:
    with pytest.raises(TooOld, match=r"too old \(3\.8 or newer is needed\)") as caught:
        parse_answer(f'{MARK}{{"version": [3, 7, 16]}}')
    assert caught.value.version == "3.7.16"
