"""``python -m envmgr``."""

from envmgr.cli.main import program

raise SystemExit(program())
