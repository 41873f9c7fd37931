from datetime import UTC, datetime

import pytest
from packaging.version import Version

from envmgr.index.choosing import Choice, Chooser, parse_time, sdist_version
from envmgr.index.pages import Hashes, Page, PageFile
from envmgr.index.types import (
    Exclusion,
    NoCompatibleTag,
    PythonMismatch,
    SourceOnly,
    UnsupportedVariant,
    UnusableMetadata,
    UploadedTooLate,
    UploadTimeUnknown,
)
from envmgr.names import IndexName, PackageName
from tests.support.locks import target_for

INDEX = IndexName("lab")
SPAM = PackageName("spam")
URL = "https://index.example.org/simple/spam/"
TARGET = target_for((3, 12, 4))
EARLY = "2026-01-01T00:00:00Z"
LATE = "2026-06-01T00:00:00Z"
CUTOFF = datetime(2026, 3, 1, tzinfo=UTC)


def file(name: str, **facts: object) -> PageFile:
    return PageFile(filename=name, url=f"../../files/{name}", **facts)  # type: ignore[arg-type]


def choose(*files: PageFile | str, name: str = "spam", newer: datetime | None = None) -> Choice:
    made = tuple(entry if isinstance(entry, PageFile) else file(entry) for entry in files)
    return Chooser(TARGET, newer).choose(Page(URL, made), PackageName(name), INDEX)


def chosen(choice: Choice) -> list[str]:
    return [candidate.filename for candidate in choice.candidates]


def reasons(choice: Choice) -> dict[str, Exclusion]:
    return {str(excluded.version): excluded.reason for excluded in choice.excluded}


def test_versions_come_newest_first_whatever_the_order_of_the_page() -> None:
    choice = choose(
        "spam-1.9-py3-none-any.whl",
        "spam-1.10-py3-none-any.whl",
        "spam-2.0rc1-py3-none-any.whl",
        "spam-1!0.1-py3-none-any.whl",
    )
    assert [str(c.version) for c in choice.candidates] == ["1!0.1", "2.0rc1", "1.10", "1.9"]


def test_the_best_tag_wins_then_the_highest_build_then_the_file_name() -> None:
    choice = choose(
        "spam-3-py3-none-any.whl",
        "spam-3-cp312-cp312-manylinux_2_17_x86_64.whl",
        "spam-3-cp312-cp312-manylinux_2_28_x86_64.whl",
        "spam-3-cp312-cp312-win_amd64.whl",
        "spam-2-2-py3-none-any.whl",
        "spam-2-10-py3-none-any.whl",
        "spam-2-py3-none-any.whl",
        "Spam-1-py3-none-any.whl",
        "SPAM-1-py3-none-any.whl",
    )
    assert chosen(choice) == [
        "spam-3-cp312-cp312-manylinux_2_28_x86_64.whl",
        "spam-2-10-py3-none-any.whl",
        "SPAM-1-py3-none-any.whl",
    ]


def test_any_tag_of_a_compressed_set_will_do() -> None:
    choice = choose("spam-1-cp39.cp312-abi3.cp312-win32.manylinux_2_28_x86_64.whl")
    assert len(choice.candidates) == 1


def test_a_candidate_knows_everything_the_page_said() -> None:
    choice = choose(
        file(
            "spam-1-py3-none-any.whl",
            hashes=Hashes(sha256="ab" * 32),
            size=9,
            upload_time=EARLY,
            requires_python=">=3.8",
            yanked="broken",
            core_metadata=Hashes(sha256="cd" * 32),
        )
    )
    (candidate,) = choice.candidates
    assert candidate.url == "https://index.example.org/files/spam-1-py3-none-any.whl"
    assert (candidate.index, candidate.sha256, candidate.size) == (INDEX, "ab" * 32, 9)
    assert candidate.upload_time == datetime(2026, 1, 1, tzinfo=UTC)
    assert (candidate.requires_python, candidate.yanked) == (">=3.8", "broken")
    assert (candidate.has_metadata, candidate.metadata_sha256) == (True, "cd" * 32)


