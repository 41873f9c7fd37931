from envmgr.index.trim import SPARED_FOR, CachedFile, choose_old

NOW = 1_000_000.0


def cached(name: str, size: int, unused: float) -> CachedFile:
    return CachedFile(name, "pages", size, NOW - unused)


def test_what_was_not_used_for_long_goes() -> None:
    old, new = cached("old", 1, 9000.0), cached("new", 1, 7000.0)
    trimming = choose_old([new, old], NOW, 8000.0, 100)
    assert (trimming.doomed, trimming.spared) == ((old,), 0)


def test_beyond_the_bound_the_longest_unused_go_however_young() -> None:
    files = [cached(str(number), 10, 5000.0 + number) for number in range(5)]
    trimming = choose_old(files, NOW, 10_000.0, 25)
    assert [file.path for file in trimming.doomed] == ["4", "3", "2"]


def test_what_was_used_just_now_stays_whatever_is_asked() -> None:
    files = [cached("young", 10, SPARED_FOR - 1), cached("other", 10, SPARED_FOR + 1)]
    trimming = choose_old(files, NOW, 0.0, 0)
    assert [file.path for file in trimming.doomed] == ["other"]
    assert trimming.spared == 1


def test_a_clock_that_was_set_back_removes_nothing() -> None:
    assert choose_old([cached("future", 10, -5000.0)], NOW, 0.0, 0).doomed == ()
