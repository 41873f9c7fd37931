"""Popular compiled packages, each with one real call and what it prints."""

import os
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

PYTHON = "3.12"
"""What they are tried with."""


@dataclass(frozen=True)
class Popular:
    """A package that a view has to carry."""

    requirement: str
    does: str
    """What the call is, for the table in the docs."""
    code: str
    prints: str

    @property
    def name(self) -> str:
        return self.requirement.partition("[")[0]


def popular(requirement: str, does: str, code: str, prints: str) -> Popular:
    return Popular(requirement, does, dedent(code).strip(), prints)


def environment_file(package: Popular) -> str:
    """An environment file that has this package alone.

    torch is a build for CPUs where pip is told of one by PIP_FIND_LINKS, else PyPI's.
    """
    python, indexes = PYTHON, ""
    directory = Path(os.environ.get("PIP_FIND_LINKS") or "absent")
    wheel = next(iter(sorted(directory.glob(f"{package.name}-*.whl"))), None)
    if package is TORCH and wheel is not None:
        tag = wheel.name.split("-")[2].removeprefix("cp")
        python = f"{tag[0]}.{tag[1:]}"
        indexes = (
            f"indexes: [{{name: here, url: '{directory}', packages: [torch]}}, {{name: pypi}}]\n"
        )
    return (
        f"schema: 1\nname: one\npython: '{python}'\n{indexes}"
        f"dependencies: ['{package.requirement}']\n"
    )


TORCH = popular(
    "torch",
    "differentiates",
    """
    import torch
    x = torch.tensor(3.0, requires_grad=True)
    (x * x).backward()
    print(x.grad.item(), torch.get_num_threads() > 0)
    """,
    "6.0 True",
)


