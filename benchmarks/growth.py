"""What a warm create costs as environments grow: by packages, and not by files."""

import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contest import Contest
from benchmarks.process import Run, Series, run

SIZES = (10, 50, 100, 200, 300, 400)
ALIKE = 50
"""Packages in the two environments that differ in files alone."""

LARGE = """
aiohttp alembic altair anyio arviz astropy beautifulsoup4 biopython black bokeh boto3 cartopy
celery click cryptography cvxpy cython dash dask[complete] datasets django duckdb fastapi flask
geopandas gensim gunicorn h5py holoviews httpx hvplot hypothesis igraph ipywidgets jax jupyterlab
keras lightgbm lxml mkdocs-material matplotlib mlflow mypy netCDF4 networkx nltk notebook numba
numexpr numpy onnxruntime opencv-python-headless openpyxl optuna pandas panel papermill pandera
pillow plotly poetry polars pre-commit prefect psycopg[binary] pyarrow pydantic pymc pyogrio
pyproj pysam pytest rasterio rdkit redis requests rich ruff scikit-image scikit-learn scipy scrapy
seaborn sentencepiece shapely spacy sphinx sqlalchemy statsmodels streamlit sympy tables
tensorflow-cpu tokenizers tox transformers twine typer umap-learn uvicorn[standard] virtualenv
voila xarray[complete] xgboost-cpu zarr
""".split()


@dataclass(frozen=True)
class Growth:
    """One environment: how large, and how long its warm create took."""

    what: str
    packages: int
    files: int
    entries: int
    series: Series


@dataclass(frozen=True)
class Large:
    """The lock of everything in LARGE, resolved and in the store."""

    lock: Path
    environ: dict[str, str]
    command: tuple[str, ...]

    def create(self, prefix: Path, lock: Path) -> Run:
        """Make an environment of a lock."""
        return run(
            [*self.command, "--frozen", "-p", str(prefix), "--lock", str(lock)], self.environ
        )


def prepare(c: Contest) -> Large:
    """Resolve, lock and unpack LARGE once."""
    file = c.root / "large.yaml"
    file.write_text(
        f"schema: 1\nname: large\npython: '3.12'\ndependencies: {json.dumps(LARGE)}\n", "utf-8"
    )
    command = (c.envmgr, "create", "-f", str(file), "--no-compile")
    large = Large(c.root / "pylock.large.toml", c.ours("growth"), command)
    if not large.lock.exists():
        run([*command, "--lock", str(large.lock)], large.environ)
    return large


def growth(c: Contest, runs: int) -> Iterable[Growth]:
    """Create environments of growing parts of one lock, everything being in the store."""
    large = prepare(c)
    listed = subprocess.check_output([c.envmgr, "list", "-n", "large", "--json"], env=large.environ)
    files = _files_by_name(json.loads(listed)["result"]["packages"])
    head, *blocks = large.lock.read_text("utf-8").split("[[packages]]\n")
    by_files = sorted(blocks, key=lambda block: files[_name(block)])

    def measured(what: str, chosen: Sequence[str]) -> Growth:
        part = c.root / f"pylock.{len(chosen)}-{what}.toml"
        part.write_text("[[packages]]\n".join((head, *chosen)), "utf-8")
        prefixes = [c.root / f"grown-{what}-{len(chosen)}-{number}" for number in range(runs)]
        series = Series(tuple(large.create(prefix, part) for prefix in prefixes))
        return Growth(
            what,
            len(chosen),
            sum(files[_name(block)] for block in chosen),
            sum(1 for _ in (prefixes[0] / ".envmgr" / "current").resolve().rglob("*")),
            series,
        )

    for size in SIZES:
        if size <= len(by_files):
            yield measured("evenly", [by_files[i * len(by_files) // size] for i in range(size)])
    yield measured("fewest files", by_files[:ALIKE])
    yield measured("most files", by_files[-ALIKE:])


def _files_by_name(packages: Iterable[dict[str, str]]) -> dict[str, int]:
    """Count the files of each package's store entry."""
    return {
        each["name"]: sum(path.is_file() for path in Path(each["entry"]).rglob("*"))
        for each in packages
    }


def _name(block: str) -> str:
    """Read a lock's package block's name."""
    return block.partition('name = "')[2].partition('"')[0]
