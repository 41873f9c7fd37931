"""A process with the packages of the science stack, and what it has mapped of shared runtimes."""

MODULES = (
    "numpy",
    "scipy.linalg",
    "sklearn.cluster",
    "torch",
    "xgboost",
    "lightgbm",
    "faiss",
    "cv2",
    "numba",
)
"""What is imported, in the order of the facts."""

MAPPED = '''
import json, os, re

FAMILIES = {
    "openmp": r"lib(gomp|iomp5|omp)\\b",
    "blas": r"lib(scipy_openblas|openblas|mkl_core|mklml|satlas|t?atlas|blas-|blas\\.|casadi-tp-o)",
    "gfortran": r"libgfortran\\b",
    "quadmath": r"libquadmath\\b",
}


def written(path):
    """Tell whether envmgr wrote a library of a composed entry."""
    found = re.match(r"(.*/composed-[0-9a-f]+)/(.*)", path)
    if found is None:
        return False
    with open(found[1] + "/composition.json") as file:
        return found[2] in json.load(file)["files"]


def mapped():
    """Family -> paths of its libraries in this process, one for each inode of a device."""
    files = {}
    with open("/proc/self/maps") as maps:
        for line in maps:
            parts = line.split(maxsplit=5)
            if len(parts) == 6 and ".so" in parts[5]:
                files[parts[3], parts[4]] = parts[5].strip()
    return {
        family: sorted(
            path
            for path in files.values()
            if re.match(pattern, os.path.basename(path)) and not written(path)
        )
        for family, pattern in FAMILIES.items()
    }
'''
"""Python text that defines ``mapped``; a library that envmgr wrote is not one of its own.

MKL is several files, of which every process that has called it has ``libmkl_core`` mapped.
"""

PROCESS = (
    MAPPED
    + """
import importlib, multiprocessing, sys, threading

ORDER, MODE = sys.argv[1].split(","), sys.argv[2]
for name in ORDER:
    importlib.import_module(name)

import cv2, faiss, lightgbm, numba, numpy as np, torch, xgboost
from scipy import linalg
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression

numba.config.THREADING_LAYER = "omp"
rng = np.random.default_rng(1)
SQUARE = rng.standard_normal((300, 300))
WIDE = rng.standard_normal((400, 8))
LABELS = (WIDE[:, 0] > 0).astype(int)
BLOBS = np.concatenate([WIDE - 20, WIDE + 20])


@numba.njit(parallel=True)
def summed(values):
    total = 0.0
    for index in numba.prange(values.size):
        total += values[index]
    return total


def of_numpy():
    left, values, right = np.linalg.svd(SQUARE)
    slow = (SQUARE[:3, :, None] * SQUARE[None, :, :4]).sum(axis=1)
    complex_ = SQUARE[0] + 1j * SQUARE[1]
    assert np.allclose(left * values @ right, SQUARE)
    assert np.allclose((SQUARE @ SQUARE)[:3, :4], slow)
    assert np.isclose(np.vdot(complex_, complex_), (abs(complex_) ** 2).sum())


def of_scipy():
    symmetric = SQUARE + SQUARE.T
    values, vectors = linalg.eigh(symmetric)
    found = linalg.lu_solve(linalg.lu_factor(SQUARE), SQUARE[0])
    complex_ = (SQUARE[0] + 1j * SQUARE[1]).astype(np.complex64)
    assert np.allclose(vectors * values @ vectors.T, symmetric)
    assert np.allclose(SQUARE @ found, SQUARE[0])
    assert np.isclose(linalg.blas.cdotu(complex_, complex_), (complex_**2).sum(), rtol=1e-3)


def of_sklearn():
    labels = KMeans(2, n_init=2, random_state=0).fit(BLOBS).labels_
    fitted = LinearRegression().fit(WIDE, WIDE @ np.arange(8.0) + 3)
    assert len(set(labels[:400])) == len(set(labels[400:])) == 1 and labels[0] != labels[-1]
    assert np.allclose(fitted.coef_, np.arange(8)) and np.isclose(fitted.intercept_, 3)


def of_torch():
    tensor = torch.from_numpy(SQUARE)
    assert np.allclose((tensor @ tensor).numpy(), SQUARE @ SQUARE)
    assert np.allclose(torch.sort(tensor.flatten())[0].numpy(), np.sort(SQUARE, axis=None))


def of_xgboost():
    data = xgboost.DMatrix(WIDE, LABELS)
    booster = xgboost.train({"objective": "binary:logistic", "seed": 0}, data, 5)
    assert ((booster.predict(data) > 0.5) == LABELS).all()


def of_lightgbm():
    data = lightgbm.Dataset(WIDE, LABELS)
    booster = lightgbm.train({"objective": "binary", "verbose": -1}, data, 20)
    assert ((booster.predict(WIDE) > 0.5) == LABELS).all()


def of_faiss():
    index = faiss.IndexFlatL2(8)
    index.add(WIDE.astype("float32"))
    distances, nearest = index.search(WIDE.astype("float32"), 1)
    transform = faiss.PCAMatrix(8, 2)
    transform.train(WIDE.astype("float32"))
    assert (nearest[:, 0] == np.arange(400)).all()
    assert transform.is_trained and np.isfinite(transform.apply(WIDE.astype("float32"))).all()


def of_cv2():
    done, found = cv2.solve(SQUARE, SQUARE[:, :1].copy(), flags=cv2.DECOMP_SVD)
    assert done and np.allclose(SQUARE @ found, SQUARE[:, :1])


def of_numba():
    assert np.isclose(summed(SQUARE.ravel()), SQUARE.sum())
    assert numba.threading_layer() == "omp"


ALL = (of_numpy, of_scipy, of_sklearn, of_torch, of_xgboost, of_lightgbm, of_faiss, of_cv2)


def work(_=0):
    for call in (*ALL, of_numba):
        call()
    return mapped()


def in_threads():
    failed = []

    def guarded(call):
        try:
            call()
        except BaseException as error:
            failed.append(f"{call.__name__}: {error!r}")

    threads = [threading.Thread(target=guarded, args=(call,)) for call in (*ALL, *ALL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed
    return [work()]


def in_children(how, before):
    for call in before:
        call()
    with multiprocessing.get_context(how).Pool(2) as pool:
        return [*pool.map(work, range(2)), *([work()] if how == "spawn" else [mapped()])]


if __name__ == "__main__":
    found = {
        "plain": lambda: [work()],
        "threads": in_threads,
        "spawn": lambda: in_children("spawn", ()),
        # numba ends a process that forked after numba itself had used OpenMP
        "fork": lambda: in_children("fork", ALL),
        "fork-first": lambda: in_children("fork", ()),
    }[MODE]()
    print(json.dumps(found))
"""
)
"""Imports modules in an order, calls each, in a way; prints what each process had mapped.

Arguments: modules with commas between, and ``plain``, ``threads``, ``spawn``, ``fork`` (the
parent has called everything before) or ``fork-first``. Wrong numbers end it with a failure.
"""
