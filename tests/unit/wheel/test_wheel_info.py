import pytest

from envmgr.wheel.wheel_info import InvalidWheelInfo, parse_wheel_info


def test_version_root_and_tags_are_read() -> None:
    text = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py2-none-any\nTag: py3-none-any\n"
    info = parse_wheel_info(text)
    assert info.wheel_version == (1, 0)
    assert info.root_is_purelib is True
    assert info.tags == ("py2-none-any", "py3-none-any")


@pytest.mark.parametrize(("line", "pure"), [("True", True), ("false", False), ("", False)])
def test_only_true_is_pure(line: str, pure: bool) -> None:
    text = f"Wheel-Version: 1.9\nRoot-Is-Purelib: {line}\n"
    assert parse_wheel_info(text).root_is_purelib is pure


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no Wheel-Version"),
        ("Wheel-Version: 2.0\n", "version 2.0 is not one this program knows"),
        ("Wheel-Version: 0.1\n", "version 0.1 is not one this program knows"),
        ("Wheel-Version: one\n", "'one' is not a wheel version"),
    ],
)
def test_other_formats_are_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidWheelInfo) as caught:
        parse_wheel_info(text)
    assert reason in str(caught.value)
