"""What ``build:`` of a recipe looks like."""

from envmgr.spec.scalars import Text
from envmgr.spec.shapes import Field, KeyRule, ListOf, MapOf, Record

_FILE = KeyRule(r"^[^/\\\s]+$", "the name of a file, without a directory")
_PROJECT = KeyRule(r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", "the name of a project")
_WHEEL = Record(
    (
        Field("wheel", Text(("intel-openmp >=2025",)), "the wheel (PEP 508) to take files of"),
        Field("host", Text(("libgomp.so.1",)), "the host's library: a SONAME, or a path"),
        Field("version", Text(), "of the new wheel; left out: that of the other wheel"),
        Field("keep", ListOf(Text()), "globs over the files of the unpacked wheel"),
        Field(
            "sonames",
            MapOf(Text(), _FILE),
            "globs over file names, with new SONAMEs",
        ),
        Field("links", MapOf(Text(), _FILE), "further names, each with the library it leads to"),
        Field("licences", ListOf(Text()), "further licence files: globs, or the host's paths"),
        Field("requires", ListOf(Text()), "what the new wheel requires (PEP 508)"),
        Field("summary", Text(), "what it is, in one line"),
    ),
    one_of=("wheel", "host"),
    hint="write `{wheel: PROJECT, keep: [GLOB]}` or `{host: SONAME, version: VERSION}`",
)
BUILD = MapOf(_WHEEL, _PROJECT, "write `build:`, and below it `NAME: {wheel: PROJECT, ...}`")
"""The shape of ``build:``."""
