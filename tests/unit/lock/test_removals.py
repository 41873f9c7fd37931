"""A lock of an envmgr for which overrides with false markers counted for nothing."""

import pytest

from envmgr.lock.removals import against_overrides
from envmgr.wheel.requirement import Named, parse_requirement
from tests.support.locks import lock_of, outcome

FALSE, TRUE = 'sys_platform == "none"', 'sys_platform == "linux"'
LOCK = lock_of(
    "field-2.0-py3-none-any.whl",
    "grid-1.0-py3-none-any.whl",
    markers=(
        outcome(FALSE, False),
        outcome(TRUE, True),
        outcome('os_name == "posix"', False, "fast"),
    ),
)


@pytest.mark.parametrize(
    ("overrides", "clauses"),
    [
        ((), ()),
        (
            (f"field ; {FALSE}",),
            (f"has field, which the override `field; {FALSE}` leaves out",),
        ),
        ((f"absent ; {FALSE}",), ()),
        (("field <2",), ()),
        ((f"field ; {TRUE}",), ()),
        ((f"field ; {FALSE}", f"field >=2 ; {TRUE}"), ()),
        ((f"field ; {FALSE}", "field >=2"), ()),
        (("field ; os_name == 'posix'",), ()),
        (("field ; platform_machine == 'none'",), ()),
        (
            (f"grid ; {FALSE}", f"field ; {FALSE}", f"field >=2 ; {FALSE}"),
            (
                f"has field, which the override `field; {FALSE}` leaves out",
                f"has grid, which the override `grid; {FALSE}` leaves out",
            ),
        ),
    ],
)
def test_what_overrides_leave_out_may_not_be_locked(
    overrides: tuple[str, ...], clauses: tuple[str, ...]
) -> None:
    named = [parse_requirement(each) for each in overrides]
    assert against_overrides(LOCK, [each for each in named if isinstance(each, Named)]) == clauses