def test_a_wheel_that_is_not_yanked_is_better_than_one_that_is() -> None:
    choice = choose(
        file("spam-1-cp312-cp312-manylinux_2_28_x86_64.whl", yanked=True), "spam-1-py3-none-any.whl"
    )
    assert chosen(choice) == ["spam-1-py3-none-any.whl"]


def test_two_spellings_of_one_version_are_one_version() -> None:
    choice = choose("spam-1.0-py2-none-any.whl", "spam-1.0.0-py3-none-any.whl", "spam-1.tar.gz")
    assert chosen(choice) == ["spam-1.0.0-py3-none-any.whl"]
    assert choice.excluded == ()


def test_files_of_other_projects_kinds_and_versions_are_passed_over() -> None:
    choice = choose(
        "spam_extra-1-py3-none-any.whl",
        "spam-extra-2.tar.gz",
        "spam-1-py3-none-any.exe",
        "spam-1.egg",
        "spam-nightly-py3-none-any.whl",
        "spam-2004d.tar.gz",
        "spam.whl",
        "spam-1.whl",
        "spam-1-py3.whl",
        "spam-1-py3-none-any-UPPER.whl",
        f"spam-{'9' * 5000}-py3-none-any.whl",
    )
    assert choice == Choice((), ())


@pytest.mark.parametrize(
    ("filename", "name", "version"),
    [
        ("spam-1.0.tar.gz", "spam", "1.0"),
        ("spam_eggs-1.0.zip", "spam-eggs", "1.0"),
        ("spam-eggs-1.0.tar.gz", "spam-eggs", "1.0"),
        ("Spam.Eggs-1.0.tar.bz2", "spam-eggs", "1.0"),
        ("spam-1.0-beta1.tar.gz", "spam", "1.0-beta1"),
        ("spam-eggs-1.0.tar.gz", "spam", "eggs-1.0"),
        ("eggs-1.0.tar.gz", "spam", None),
        ("spam.tar.gz", "spam", None),
    ],
)
def test_the_project_decides_where_the_version_of_a_source_begins(
    filename: str, name: str, version: str | None
) -> None:
    assert sdist_version(filename, PackageName(name)) == version


def test_every_version_that_cannot_be_chosen_says_why() -> None:
    choice = choose(
        "spam-6.tar.gz",
        "spam-5-cp311-cp311-manylinux_2_28_x86_64.whl",
        "spam-5-cp312-cp312-win_amd64.whl",
        "spam-5.tar.gz",
        file("spam-4-py3-none-any.whl", requires_python=">=3.8,<3.12"),
        "spam-3-py3-none-any-cuda12.whl",
        file("spam-2-cp38-cp38-win32.whl", requires_python="<3.9"),
        file("spam-1.tar.gz", requires_python=">=3.13"),
    )
    assert choice.candidates == ()
    assert [str(excluded.version) for excluded in choice.excluded] == ["6", "5", "4", "3", "2", "1"]
    assert reasons(choice) == {
        "6": SourceOnly(),
        "5": NoCompatibleTag(("cp311-cp311-manylinux_2_28_x86_64",)),
        "4": PythonMismatch(">=3.8,<3.12"),
        "3": UnsupportedVariant(("cuda12",)),
        "2": PythonMismatch("<3.9"),
        "1": PythonMismatch(">=3.13"),
    }


def test_of_many_wheels_one_is_kept_of_each_interpreter_on_the_targets_platform() -> None:
    platforms = ("macosx_10_9_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64", "win_amd64")
    choice = choose(
        *(
            f"spam-1-cp3{minor}-cp3{minor}-{platform}.whl"
            for minor in (10, 11, 6, 7, 8, 9)
            for platform in platforms
        )
    )
    assert reasons(choice) == {
        "1": NoCompatibleTag(
            tuple(f"cp3{n}-cp3{n}-manylinux2014_x86_64" for n in (10, 11, 6, 7, 8, 9))
        )
    }


