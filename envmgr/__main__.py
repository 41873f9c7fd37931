"""``python -m envmgr``."""

from envmgr.cli.main import main

raise SystemExit(main())