POPULAR = (
    popular(
        "numpy",
        "solves linear equations",
        """
        import numpy as np
        print(np.linalg.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]).tolist())
        """,
        "[1.0, 0.5]",
    ),
    popular(
        "scipy",
        "minimises a function, transforms by FFT",
        """
        from scipy import fft, optimize
        found = optimize.minimize(lambda x: (x[0] - 3) ** 2, [0.0]).x[0]
        print(round(found, 3), abs(fft.fft([1, 1, 1, 1])[0]))
        """,
        "3.0 4.0",
    ),
    popular(
        "pandas",
        "groups and sums",
        """
        import pandas as pd
        frame = pd.DataFrame({"a": ["x", "y", "x"], "b": [1, 2, 3]})
        print(frame.groupby("a").b.sum().to_dict())
        """,
        "{'x': 4, 'y': 2}",
    ),
    popular(
        "pyarrow",
        "writes and reads Parquet",
        """
        import io, pyarrow as pa, pyarrow.parquet as pq
        file = io.BytesIO()
        pq.write_table(pa.table({"a": [1, 2, 3]}), file, compression="zstd")
        print(pq.read_table(io.BytesIO(file.getvalue()))["a"].to_pylist())
        """,
        "[1, 2, 3]",
    ),
    popular(
        "polars",
        "runs a lazy query",
        """
        import polars as pl
        query = pl.LazyFrame({"a": [1, 2, 3]}).filter(pl.col("a") > 1).select(pl.sum("a"))
        print(query.collect().item())
        """,
        "5",
    ),
    popular(
        "duckdb",
        "runs SQL",
        """
        import duckdb
        print(duckdb.sql("select sum(range) from range(5)").fetchall()[0][0])
        """,
        "10",
    ),
    popular(
        "h5py",
        "writes and reads a compressed dataset",
        """
        import h5py, os, tempfile
        path = os.path.join(tempfile.mkdtemp(), "a.h5")
        with h5py.File(path, "w") as file:
            file.create_dataset("a", data=list(range(1000)), compression="gzip")
        with h5py.File(path) as file:
            print(int(file["a"][999]))
        """,
        "999",
    ),
    popular(
        "netCDF4",
        "writes and reads a variable",
        """
        import netCDF4, os, tempfile
        path = os.path.join(tempfile.mkdtemp(), "a.nc")
        with netCDF4.Dataset(path, "w") as file:
            file.createDimension("x", 3)
            file.createVariable("v", "f8", ("x",), zlib=True)[:] = [1, 2, 3]
        with netCDF4.Dataset(path) as file:
            print(file["v"][:].sum())
        """,
        "6.0",
    ),
    popular(
        "tables",
        "writes and reads a table",
        """
        import os, tables, tempfile
        path = os.path.join(tempfile.mkdtemp(), "a.h5")
        with tables.open_file(path, "w", filters=tables.Filters(5, "blosc")) as file:
            file.create_carray("/", "a", obj=[1, 2, 3])
        with tables.open_file(path) as file:
            print(file.root.a[:].tolist())
        """,
        "[1, 2, 3]",
    ),
    popular(
        "rasterio",
        "writes and reads a GeoTIFF with a projection (GDAL's and PROJ's data)",
        """
        import numpy as np, rasterio
        from rasterio.io import MemoryFile
        shape = {"width": 2, "height": 2, "count": 1, "dtype": "uint8"}
        with MemoryFile() as memory:
            with memory.open(driver="GTiff", crs="EPSG:32632", **shape) as file:
                file.write(np.full((1, 2, 2), 7, "uint8"))
            with memory.open() as file:
                print(file.read().sum(), file.crs.to_epsg())
        """,
        "28 32632",
    ),
    popular(
        "pyogrio",
        "lists GDAL's drivers",
        """
        import pyogrio
        print("GPKG" in pyogrio.list_drivers())
        """,
        "True",
    ),
    popular(
        "shapely",
        "measures a buffer",
        """
        from shapely import Point
        print(round(Point(0, 0).buffer(1).area, 2))
        """,
        "3.14",
    ),
    popular(
        "pyproj",
        "transforms coordinates (PROJ's database)",
        """
        from pyproj import Transformer
        x, y = Transformer.from_crs(4326, 3857, always_xy=True).transform(9, 45)
        print(round(x), round(y))
        """,
        "1001875 5621521",
    ),
    popular(
        "vtk",
        "meshes a sphere",
        """
        import vtk
        sphere = vtk.vtkSphereSource()
        sphere.Update()
        print(sphere.GetOutput().GetNumberOfPoints())
        """,
        "50",
    ),
    popular(
        "PySide6-Essentials",
        "shows a window on the offscreen platform (a plugin found by Qt)",
        """
        import os
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        from PySide6.QtWidgets import QApplication, QLabel
        application = QApplication([])
        label = QLabel("hello")
        label.show()
        application.processEvents()
        print(application.platformName(), label.isVisible())
        """,
        "offscreen True",
    ),
    popular(
        "numba",
        "compiles and runs a loop",
        """
        import numba
        @numba.njit
        def total(n):
            s = 0
            for i in range(n):
                s += i
            return s
        print(total(10))
        """,
        "45",
    ),
    popular(
        "grpcio",
        "starts a server and closes it",
        """
        import grpc
        from concurrent import futures
        server = grpc.server(futures.ThreadPoolExecutor(1))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        server.stop(None).wait()
        print(port > 0)
        """,
        "True",
    ),
    popular(
        "psycopg[binary]",
        "loads libpq of its wheel",
        """
        import psycopg
        print(psycopg.pq.__impl__, psycopg.pq.version() > 100000)
        """,
        "binary True",
    ),
    popular(
        "lxml",
        "transforms by XSLT",
        """
        from lxml import etree
        space = "http://www.w3.org/1999/XSL/Transform"
        style = etree.XML(
            f'<x:stylesheet version="1.0" xmlns:x="{space}"><x:template match="/">'
            '<b><x:value-of select="a"/></b></x:template></x:stylesheet>'
        )
        print(str(etree.XSLT(style)(etree.XML("<a>x</a>"))).splitlines()[-1])
        """,
        "<b>x</b>",
    ),
    popular(
        "cryptography",
        "encrypts and decrypts",
        """
        from cryptography.fernet import Fernet
        box = Fernet(Fernet.generate_key())
        print(box.decrypt(box.encrypt(b"secret")).decode())
        """,
        "secret",
    ),
    popular(
        "PyNaCl",
        "signs and verifies",
        """
        from nacl.signing import SigningKey
        key = SigningKey.generate()
        print(key.verify_key.verify(key.sign(b"text")).decode())
        """,
        "text",
    ),
    popular(
        "bcrypt",
        "hashes and checks a password",
        """
        import bcrypt
        print(bcrypt.checkpw(b"a", bcrypt.hashpw(b"a", bcrypt.gensalt(4))))
        """,
        "True",
    ),
    popular(
        "pillow",
        "writes and reads a WebP and draws text",
        """
        import io
        from PIL import Image, ImageDraw, ImageFont
        image = Image.new("RGB", (40, 20))
        ImageDraw.Draw(image).text((2, 2), "a", font=ImageFont.load_default(12))
        file = io.BytesIO()
        image.save(file, "WEBP", lossless=True)
        print(Image.open(file).size)
        """,
        "(40, 20)",
    ),
    popular(
        "matplotlib",
        "saves a plot",
        """
        import io, matplotlib
        matplotlib.use("agg")
        import matplotlib.pyplot as plt
        file = io.BytesIO()
        plt.plot([1, 2], [3, 4])
        plt.title("title")
        plt.savefig(file, format="png")
        print(file.getvalue()[1:4].decode())
        """,
        "PNG",
    ),
    popular(
        "scikit-image",
        "filters one of its own images",
        """
        from skimage import data, filters
        print(filters.sobel(data.coins()).shape)
        """,
        "(303, 384)",
    ),
    popular(
        "scikit-learn",
        "fits a forest on two threads",
        """
        from sklearn.datasets import load_iris
        from sklearn.ensemble import RandomForestClassifier
        x, y = load_iris(return_X_y=True)
        print(RandomForestClassifier(10, n_jobs=2, random_state=0).fit(x, y).score(x, y) > 0.9)
        """,
        "True",
    ),
    popular(
        "statsmodels",
        "fits a line",
        """
        import numpy as np, statsmodels.api as sm
        x = np.arange(10.0)
        print(np.round(sm.OLS(2 * x + 1, sm.add_constant(x)).fit().params, 6).tolist())
        """,
        "[1.0, 2.0]",
    ),
    popular(
        "opencv-python-headless",
        "finds edges, encodes a JPEG",
        """
        import cv2, numpy as np
        image = np.zeros((64, 64), "uint8")
        cv2.circle(image, (32, 32), 20, 255, -1)
        print(cv2.Canny(image, 50, 100).any(), cv2.imencode(".jpg", image)[0])
        """,
        "True True",
    ),
    popular(
        "av",
        "encodes a video frame",
        """
        import av, io
        file = io.BytesIO()
        with av.open(file, "w", format="mp4") as out:
            stream = out.add_stream("mpeg4", rate=24)
            stream.width = stream.height = 64
            for packet in stream.encode(av.VideoFrame(64, 64, "yuv420p")):
                out.mux(packet)
            for packet in stream.encode():
                out.mux(packet)
        print(len(file.getvalue()) > 100)
        """,
        "True",
    ),
    popular(
        "soundfile",
        "writes and reads a WAV",
        """
        import io, soundfile
        file = io.BytesIO()
        soundfile.write(file, [0.0, 0.5], 8000, format="WAV")
        file.seek(0)
        print(soundfile.read(file)[1])
        """,
        "8000",
    ),
    popular(
        "faiss-cpu",
        "finds the nearest vector",
        """
        import faiss, numpy as np
        index = faiss.IndexFlatL2(2)
        index.add(np.array([[0, 0], [5, 5]], "float32"))
        print(index.search(np.array([[4, 4]], "float32"), 1)[1].tolist())
        """,
        "[[1]]",
    ),
    popular(
        "lightgbm",
        "boosts trees",
        """
        import lightgbm, numpy as np
        x = np.arange(200.0).reshape(-1, 1)
        data = lightgbm.Dataset(x, x[:, 0])
        model = lightgbm.train({"objective": "regression", "verbose": -1}, data, 5)
        print(model.num_trees())
        """,
        "5",
    ),
    popular(
        "xgboost-cpu",
        "boosts trees",
        """
        import numpy as np, xgboost
        x = np.arange(200.0).reshape(-1, 1)
        print(len(xgboost.train({}, xgboost.DMatrix(x, x[:, 0]), 5).get_dump()))
        """,
        "5",
    ),
    popular(
        "tensorflow-cpu",
        "multiplies matrices",
        """
        import os
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import tensorflow as tf
        print(tf.linalg.matmul([[1.0, 2.0]], [[3.0], [4.0]]).numpy().item())
        """,
        "11.0",
    ),
    popular(
        "jax",
        "differentiates and compiles",
        """
        import jax
        print(float(jax.jit(jax.grad(lambda x: x * x))(3.0)))
        """,
        "6.0",
    ),
    popular(
        "cupy-cuda12x",
        "asks CUDA's runtime, which says that there is no GPU; squares on the processor",
        """
        import cupy, numpy as np
        from cupy.cuda import runtime
        @cupy.fuse()
        def square(x):
            return x * x
        try:
            told = "GPU" if runtime.getDeviceCount() else "cudaErrorNoDevice"
        except runtime.CUDARuntimeError as error:
            told = str(error).partition(":")[0]
        says = {"GPU", "cudaErrorNoDevice", "cudaErrorInsufficientDriver"}
        print(square(np.arange(3)).tolist(), runtime.runtimeGetVersion() // 1000, told in says)
        """,
        "[0, 1, 4] 12 True",
    ),
    popular(
        "onnxruntime",
        "names its provider",
        """
        import onnxruntime
        print("CPUExecutionProvider" in onnxruntime.get_available_providers())
        """,
        "True",
    ),
    popular(
        "tokenizers",
        "trains a tokenizer",
        """
        from tokenizers import Tokenizer, models, trainers
        tokenizer = Tokenizer(models.BPE())
        tokenizer.train_from_iterator(["aab aab"], trainers.BpeTrainer(show_progress=False))
        print(tokenizer.get_vocab_size() > 2)
        """,
        "True",
    ),
    popular(
        "spacy",
        "splits a sentence into words",
        """
        import spacy
        print([str(token) for token in spacy.blank("en")("Hello, world")])
        """,
        "['Hello', ',', 'world']",
    ),
    popular(
        "pyzmq",
        "sends a message to itself",
        """
        import zmq
        context = zmq.Context()
        one, other = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
        one.bind("inproc://a")
        other.connect("inproc://a")
        other.send(b"hello")
        print(one.recv().decode())
        """,
        "hello",
    ),
    popular(
        "pydantic",
        "validates",
        """
        import pydantic
        class Point(pydantic.BaseModel):
            x: int
        print(Point(x="3").x)
        """,
        "3",
    ),
    popular(
        "psutil",
        "counts its own threads",
        """
        import psutil
        print(psutil.Process().num_threads() >= 1)
        """,
        "True",
    ),
    popular(
        "gmpy2",
        "computes a large power",
        """
        import gmpy2
        print(gmpy2.powmod(2, 1000, 1009))
        """,
        str(pow(2, 1000, 1009)),
    ),
    popular(
        "cvxpy",
        "solves a convex problem by three solvers",
        """
        import cvxpy as cp
        x = cp.Variable()
        problem = cp.Problem(cp.Minimize((x - 2) ** 2))
        print([round(float(problem.solve(solver=name)), 3) for name in ("OSQP", "CLARABEL", "SCS")])
        """,
        "[0.0, 0.0, 0.0]",
    ),
    popular(
        "casadi",
        "solves by IPOPT, a plugin it loads itself",
        """
        import casadi
        x = casadi.SX.sym("x")
        quiet = {"print_time": 0, "ipopt": {"print_level": 0, "sb": "yes"}}
        solver = casadi.nlpsol("s", "ipopt", {"x": x, "f": (x - 2) ** 2}, quiet)
        print(round(float(solver(x0=0)["x"]), 3))
        """,
        "2.0",
    ),
    popular(
        "igraph",
        "finds a shortest path",
        """
        import igraph
        print(igraph.Graph.Ring(6).distances(0, 3))
        """,
        "[[3]]",
    ),
    popular(
        "rdkit",
        "weighs a molecule",
        """
        from rdkit import Chem
        from rdkit.Chem import Descriptors
        print(round(Descriptors.MolWt(Chem.MolFromSmiles("CCO")), 1))
        """,
        "46.1",
    ),
    popular(
        "biopython",
        "aligns two sequences",
        """
        from Bio import Align
        aligner = Align.PairwiseAligner(match_score=1, mismatch_score=0, gap_score=0)
        print(aligner.score("GAACT", "GAT"))
        """,
        "3.0",
    ),
    popular(
        "pysam",
        "writes and reads an alignment file",
        """
        import os, pysam, tempfile
        path = os.path.join(tempfile.mkdtemp(), "a.bam")
        header = {"HD": {"VN": "1.0"}, "SQ": [{"SN": "1", "LN": 100}]}
        with pysam.AlignmentFile(path, "wb", header=header) as file:
            read = pysam.AlignedSegment(file.header)
            read.query_name, read.query_sequence, read.reference_start = "r", "ACGT", 1
            file.write(read)
        with pysam.AlignmentFile(path, "rb", check_sq=False) as file:
            print([each.query_name for each in file.fetch(until_eof=True)])
        """,
        "['r']",
    ),
    popular(
        "astropy",
        "transforms coordinates of the sky",
        """
        from astropy.coordinates import SkyCoord
        print(round(SkyCoord(0, 0, unit="deg").galactic.b.deg, 2))
        """,
        "-60.19",
    ),
    popular(
        "cantera",
        "burns methane, by its own data files",
        """
        import cantera
        gas = cantera.Solution("gri30.yaml")
        gas.TPX = 300, 101325, "CH4:1, O2:2, N2:7.52"
        gas.equilibrate("HP")
        print(2200 < gas.T < 2250)
        """,
        "True",
    ),
    popular(
        "pin",
        "moves a robot arm (cmeel.prefix, libraries across wheels)",
        """
        import pinocchio
        model = pinocchio.buildSampleModelManipulator()
        data = model.createData()
        pinocchio.forwardKinematics(model, data, pinocchio.neutral(model))
        print(model.nq == len(pinocchio.neutral(model)), len(data.oMi) == model.njoints)
        """,
        "True True",
    ),
)
