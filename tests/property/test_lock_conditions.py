"""Laws of what a lock says that it depended on."""

from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from envmgr.lock.check import why_unfit
from envmgr.lock.conditions import evaluate
from envmgr.names import ExtraName
from envmgr.resolve.types import MarkerOutcome
from envmgr.target.types import Glibc, Libc, MacOS, Musl, Target
from tests.support.locks import lock_of, target_for
from tests.support.values import replace

PURE = "a-1.0-py3-none-any.whl"

systems: st.SearchStrategy[tuple[str, str, Libc]] = st.sampled_from(
    [
        ("linux", "x86_64", Glibc(2, 36)),
        ("linux", "aarch64", Glibc(2, 28)),
        ("linux", "x86_64", Musl(1, 2)),
        ("darwin", "arm64", MacOS(14, 0)),
    ]
)


@st.composite
def targets(draw: st.DrawFn) -> Target:
    system = draw(systems)
    patch = draw(st.integers(0, 12))
    kernel = {"platform_release": draw(st.sampled_from(["5.10", "6.1.0-tegra"]))}
    return target_for(
        (3, draw(st.sampled_from([11, 12])), patch),
        system=system[0],
        machine=system[1],
        libc=system[2],
        markers=kernel,
    )


versions = st.one_of(
    st.builds("3.{}".format, st.integers(10, 13)),
    st.builds("3.{}.{}".format, st.integers(11, 12), st.integers(0, 12)),
    st.just("3.12.0rc1"),
)
comparisons = st.sampled_from(["<", "<=", "==", "!=", ">=", ">"])
clauses = st.one_of(
    st.builds("python_full_version {} '{}'".format, comparisons, versions),
    st.builds("implementation_version {} '{}'".format, comparisons, versions),
    st.builds("python_version {} '3.{}'".format, comparisons, st.integers(10, 13)),
    st.builds("sys_platform == '{}'".format, st.sampled_from(["linux", "darwin", "win32"])),
    st.builds("platform_machine != '{}'".format, st.sampled_from(["x86_64", "arm64"])),
    st.builds("platform_system == '{}'".format, st.sampled_from(["Linux", "Darwin"])),
    st.sampled_from(
        [
            "os_name == 'nt'",
            "python_full_version in '3.12.10 3.11.4'",
            "'tegra' in platform_release",
            "extra == 'io'",
            "extra == 'gui'",
        ]
    ),
)
markers = st.recursive(
    clauses,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
    max_leaves=4,
)
asked = st.lists(
    st.tuples(markers, st.sampled_from([(), (ExtraName("io"),)])), max_size=5, unique=True
)


def answers(
    questions: list[tuple[str, tuple[ExtraName, ...]]], target: Target
) -> set[MarkerOutcome]:
    return {
        MarkerOutcome(text, extras, target.satisfies(Marker(text), frozenset(extras)))
        for text, extras in questions
    }


@given(targets(), targets(), asked)
def test_where_the_environment_marker_holds_every_marker_answers_alike(
    made_for: Target, other: Target, questions: list[tuple[str, tuple[ExtraName, ...]]]
) -> None:
    lock = lock_of(PURE, markers=answers(questions, made_for), target=made_for)
    same_minor = made_for.interpreter.minor_text == other.interpreter.minor_text

    holds = evaluate(Marker(lock.conditions.environment), other.markers, ())

    assert evaluate(Marker(lock.conditions.environment), made_for.markers, ())
    if holds and same_minor:
        assert answers(questions, other) == set(lock.conditions.markers)


@given(targets(), targets(), asked)
def test_a_lock_fits_exactly_where_its_python_and_its_environment_marker_do(
    made_for: Target, other: Target, questions: list[tuple[str, tuple[ExtraName, ...]]]
) -> None:
    lock = lock_of(PURE, markers=answers(questions, made_for), target=made_for)
    environment = Marker(lock.conditions.environment)
    same_minor = made_for.interpreter.minor_text == other.interpreter.minor_text

    fits = why_unfit(lock, other) == ()

    assert fits == (same_minor and evaluate(environment, other.markers, ()))


@given(targets(), asked)
def test_a_lock_without_its_environment_marker_asks_every_marker(
    made_for: Target, questions: list[tuple[str, tuple[ExtraName, ...]]]
) -> None:
    lock = lock_of(PURE, markers=answers(questions, made_for), target=made_for)
    bare = replace(lock, conditions=replace(lock.conditions, environment=""))
    turned = replace(
        bare,
        conditions=replace(
            bare.conditions,
            markers=tuple(replace(each, holds=not each.holds) for each in bare.conditions.markers),
        ),
    )

    assert why_unfit(bare, made_for) == ()
    assert len(why_unfit(turned, made_for)) == len(bare.conditions.markers)
