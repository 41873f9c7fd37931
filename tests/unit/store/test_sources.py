import csv

from envmgr.names import PackageName
from envmgr.store.sources import render_sources
from envmgr.wheel.manifest import EntryPoint, FileFacts, Manifest, make_manifest


def manifest(*paths: str, entry_points: tuple[EntryPoint, ...] = ()) -> Manifest:
    return make_manifest(
        name=PackageName("demo"),
        version="1.0",
        wheel="demo-1.0-py3-none-any.whl",
        root_is_purelib=True,
        dist_info="demo-1.0.dist-info",
        entry_points=entry_points,
        files=[FileFacts(path, 0, False, "0" * 64) for path in paths],
        elf=(),
    )


def read_as_importlib_metadata_does(text: str) -> list[str]:
    return [row[0] for row in csv.reader(f'"{line}"' for line in text.splitlines())]


def test_files_are_listed_as_seen_from_site_packages() -> None:
    facts = manifest(
        "site-packages/demo/__init__.py",
        "site-packages/demo-1.0.dist-info/METADATA",
        "data/share/demo/x.txt",
        "scripts/tool",
        "headers/demo.h",
        entry_points=(EntryPoint("console_scripts", "run-demo", "demo:main"),),
    )

    listed = read_as_importlib_metadata_does(render_sources(facts))

    assert listed == [
        "../../../share/demo/x.txt",
        "../../../bin/tool",
        "demo-1.0.dist-info/METADATA",
        "demo/__init__.py",
        "demo-1.0.dist-info/INSTALLER",
        "demo-1.0.dist-info/SOURCES.txt",
        "../../../bin/run-demo",
    ]


def test_a_record_and_its_signatures_are_not_listed() -> None:
    names = ("RECORD", "RECORD.jws", "RECORD.p7s", "WHEEL")
    facts = manifest(*(f"site-packages/demo-1.0.dist-info/{name}" for name in names))

    listed = read_as_importlib_metadata_does(render_sources(facts))

    assert [path for path in listed if "RECORD" in path] == []
    assert "demo-1.0.dist-info/WHEEL" in listed


def test_names_with_commas_and_quotes_survive_the_reader() -> None:
    facts = manifest('site-packages/demo/a,b "c".py')

    assert 'demo/a,b "c".py' in read_as_importlib_metadata_does(render_sources(facts))
