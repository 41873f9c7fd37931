"""``environment.schema.json``: the file's structure for editors, made of the table of keys."""

import json

from envmgr.spec.keys import ENVIRONMENT
from envmgr.spec.shapes import JsonSchema


def environment_schema() -> JsonSchema:
    """JSON Schema (Draft 2020-12) of an environment file, after a YAML 1.2 core-schema load."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "envmgr environment file",
        "description": "Packages, their indexes and the interpreter of one environment",
    } | ENVIRONMENT.schema()


def render_schema() -> str:
    """Return the text of ``environment.schema.json``."""
    return json.dumps(environment_schema(), indent=2, ensure_ascii=False) + "\n"
