"""``runtimes audit`` on real views: real wheels, real links, real processes."""

import json
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envmgr.audit.embedded import MARKS, find_marks
from envmgr.audit.live import ProbeFailed
from envmgr.audit.types import FamilyAudit, Verdict
from envmgr.audit.view import read_system_directories
from envmgr.events import Warned
from envmgr.link.prefix import RECORD, current_generation
from envmgr.names import EnvironmentName, PackageName
from envmgr.pipeline.audit import (
    Audited,
    LiveAudited,
    LiveRequest,
    NotInEnvironment,
    audit_environment,
    audit_live,
)
from envmgr.pipeline.types import ByName
from tests.support.elves import Elf
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.wheels import Wheel, make_wheel

SELECTOR = ByName(EnvironmentName("project"))
SITE = "lib/*/site-packages"

Make = Callable[..., Project]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    servers = []

    def made(*wheels: Wheel) -> Project:
        server = IndexServer(list(wheels))
        servers.append(server)
        project = Project(tmp_path, server.__enter__().url)
        names = (wheel.filename.split("-")[0] for wheel in wheels)
        project.write(*names, more="runtimes: vendored\n")
        project.create()
        return project

    yield made
    for server in servers:
        server.__exit__(None, None, None)


def real_library() -> bytes:
    """Some library that this interpreter can load, whatever it is."""
    shared = Path(sysconfig.get_config_var("DESTSHARED"))
    return next(shared.glob("_*.so")).read_bytes()


def static_wheel(name: str, library: str, *, soname: str | None = None) -> Wheel:
    """A package whose extension module needs a library that it brings along."""
    module = Elf(needed=[library], runpath=f"$ORIGIN/../{name}.libs")
    return make_wheel(
        name,
        "1.0",
        files={
            f"{name}/__init__.py": "",
            f"{name}/_x.so": bytes(module),
            f"{name}.libs/{library}": bytes(Elf(soname=soname or library)),
        },
    )


def live_wheel(name: str, library: str, code: str = "") -> Wheel:
    """A package that loads a library of its own when it is imported."""
    load = (
        "import ctypes, os\n"
        f"ctypes.CDLL(os.path.join(os.path.dirname(__file__), '..', '{name}.libs', '{library}'))\n"
    )
    module = Elf(needed=[library], runpath=f"$ORIGIN/../{name}.libs")
    return make_wheel(
        name,
        "1.0",
        files={
            f"{name}/__init__.py": f"{load}{code}",
            f"{name}/_x.so": bytes(module),
            f"{name}.libs/{library}": real_library(),
        },
    )


def audited(project: Project) -> Audited:
    return audit_environment(SELECTOR, project.settings, project.environ, project.events.append)


def live(project: Project, **options: object) -> LiveAudited:
    request = LiveRequest(**options)  # type: ignore[arg-type]
    return audit_live(SELECTOR, request, project.settings, project.environ, project.events.append)


def family(found: Audited, name: str) -> FamilyAudit:
    return next(each for each in found.families if each.family == name)


def library_of(project: Project, name: str) -> Path:
    (found,) = project.prefix.glob(f"{SITE}/{name}.libs/*")
    return found


def replace_in_view(project: Project, name: str, target: Path) -> None:
    """Let a package's library be a link to another, in directories that are real on the way."""
    library = library_of(project, name)
    for directory in (library.parent, library.parent.with_name(name)):
        entry = directory.resolve()
        directory.unlink()
        directory.mkdir()
        for each in entry.iterdir():
            (directory / each.name).symlink_to(each)
    library.unlink()
    library.symlink_to(target)


def test_the_recipes_of_a_site_count(make: Make) -> None:
    project = make(
        static_wheel("alpha", "libours-aaaaaaaa.so.1"),
        static_wheel("beta", "libours-bbbbbbbb.so.1"),
    )
    assert audited(project).twice == ()
    recipes = project.directory / "site/runtimes"
    recipes.mkdir(parents=True)
    (recipes / "ours.yaml").write_text(
        "schema: 1\nfamily: ours\ndescription: of this site\nimplementations: []\n"
        "libraries: [{name: libours.so.1, files: ['libours-*']}]\n",
        "utf-8",
    )
    project.variables = {**project.variables, "ENVMGR_RECIPES": str(recipes.parent)}
    assert audited(project).twice == ("ours",)


