"""Laws of the tag list, and the reference implementation's pure functions as an oracle."""

from hypothesis import given
from hypothesis import strategies as st
from packaging import tags as reference

from envmgr.target.remembered import decode_interpreter, encode_interpreter
from envmgr.target.tags import compatible_tags, fitting_platforms
from envmgr.target.types import Glibc, Interpreter, MacOS, Musl
from tests.support.host import make_interpreter
from tests.support.values import replace

minors = st.integers(8, 20)
linux = st.builds(
    make_interpreter,
    st.tuples(st.just(3), minors, st.integers(0, 30)),
    libc=st.one_of(
        st.none(),
        st.builds(Glibc, st.just(2), st.integers(0, 60)),
        st.builds(Musl, st.just(1), st.integers(0, 9)),
    ),
    platform=st.sampled_from(
        ["linux-x86_64", "linux-aarch64", "linux-ppc64le", "linux-armv7l", "linux-riscv64"]
    ),
    free_threaded=st.booleans(),
    debug=st.booleans(),
    pointer_bits=st.sampled_from([32, 64]),
    refused_platforms=st.lists(
        st.integers(5, 40).map(lambda minor: f"manylinux_2_{minor}_x86_64"), max_size=3
    ).map(tuple),
)
macos = st.builds(
    make_interpreter,
    st.tuples(st.just(3), minors, st.integers(0, 30)),
    libc=st.one_of(
        st.builds(MacOS, st.just(10), st.integers(4, 16)),
        st.builds(MacOS, st.integers(11, 30), st.integers(0, 7)),
    ),
    platform=st.sampled_from(["macosx-11.0-arm64", "macosx-10.9-x86_64"]),
)
interpreters = st.one_of(linux, macos)


def texts(tags: object) -> tuple[str, ...]:
    return tuple(map(str, tags))  # type: ignore[call-overload]


@given(interpreters)
def test_every_tag_is_there_once_and_well_formed(interpreter: Interpreter) -> None:
    tags = compatible_tags(interpreter)
    assert len(set(tags)) == len(tags)
    for tag in tags:
        (parsed,) = reference.parse_tag(tag)
        assert str(parsed) == tag


@given(interpreters)
def test_the_list_is_the_references_for_the_same_platforms(interpreter: Interpreter) -> None:
    platforms = fitting_platforms(interpreter)
    version = interpreter.version[:2]
    plain = f"cp{version[0]}{version[1]}{'t' if interpreter.free_threaded else ''}"
    abis = [f"{plain}d", plain] if interpreter.debug else [plain]
    expected = (
        *reference.cpython_tags(version, abis, platforms),
        *reference.compatible_tags(version, f"cp{version[0]}{version[1]}", platforms),
    )
    assert compatible_tags(interpreter) == texts(expected)


@given(macos)
def test_macos_platforms_are_the_references(interpreter: Interpreter) -> None:
    assert isinstance(interpreter.libc, MacOS)
    version = (interpreter.libc.major, interpreter.libc.minor)
    machine = interpreter.markers["platform_machine"]
    assert fitting_platforms(interpreter) == tuple(reference.mac_platforms(version, machine))


@given(linux, st.integers(5, 60))
def test_a_newer_c_library_loses_nothing_and_keeps_the_order(
    interpreter: Interpreter, minor: int
) -> None:
    older = fitting_platforms(replace(interpreter, libc=Glibc(2, minor)))
    newer = fitting_platforms(replace(interpreter, libc=Glibc(2, minor + 1)))
    assert set(older) <= set(newer)
    assert [platform for platform in newer if platform in set(older)] == list(older)


@given(linux)
def test_pure_wheels_fit_every_interpreter_and_binaries_come_before_them(
    interpreter: Interpreter,
) -> None:
    tags = compatible_tags(interpreter)
    first = tags.index(f"cp3{interpreter.version[1]}-none-any")
    assert all(tag.endswith("-any") for tag in tags[first:])
    assert not [tag for tag in tags[:first] if tag.endswith("-any")]
    assert "py3-none-any" in tags[first:]


@given(interpreters)
def test_an_interpreter_survives_being_written_and_read(interpreter: Interpreter) -> None:
    assert decode_interpreter(encode_interpreter(interpreter)) == interpreter
