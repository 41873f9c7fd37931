from envmgr.cli.failure import failure_document, render_failure
from envmgr.errors import LockError, UsageError


class LockStale(LockError):
    """A stale lock, as the lock package raises it."""

    def __str__(self) -> str:
        return "pylock.toml is stale"

    @property
    def hint(self) -> str:
        return "run `envmgr lock`"

    def details(self) -> tuple[str, ...]:
        return ("numpy >=2 is not in the lock", "", "python changed")


def test_an_error_is_a_sentence_its_details_and_a_hint() -> None:
    assert render_failure(LockStale(), coloured=False) == (
        "error: pylock.toml is stale\n"
        "  numpy >=2 is not in the lock\n"
        "\n"
        "  python changed\n"
        "hint: run `envmgr lock`\n"
    )


def test_without_a_hint_nothing_is_made_up() -> None:
    assert render_failure(UsageError("no"), coloured=False) == "error: no\n"


def test_colours_touch_only_the_labels() -> None:
    text = render_failure(LockStale(), coloured=True)

    assert "\x1b[1;31merror:\x1b[0m pylock.toml is stale\n" in text
    assert "\x1b[36mhint:\x1b[0m run" in text


def test_an_error_in_json_has_its_class_its_exit_code_and_its_words() -> None:
    assert failure_document(LockStale()) == {
        "schema": 1,
        "error": {
            "code": "LockStale",
            "exit": 7,
            "message": "pylock.toml is stale",
            "hint": "run `envmgr lock`",
            "details": ["numpy >=2 is not in the lock", "", "python changed"],
        },
    }
