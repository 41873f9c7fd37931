import pytest

from envmgr.pipeline.health.variables import check_shadowed, check_variables


@pytest.mark.parametrize(
    ("name", "value", "severity"),
    [
        ("PYTHONPATH", "/opt/lib", "problem"),
        ("PYTHONHOME", "/opt", "problem"),
        ("PIP_TARGET", "/opt", "problem"),
        ("PIP_USER", "1", "problem"),
        ("LD_PRELOAD", "/opt/x.so", "problem"),
        ("LD_LIBRARY_PATH", "/opt/lib", "note"),
        ("PYTHONUSERBASE", "/opt", "note"),
        ("PYTHONDONTWRITEBYTECODE", "1", "note"),
    ],
)
def test_a_variable_that_matters_is_told(name: str, value: str, severity: str) -> None:
    (complaint,) = check_variables({name: value, "PATH": "/bin"})
    assert (complaint.subject, complaint.severity) == (name, severity)
    assert complaint.message.startswith(f"{name} is set: ")


def test_what_is_empty_or_turned_off_is_not_set() -> None:
    assert list(check_variables({"PYTHONPATH": "", "PIP_USER": "no", "HOME": "/x"})) == []


def test_libraries_that_come_before_those_of_packages_are_named() -> None:
    environ = {"LD_LIBRARY_PATH": "/none:/opt/lib:/opt/harmless"}
    listed = {
        "/opt/lib": frozenset({"libz.so.1", "libgomp.so.1", "other"}),
        "/opt/harmless": frozenset({"other"}),
    }
    brought = {"libgomp.so.1": "torch", "libz.so.1": "pillow", "libx.so": "x"}
    (complaint,) = check_shadowed(environ, listed, brought)
    assert complaint.severity == "problem"
    assert "/opt/lib" in complaint.message
    assert complaint.details == ("libgomp.so.1 (of torch)", "libz.so.1 (of pillow)")
