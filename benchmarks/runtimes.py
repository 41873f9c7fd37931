"""What shared runtimes change in a process: ``python -m benchmarks.runtimes [--runs N]``.

The same packages three times: installed by uv, each with its own copies; by envmgr with
nothing said of runtimes; and by envmgr with ``{openmp: gnu, blas: mkl}``. Every run is a
process of its own, the three in turn. A torch for CPUs is taken from ``PIP_FIND_LINKS``.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.contest import remove
from benchmarks.process import run

MEASURED = """
import json, sys, time
began = time.perf_counter()
import numpy as np, scipy.linalg, sklearn.cluster, sklearn.ensemble, torch, xgboost, lightgbm
import faiss, cv2, numba
from concurrent.futures import ThreadPoolExecutor

told = {"time to import [s]": time.perf_counter() - began}


def status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name + ":"))


def timed(name, call):
    began = time.perf_counter()
    call()
    told[name] = time.perf_counter() - began


told["threads after the imports"] = status("Threads")
told["peak memory after the imports [MiB]"] = status("VmHWM") / 1024
rng = np.random.default_rng(0)
square = rng.standard_normal((1500, 1500))
small = rng.standard_normal((300, 300))
wide = rng.standard_normal((20000, 20))
target = wide[:, 0] > 0
tensor = torch.from_numpy(square)


def warm():
    square @ square
    scipy.linalg.svd(small)
    tensor @ tensor
    sklearn.cluster.KMeans(8, n_init=1, max_iter=3, random_state=0).fit(wide)


def in_threads():
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: [np.linalg.svd(small) for _ in range(5)], range(4)))


def interleaved():
    for _ in range(15):
        sklearn.cluster.KMeans(8, n_init=1, max_iter=5, random_state=0).fit(wide)
        scipy.linalg.solve(small, small)
        torch.sort(tensor[:100])
        np.linalg.svd(small)


def boosted():
    kind = sklearn.ensemble.HistGradientBoostingClassifier(max_iter=20)
    with ThreadPoolExecutor(2) as pool:
        fitting = pool.submit(kind.fit, wide, target)
        while not fitting.done():
            small @ small
        fitting.result()


warm()
timed("matrix product of 1500 x 1500 [s]", lambda: square @ square)
timed("svd of 300 x 300, 5 times in each of 4 threads [s]", in_threads)
timed("KMeans, solve, torch.sort and svd in turn, 15 times [s]", interleaved)
timed("boosting beside matrix products [s]", boosted)
told["threads at the end"] = status("Threads")
told["peak memory at the end [MiB]"] = status("VmHWM") / 1024
print(json.dumps(told))
"""

DEPENDENCIES = (
    "[numpy, scipy, scikit-learn, torch, xgboost, lightgbm, faiss-cpu, opencv-python-headless, "
    "numba]\n"
)
OURS = {"envmgr": "{}", "envmgr, `{openmp: gnu, blas: mkl}`": "{openmp: gnu, blas: mkl}"}


def environ(root: Path) -> dict[str, str]:
    """The caller's environment without what steers a runtime."""
    steering = ("MKL_", "OMP_", "GOMP_", "KMP_", "OPENBLAS_", "PYTHON", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    ours = {"ENVMGR_HOME": str(root / "home"), "ENVMGR_CACHE": str(root / "cache")}
    return {**kept, **ours, "UV_CACHE_DIR": str(root / "uv"), "UV_PYTHON_DOWNLOADS": "never"}


def make(root: Path, envmgr: Sequence[str], uv: str) -> Mapping[str, str]:
    """Make the three environments; returns the interpreter of each, by its name."""
    local = Path(os.environ.get("PIP_FIND_LINKS") or "absent")
    here = f"{{name: here, url: '{local}', packages: [torch]}}, " if local.is_dir() else ""
    pythons, variables = {}, environ(root)
    for number, (name, runtimes) in enumerate(OURS.items()):
        file, prefix = root / f"{number}.yaml", root / f"ours-{number}"
        file.write_text(
            f"schema: 1\nname: ours\npython: '3.11'\nindexes: [{here}{{name: pypi}}]\n"
            f"runtimes: {runtimes}\ndependencies: {DEPENDENCIES}",
            "utf-8",
        )
        lock = root / f"pylock.{number}.toml"
        words = ["create", "-f", str(file), "-p", str(prefix), "--lock", str(lock)]
        run([*envmgr, *words], variables)
        pythons[name] = str(prefix / "bin" / "python")
    theirs = root / "theirs"
    base = subprocess.run(
        [pythons["envmgr"], "-c", "import sys; print(sys.base_prefix)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    run([uv, "venv", "--python", f"{base}/bin/python3.11", str(theirs)], variables)
    python = str(theirs / "bin" / "python")
    sync = [uv, "pip", "sync", "--compile-bytecode", "--python", python]
    run([*sync, str(root / "pylock.0.toml")], variables)
    return {"uv": python, **pythons}


def measure(pythons: Mapping[str, str], runs: int, variables: Mapping[str, str]) -> str:
    """Run every environment in turn; returns the table."""
    seen: dict[str, dict[str, list[float]]] = {}
    for number in range(runs + 1):
        for name, python in pythons.items():
            done = subprocess.run(
                [python, "-c", MEASURED],
                env=dict(variables),
                check=True,
                capture_output=True,
                text=True,
                timeout=600,
            )
            told = json.loads(done.stdout.splitlines()[-1])
            for what, value in told.items() if number else ():  # the first fills the page cache
                seen.setdefault(what, {}).setdefault(name, []).append(value)
    lines = [f"| | {' | '.join(pythons)} |", f"|---|{'---|' * len(pythons)}"]
    lines += [
        f"| {what} | {' | '.join(_spread(values[name]) for name in pythons)} |"
        for what, values in seen.items()
    ]
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    if max(values) >= 20 or all(value == int(value) for value in values):
        return f"{median(values):.0f} ({min(values):.0f} to {max(values):.0f})"
    return f"{median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def main() -> None:
    """Make, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runtimes", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="processes of each (5)")
    parser.add_argument("--where", type=Path, help="directory to work in (a temporary one)")
    options = parser.parse_args()
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        parser.error("uv has to be installed: make bench sees to it")
    root = Path(tempfile.mkdtemp(prefix="envmgr-bench-", dir=options.where))
    try:
        pythons = make(root, (sys.executable, "-m", "envmgr"), uv)
        print(f"{platform.platform()}, {os.cpu_count()} CPUs, {options.runs} runs", flush=True)
        print(measure(pythons, options.runs, environ(root)))
    finally:
        remove(root)


if __name__ == "__main__":
    main()