def test_two_vendored_copies_are_found_and_one_after_a_link_replaced_one(make: Make) -> None:
    project = make(
        static_wheel("alpha", "libgomp-aaaaaaaa.so.1.0.0"),
        static_wheel("beta", "libgomp-bbbbbbbb.so.1.0.0"),
    )
    before = audited(project)
    assert before.twice == ("openmp",)
    openmp = family(before, "openmp")
    assert (openmp.verdict, openmp.least, openmp.most) == (Verdict.SEVERAL, 2, 2)
    assert [each.package for each in openmp.files] == ["alpha", "beta"]
    assert openmp.files[0].needed_by[0].file.endswith("site-packages/alpha/_x.so")

    replace_in_view(project, "beta", library_of(project, "alpha").resolve())
    after = audited(project)
    assert after.twice == ()
    (file,) = family(after, "openmp").files
    assert file.package == "alpha"
    assert {each.package for each in file.needed_by} == {"alpha", "beta"}


def test_a_folded_directory_leads_into_the_store_and_no_further(make: Make) -> None:
    """``..`` is resolved by the kernel: beside a folded package only its own entry is seen."""
    project = make(
        make_wheel(
            "alpha",
            "1.0",
            files={
                "alpha/__init__.py": "",
                "alpha/_x.so": bytes(
                    Elf(needed=["libgomp-bbbbbbbb.so.1"], runpath="$ORIGIN/../beta.libs")
                ),
            },
        ),
        static_wheel("beta", "libgomp-bbbbbbbb.so.1"),
    )
    (alpha,) = project.prefix.glob(f"{SITE}/alpha")
    assert not alpha.is_symlink()  # it reaches out of its entry, so that it had to be real
    (file,) = family(audited(project), "openmp").files
    assert {each.package for each in file.needed_by} == {"alpha", "beta"}

    entry = (alpha / "_x.so").resolve().parent
    alpha.rename(alpha.with_name("aside"))
    alpha.symlink_to(entry)
    openmp = family(audited(project), "openmp")
    assert {each.package for each in openmp.files[0].needed_by} == {"beta"}
    assert [each.name for each in openmp.missing] == ["libgomp-bbbbbbbb.so.1"]


def test_a_library_on_ld_library_path_counts(make: Make, tmp_path: Path) -> None:
    project = make(
        make_wheel(
            "alpha",
            "1.0",
            files={
                "alpha/__init__.py": "",
                "alpha/_x.so": bytes(Elf(needed=["libgomp-cccccccc.so.1"])),
            },
        )
    )
    assert [each.name for each in family(audited(project), "openmp").missing]
    directory = tmp_path / "module"
    directory.mkdir()
    (directory / "libgomp-cccccccc.so.1").write_bytes(bytes(Elf()))
    project.variables = {"LD_LIBRARY_PATH": str(directory)}
    (file,) = family(audited(project), "openmp").files
    assert (file.origin, file.path) == ("system", str(directory / "libgomp-cccccccc.so.1"))


def test_what_is_linked_in_is_known_by_its_contents(tmp_path: Path) -> None:
    for mark in MARKS:
        library = tmp_path / f"{MARKS.index(mark)}.so"
        library.write_bytes(b"\0" * mark.smallest + mark.text)
        assert find_marks(str(library), [mark.family]) == (mark,)
        assert find_marks(str(library), ["other"]) == ()
        own = tmp_path / f"{mark.own[0]}.so"
        library.rename(own)
        assert find_marks(str(own), [mark.family]) == ()
        own.write_bytes(mark.text)
        own.rename(library)
        assert find_marks(str(library), [mark.family]) == ()  # too small to hold it
    assert find_marks(str(tmp_path / "absent"), ["blas"]) == ()


