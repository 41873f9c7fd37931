"""envmgr beside uv and pip, in one run: ``python -m benchmarks``."""
