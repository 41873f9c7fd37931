from envmgr.hardware.host import detect_hardware
from tests.support.host import LINUX, FakeHost
from tests.support.values import replace

X86_64_V2 = b"flags : cx16 lahf_lm popcnt pni ssse3 sse4_1 sse4_2\n"


def test_the_level_and_features_of_an_x86_64_are_told() -> None:
    profile = detect_hardware(FakeHost(files={"/proc/cpuinfo": X86_64_V2}))
    assert (profile.architecture, profile.cpu) == ("x86_64", "x86_64_v2")
    assert "sse3" in profile.cpu_features


def test_what_is_not_known_is_none_and_never_guessed() -> None:
    profile = detect_hardware(FakeHost())
    assert (profile.cpu, profile.cuda, profile.gpus) == (None, None, ())
    assert profile.cpu_features == frozenset()


def test_an_arm_machine_has_features_and_no_x86_level() -> None:
    host = FakeHost(
        kernel=replace(LINUX, machine="aarch64"),
        files={"/proc/cpuinfo": b"Features : fp asimd\n"},
    )
    profile = detect_hardware(host)
    assert (profile.architecture, profile.cpu) == ("aarch64", None)
    assert profile.cpu_features == {"fp", "asimd"}


def test_only_the_beginning_of_cpuinfo_is_looked_at() -> None:
    late = b"x" * 1_000_000 + b"\n" + X86_64_V2
    assert detect_hardware(FakeHost(files={"/proc/cpuinfo": late})).cpu is None