def test_a_runtime_linked_into_a_package_is_named_and_does_not_count(make: Make) -> None:
    mark = MARKS[0]
    blob = bytes(Elf()) + bytes(mark.smallest) + mark.text
    project = make(make_wheel("alpha", "1.0", files={"alpha/__init__.py": "", "alpha/_x.so": blob}))
    found = audited(project)
    (static,) = family(found, mark.family).static
    assert (static.package, static.what, static.known) == ("alpha", mark.what, "contents")
    assert static.file.endswith("site-packages/alpha/_x.so")
    assert found.twice == ()


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b"\xcf\xfa\xed\xfe" + bytes(60), "macOS"),
        (bytes(Elf(needed=["libc.musl-x86_64.so.1"])), "musl"),
    ],
)
def test_where_nothing_is_unified_it_says_so_and_loads_nothing(
    make: Make, tmp_path: Path, head: bytes, says: str
) -> None:
    project = make(static_wheel("alpha", "libgomp-aaaaaaaa.so.1"))
    python = tmp_path / "python"
    python.write_bytes(head)
    record = current_generation(project.prefix) / RECORD
    record.write_text(
        json.dumps({**json.loads(record.read_bytes()), "python": str(python)}), "utf-8"
    )
    for found in (audited(project), live(project)):
        assert found.note is not None
        assert says in found.note
        assert found.twice == ()
    assert audited(project).families == ()
    assert live(project).runs == ()


def test_a_package_whose_entry_is_gone_is_told_and_the_rest_audited(make: Make) -> None:
    project = make(
        static_wheel("alpha", "libgomp-aaaaaaaa.so.1"),
        static_wheel("beta", "libgomp-bbbbbbbb.so.1"),
    )
    entry = library_of(project, "alpha").resolve().parents[2]
    entry.parent.chmod(0o755)
    entry.rename(entry.with_name("aside"))
    (file,) = family(audited(project), "openmp").files
    assert file.package == "beta"
    warned = [each.text for each in project.events if isinstance(each, Warned)]
    assert any(text.startswith("the store lacks alpha 1.0") for text in warned)


def test_live_finds_two_copies_and_one_after_a_link_replaced_one(make: Make) -> None:
    project = make(
        live_wheel("alpha", "libgomp-aaaaaaaa.so.1.0.0"),
        live_wheel("beta", "libgomp-bbbbbbbb.so.1.0.0"),
    )
    (run,) = live(project).runs
    openmp = next(each for each in run.families if each.family == "openmp")
    assert (openmp.verdict, openmp.copies) == (Verdict.SEVERAL, 2)
    assert run.imported == ("alpha", "beta")
    assert run.failed == ()
    assert [(each.package, each.brought_by) for each in openmp.files] == [
        ("alpha", "alpha"),
        ("beta", "beta"),
    ]
    assert openmp.files[0].through.endswith("site-packages/alpha.libs/libgomp-aaaaaaaa.so.1.0.0")

    replace_in_view(project, "beta", library_of(project, "alpha").resolve())
    found = live(project)
    (openmp,) = [each for each in found.runs[0].families if each.family == "openmp"]
    assert (found.twice, openmp.copies, openmp.verdict) == ((), 1, Verdict.ONE)


def test_an_import_that_fails_or_ends_the_process_does_not_stop_the_rest(make: Make) -> None:
    project = make(
        live_wheel("alpha", "libgomp-aaaaaaaa.so.1", "raise SystemExit('no  device\\n')\n"),
        live_wheel("beta", "libgomp-bbbbbbbb.so.1", "os.kill(os.getpid(), 11)\n"),
        live_wheel("delta", "libgomp-dddddddd.so.1", "print('{\\\"step\\\": 1}', flush=True)\n"),
        live_wheel("gamma", "libgomp-cccccccc.so.1", "os._exit(3)\n"),
    )
    (run,) = live(project).runs
    assert run.imported == ("alpha", "delta")
    assert [(each.package, each.module, each.reason) for each in run.failed] == [
        ("beta", "", "the process was ended by SIGSEGV"),
        ("gamma", "", "the process ended with status 3"),
        ("alpha", "alpha", "SystemExit: no device"),
    ]
    openmp = next(each for each in run.families if each.family == "openmp")
    assert [each.package for each in openmp.files] == ["alpha", "delta"]


