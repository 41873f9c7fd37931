import pytest

from envmgr.hardware.cpu import parse_cpu_features, wheel_architecture, x86_64_level

V2 = "cx16 lahf_lm popcnt pni ssse3 sse4_1 sse4_2"
V3 = f"{V2} avx avx2 bmi1 bmi2 f16c fma abm movbe"
V4 = f"{V3} avx512f avx512bw avx512cd avx512dq avx512vl"


def cpuinfo(flags: str) -> bytes:
    return (
        f"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: {flags}\nbugs\t\t: mds\n\n"
        "processor\t: 1\nflags\t\t: fpu\n"
    ).encode()


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        ("fpu sse sse2", "x86_64"),
        (V2, "x86_64_v2"),
        (V3, "x86_64_v3"),
        (V4, "x86_64_v4"),
        (V4.replace(" avx512vl", ""), "x86_64_v3"),
        (V4.replace(" fma", ""), "x86_64_v2"),
        (V4.replace(" popcnt", ""), "x86_64"),
    ],
)
def test_a_level_needs_every_feature_of_itself_and_of_those_below(flags: str, level: str) -> None:
    assert x86_64_level(parse_cpu_features(cpuinfo(flags))) == level


def test_linux_names_are_brought_to_the_names_of_the_psabi() -> None:
    features = parse_cpu_features(cpuinfo("pni abm"))
    assert features == {"sse3", "lzcnt"}


def test_arm_calls_its_line_features() -> None:
    text = b"processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd sve\n"
    assert parse_cpu_features(text) == {"fp", "asimd", "sve"}


def test_no_line_gives_no_features() -> None:
    assert parse_cpu_features(b"") == frozenset()
    assert parse_cpu_features(b"processor : 0\ncpu : POWER9\n") == frozenset()


@pytest.mark.parametrize(
    ("machine", "architecture"), [("i386", "i686"), ("i586", "i686"), ("ppc64le", "ppc64le")]
)
def test_any_32_bit_x86_is_i686(machine: str, architecture: str) -> None:
    assert wheel_architecture(machine) == architecture
