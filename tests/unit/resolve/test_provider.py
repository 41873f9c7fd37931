from envmgr.names import PackageName
from envmgr.resolve.provider import Option, Options

NAME = PackageName("a")


def test_options_are_those_of_the_mask_best_first() -> None:
    options = Options(NAME, None, 0b1010)
    assert list(options) == [Option(NAME, None, 1), Option(NAME, None, 3)]
    assert (len(options), options[0], options[-1]) == (2, Option(NAME, None, 1), options[1])
    assert options[1:] == [Option(NAME, None, 3)]


def test_no_options_count_as_none() -> None:
    assert not Options(NAME, None, 0)