def test_an_import_that_does_not_come_back_is_ended_with_all_it_started(
    make: Make, tmp_path: Path
) -> None:
    child = tmp_path / "child"
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
        f"open({str(child)!r}, 'w').write(str(child.pid))\n"
        "child.wait()\n"
    )
    project = make(live_wheel("alpha", "libgomp-aaaaaaaa.so.1", code))
    (run,) = live(project, timeout=2.0).runs
    (failed,) = run.failed
    assert (failed.package, failed.reason) == ("alpha", "it was not done within 2 seconds")
    assert run.imported == ()
    state = Path("/proc", child.read_text(), "stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] in "ZX"


def test_isolated_is_a_second_process_with_minus_i(make: Make, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    code = f"import sys\nopen({str(seen)!r}, 'a').write(str(sys.flags.isolated))\n"
    project = make(live_wheel("alpha", "libgomp-aaaaaaaa.so.1", code))
    found = live(project, isolated=True)
    assert [run.isolated for run in found.runs] == [False, True]
    assert seen.read_text() == "01"


def test_only_named_packages_are_imported(make: Make) -> None:
    project = make(
        live_wheel("alpha", "libgomp-aaaaaaaa.so.1"),
        live_wheel("beta", "libgomp-bbbbbbbb.so.1"),
        make_wheel("plain", "1.0"),
    )
    found = live(project, packages=(PackageName("alpha"), PackageName("plain")))
    assert found.runs[0].imported == ("alpha", "plain")
    assert found.twice == ()
    with pytest.raises(NotInEnvironment) as raised:
        live(project, packages=(PackageName("alpa"),))
    assert (str(raised.value), raised.value.hint) == (
        "the environment has no package alpa",
        "did you mean alpha?",
    )


def test_without_a_need_nothing_is_imported_of_a_package(make: Make, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    code = f"open({str(seen)!r}, 'w')\n"
    project = make(make_wheel("plain", "1.0", files={"plain/__init__.py": code}))
    found = live(project)
    assert (found.runs[0].imported, found.twice, seen.exists()) == ((), (), False)


def test_an_interpreter_that_does_not_start_is_an_error(make: Make) -> None:
    project = make(live_wheel("alpha", "libgomp-aaaaaaaa.so.1"))
    python = project.prefix / "bin" / "python"
    python.unlink()
    python.symlink_to("/bin/false")
    with pytest.raises(ProbeFailed) as raised:
        live(project)
    assert str(raised.value).endswith("the process ended with status 1")
    assert raised.value.exit_code == 4


def test_threadpoolctl_of_the_environment_is_asked(make: Make) -> None:
    code = (
        "def threadpool_info():\n"
        "    maps = open('/proc/self/maps').read().split()\n"
        "    path = next(each for each in maps if 'libgomp-' in each)\n"
        "    return [{'filepath': path, 'internal_api': 'openmp', 'num_threads': 7}]\n"
    )
    project = make(
        live_wheel("alpha", "libgomp-aaaaaaaa.so.1"),
        make_wheel("threadpoolctl", "1.0", files={"threadpoolctl.py": code}),
    )
    (run,) = live(project).runs
    pools = [each.pool for family in run.families for each in family.files]
    assert [(pool.api, pool.threads) for pool in pools if pool] == [("openmp", 7)]


def test_the_system_s_directories_begin_with_what_it_configures() -> None:
    found = read_system_directories("x86_64")
    assert found[-4:] == ("/lib64", "/usr/lib64", "/lib", "/usr/lib")
    assert len(found) == len(set(found))