def test_without_a_wheel_for_the_targets_platform_one_is_kept_of_each_platform() -> None:
    choice = choose(
        "spam-1-cp311-cp311-win_amd64.whl",
        "spam-1-cp312-cp312-win_amd64.whl",
        "spam-1-cp312-cp312-macosx_11_0_arm64.whl",
    )
    assert reasons(choice) == {
        "1": NoCompatibleTag(("cp311-cp311-win_amd64", "cp312-cp312-macosx_11_0_arm64"))
    }


def test_a_variant_does_not_hide_the_plain_wheel_of_its_version() -> None:
    choice = choose("spam-1-py3-none-any-cuda12.whl", "spam-1-py3-none-any.whl")
    assert (chosen(choice), choice.excluded) == (["spam-1-py3-none-any.whl"], ())


def test_a_variant_for_another_platform_is_excluded_by_its_tag() -> None:
    choice = choose("spam-1-cp312-cp312-win_amd64-cuda12.whl")
    assert reasons(choice) == {"1": NoCompatibleTag(("cp312-cp312-win_amd64",))}


def test_what_was_uploaded_at_the_cutoff_or_later_does_not_exist() -> None:
    choice = choose(
        file("spam-4-py3-none-any.whl", upload_time="2026-03-01T00:00:00Z"),
        file("spam-3-py3-none-any.whl", upload_time="2026-02-28T23:59:59.999999Z"),
        file("spam-2-py3-none-any.whl", upload_time=LATE),
        file("spam-2.tar.gz", upload_time=EARLY),
        "spam-1-py3-none-any.whl",
        newer=CUTOFF,
    )
    assert [str(candidate.version) for candidate in choice.candidates] == ["3"]
    assert reasons(choice) == {
        "4": UploadedTooLate(CUTOFF),
        "2": SourceOnly(),
        "1": UploadTimeUnknown(),
    }


def test_a_later_wheel_does_not_hide_an_earlier_one_of_the_same_version() -> None:
    choice = choose(
        file("spam-1-2-py3-none-any.whl", upload_time=LATE),
        file("spam-1-1-py3-none-any.whl", upload_time=EARLY),
        newer=CUTOFF,
    )
    assert chosen(choice) == ["spam-1-1-py3-none-any.whl"]


def test_a_page_cannot_send_us_to_files_of_this_machine() -> None:
    choice = choose(PageFile(filename="spam-1-py3-none-any.whl", url="file:///etc/passwd"))
    assert choice.candidates == ()
    assert reasons(choice) == {"1": UnusableMetadata("the index names a local file")}


@pytest.mark.parametrize("url", ["http://[x/a.whl", "http://h:99999/a.whl", "//h:x/a.whl"])
def test_a_url_that_is_none_excludes_its_version(url: str) -> None:
    choice = choose(PageFile(filename="spam-1-py3-none-any.whl", url=url))
    assert choice.candidates == ()
    assert reasons(choice) == {"1": UnusableMetadata("the index gives no usable URL for it")}


def test_what_is_special_about_a_project_is_told() -> None:
    page = Page(URL, (), "quarantined", "malware")
    assert Chooser(TARGET).choose(page, SPAM, INDEX).note == "quarantined: malware"
    assert Chooser(TARGET).choose(Page(URL, (), "archived"), SPAM, INDEX).note == "archived"
    assert Chooser(TARGET).choose(Page(URL, ()), SPAM, INDEX).note is None


def test_one_chooser_serves_many_pages() -> None:
    chooser = Chooser(TARGET)
    first = chooser.choose(Page(URL, (file("spam-1-py3-none-any.whl"),)), SPAM, INDEX)
    second = chooser.choose(
        Page(URL, (file("eggs-2-py3-none-any.whl"), file("spam-2-py3-none-any.whl"))),
        PackageName("eggs"),
        INDEX,
    )
    assert [c.version for c in (*first.candidates, *second.candidates)] == [
        Version("1"),
        Version("2"),
    ]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T01:00:00+01:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_upload_times_are_aware(text: str | None, moment: datetime | None) -> None:
    assert parse_time(text) == moment
