"""Packages that bring OpenMP, BLAS or Fortran's runtime along, each with one call that uses it."""

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True)
class Carrier:
    """A package whose wheel has a runtime in it, or takes the machine's."""

    requirement: str
    does: str
    """What the call is, for the table in the docs."""
    code: str
    """Prints a result that does not depend on the order of additions."""
    blas: bool = False
    """Whether its wheel has a BLAS."""
    beside: str = ""
    """What it imports and does not say that it needs."""

    @property
    def name(self) -> str:
        return self.requirement.partition(" ")[0]


def carrier(
    requirement: str, does: str, code: str, *, blas: bool = False, beside: str = ""
) -> Carrier:
    return Carrier(requirement, does, dedent(code).strip(), blas, beside)


CARRIERS = (
    carrier(
        "pyscf",
        "Hartree-Fock of HF",
        """
        from pyscf import gto, scf
        molecule = gto.M(atom="H 0 0 0; F 0 0 1.1", basis="sto-3g", verbose=0)
        print(round(float(scf.RHF(molecule).kernel()), 6))
        """,
        blas=True,
    ),
    carrier(
        "casadi",
        "solves by IPOPT and by LAPACK, plugins it loads itself",
        """
        import casadi
        x = casadi.SX.sym("x")
        quiet = {"print_time": 0, "ipopt": {"print_level": 0, "sb": "yes"}}
        solver = casadi.nlpsol("s", "ipopt", {"x": x, "f": (x - 2) ** 2}, quiet)
        found = casadi.solve(casadi.DM([[2, 1], [1, 3]]), casadi.DM([3, 5]), "lapacklu")
        print(round(float(solver(x0=0)["x"]), 3), [round(each, 6) for each in found.nonzeros()])
        """,
        blas=True,
    ),
    carrier(
        "scs",
        "solves a semidefinite problem",
        """
        import numpy as np, scs
        from scipy import sparse
        a = sparse.csc_matrix(np.vstack([[0, 1, 0], -np.eye(3)]))
        data = {"A": a, "b": np.array([0, 0, 2**0.5, 0]), "c": np.array([1.0, 0, 1.0])}
        found = scs.SCS(data, {"z": 1, "s": [2]}, verbose=False, eps_abs=1e-8).solve()
        print(round(found["info"]["pobj"], 3))
        """,
        blas=True,
    ),
    carrier(
        "cvxopt",
        "factorises by LAPACK and CHOLMOD, solves a linear programme",
        """
        from cvxopt import cholmod, lapack, matrix, solvers, spmatrix
        solvers.options["show_progress"] = False
        a, b = matrix([[4.0, 1.0], [1.0, 3.0]]), matrix([1.0, 2.0])
        lapack.posv(a, b)
        c = matrix([1.0, 1.0])
        cholmod.linsolve(spmatrix([4.0, 2.0], [0, 1], [0, 1]), c)
        bounds = matrix([[-1.0, 0.0], [0.0, -1.0]])
        found = solvers.lp(matrix([1.0, 1.0]), bounds, matrix([-1.0, -2.0]))["x"]
        print([round(each, 5) for each in (*b, *c, *found)])
        """,
        blas=True,
    ),
    carrier(
        "tblite",
        "tight binding of H2",
        """
        import numpy as np
        from tblite.interface import Calculator
        hydrogen = Calculator("GFN2-xTB", np.array([1, 1]), np.array([[0, 0, 0], [0, 0, 1.4]]))
        hydrogen.set("verbosity", 0)
        print(round(float(hydrogen.singlepoint().get("energy")), 6))
        """,
        blas=True,
    ),
    carrier(
        "dftd4",
        "dispersion of two argon atoms",
        """
        import numpy as np
        from dftd4.interface import DampingParam, DispersionModel
        model = DispersionModel(np.array([18, 18]), np.array([[0, 0, 0], [0, 0, 7.0]]))
        found = model.get_dispersion(DampingParam(method="pbe0"), grad=False)
        print(round(float(found["energy"]) * 1e6, 3))
        """,
        blas=True,
    ),
    carrier(
        "slycot",
        "solves a Riccati equation",
        """
        import numpy as np, slycot
        a, g, q = np.array([[0, 1.0], [0, 0]]), np.diag([0, 1.0]), np.eye(2)
        print(np.round(slycot.sb02md(2, a, g, q, "C")[0], 6).tolist())
        """,
        blas=True,
    ),
    carrier(
        "cantera",
        "burns hydrogen to its equilibrium",
        """
        import cantera
        gas = cantera.Solution("h2o2.yaml")
        gas.TPX = 1000, cantera.one_atm, "H2:2,O2:1,AR:4"
        gas.equilibrate("HP")
        network = cantera.ReactorNet([cantera.IdealGasReactor(gas)])
        network.advance(1e-4)
        print(round(float(gas.T), 1))
        """,
        blas=True,
    ),
    carrier(
        "xtb",
        "tight binding of H2",
        """
        import numpy as np
        from xtb.interface import Calculator
        from xtb.utils import get_method
        place = np.array([[0, 0, 0], [0, 0, 1.4]])
        hydrogen = Calculator(get_method("GFN2-xTB"), np.array([1, 1]), place)
        hydrogen.set_verbosity(0)
        print(round(float(hydrogen.singlepoint().get_energy()), 6))
        """,
        blas=True,
        beside=", typing-extensions",
    ),
    carrier(
        "qiskit-aer",
        "runs circuits as a vector and as matrix products",
        """
        import numpy as np
        from qiskit import QuantumCircuit
        from qiskit_aer import AerSimulator
        circuit = QuantumCircuit(4)
        circuit.h(0)
        circuit.cx(0, 1)
        circuit.rx(0.4, 2)
        circuit.cx(1, 3)
        circuit.save_statevector()
        for method in ("statevector", "matrix_product_state"):
            found = AerSimulator(method=method).run(circuit).result().get_statevector()
            print(np.round(np.abs(np.asarray(found))[[0, 4, 11, 15]], 6).tolist(), end=" ")
        print()
        """,
        blas=True,
    ),
    carrier(
        "pyshtools",
        "fits harmonics of a sphere by LAPACK",
        """
        import numpy as np
        from pyshtools import SHWindow
        from pyshtools.expand import SHExpandLSQ
        places = np.random.default_rng(0)
        latitude = np.degrees(np.arcsin(places.uniform(-1, 1, 200)))
        longitude = places.uniform(0, 360, 200)
        fitted = SHExpandLSQ(latitude / 90, latitude, longitude, 4)[0]
        window = SHWindow.from_cap(theta=20, lwin=8)
        print(np.round([*fitted[0, :3, 0], *window.eigenvalues[:3]], 5).tolist())
        """,
        blas=True,
    ),
    carrier(
        "quippy-ase",
        "describes the neighbours of atoms of silicon",
        """
        from ase.build import bulk
        from quippy.descriptors import Descriptor
        silicon = bulk("Si", "diamond", a=5.43, cubic=True)
        silicon.rattle(0.05, seed=1)
        soap = Descriptor("soap cutoff=4 l_max=4 n_max=4 atom_sigma=0.5 n_Z=1 Z={14}")
        found = soap.calc(silicon)["data"]
        print(found.shape, round(float((found @ found.T)[0, 1]), 5))
        """,
        blas=True,
    ),
    carrier(
        "ngsolve",
        "solves Poisson's equation, with an OpenBLAS that it opens for its libraries",
        """
        import ngsolve as ng
        from netgen.geom2d import unit_square
        mesh = ng.Mesh(unit_square.GenerateMesh(maxh=0.2))
        space = ng.H1(mesh, order=3, dirichlet=".*")
        u, v = space.TnT()
        stiffness = ng.BilinearForm(ng.grad(u) * ng.grad(v) * ng.dx).Assemble()
        load = ng.LinearForm(v * ng.dx).Assemble()
        found = ng.GridFunction(space)
        found.vec.data = stiffness.mat.Inverse(space.FreeDofs()) * load.vec
        print(round(ng.Integrate(found, mesh), 8))
        """,
        blas=True,
    ),
    carrier(
        "pyfftw",
        "transforms on two threads",
        """
        import numpy as np, pyfftw
        x = np.arange(64.0)
        found = pyfftw.interfaces.numpy_fft.fft(x, threads=2)
        print(bool(np.allclose(found, np.fft.fft(x))))
        """,
    ),
    carrier(
        "igraph",
        "ranks the pages of a ring",
        """
        import igraph
        ring = igraph.Graph.Ring(20)
        print(ring.diameter(), round(ring.pagerank()[0], 6), ring.motifs_randesu_no(3))
        """,
    ),
    carrier(
        "pot",
        "moves earth on two threads",
        """
        import numpy as np, ot
        cost = np.abs(np.arange(4.0)[:, None] - np.arange(4.0)[::-1])
        print(round(float(ot.emd2([0.7, 0.1, 0.1, 0.1], [0.25] * 4, cost, numThreads=2)), 6))
        """,
    ),
    carrier(
        "healpy",
        "spectrum of a sphere",
        """
        import healpy, numpy as np
        sphere = np.arange(healpy.nside2npix(8), dtype=float)
        print([round(float(each), 3) for each in healpy.anafast(sphere)[:3]])
        """,
    ),
    carrier(
        "finufft",
        "transforms points that are not on a grid",
        """
        import finufft, numpy as np
        x = np.linspace(-3, 3, 50)
        found = finufft.nufft1d1(x, np.ones(50, complex), 8, nthreads=2)
        print(bool(np.allclose(found[4], 50)))
        """,
    ),
    carrier(
        "deeptime",
        "clusters on two threads",
        """
        import numpy as np
        from deeptime.clustering import KMeans
        points = np.concatenate([np.zeros((50, 2)), np.ones((50, 2)) * 9])
        model = KMeans(2, n_jobs=2, fixed_seed=1).fit(points).fetch_model()
        print(sorted(np.round(model.cluster_centers[:, 0], 4).tolist()))
        """,
    ),
    carrier(
        "sentencepiece",
        "trains a model of words",
        """
        import io, sentencepiece
        made = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["ab ab abc", "abc ab"] * 20), model_writer=made,
            vocab_size=9, minloglevel=2, num_threads=2, hard_vocab_limit=False,
        )
        model = sentencepiece.SentencePieceProcessor(model_proto=made.getvalue())
        print(model.decode(model.encode("ab abc")))
        """,
    ),
    carrier(
        "ctranslate2",
        "names its types",
        """
        import ctranslate2, numpy as np
        held = ctranslate2.StorageView.from_array(np.ones((2, 3), np.float32))
        print(held.shape, "float32" in ctranslate2.get_supported_compute_types("cpu"))
        """,
    ),
    carrier(
        "implicit",
        "factorises what was liked, with the machine's OpenMP where it has no other",
        """
        import numpy as np
        from implicit.als import AlternatingLeastSquares
        from scipy import sparse
        liked = sparse.csr_matrix(np.kron(np.eye(2), np.ones((5, 4))).astype("float32"))
        model = AlternatingLeastSquares(factors=2, random_state=0, num_threads=2, use_gpu=False)
        model.fit(liked, show_progress=False)
        found, _ = model.recommend(0, liked[0], N=4, filter_already_liked_items=False)
        print(sorted(found.tolist()))
        """,
    ),
    carrier(
        "nmslib",
        "finds neighbours on two threads",
        """
        import nmslib, numpy as np
        index = nmslib.init(method="hnsw", space="l2")
        index.addDataPointBatch(np.arange(40, dtype=np.float32).reshape(20, 2))
        index.createIndex({"indexThreadQty": 2})
        wanted = np.float32([[0, 1], [38, 39]])
        print([found[0].tolist() for found in index.knnQueryBatch(wanted, k=1)])
        """,
    ),
    carrier(
        "pykdtree",
        "finds neighbours",
        """
        import numpy as np
        from pykdtree.kdtree import KDTree
        points = np.arange(4000.0).reshape(2000, 2)
        print(KDTree(points).query(points[::400])[1].tolist())
        """,
    ),
    carrier(
        "glum",
        "fits a line",
        """
        import numpy as np
        from glum import GeneralizedLinearRegressor
        x = np.arange(40.0).reshape(20, 2) % 7
        fitted = GeneralizedLinearRegressor(family="normal", alpha=0).fit(x, x @ [1.0, 2.0] + 3)
        print(np.round(fitted.coef_, 3).tolist())
        """,
    ),
    carrier(
        "mdtraj",
        "distance of shapes",
        """
        import mdtraj, numpy as np
        shape = mdtraj.Topology()
        chain = shape.add_chain()
        for number in range(4):
            residue = shape.add_residue("ALA", chain)
            shape.add_atom("CA", mdtraj.element.carbon, residue)
        places = np.arange(60, dtype=np.float32).reshape(5, 4, 3) ** 0.5
        moved = mdtraj.Trajectory(places, shape)
        print(np.round(mdtraj.rmsd(moved, moved, 0), 2).tolist())
        """,
    ),
    carrier(
        "sparse-dot-topn",
        "multiplies sparse matrices on two threads",
        """
        import numpy as np
        from scipy import sparse
        from sparse_dot_topn import sp_matmul_topn
        a = sparse.csr_matrix(np.arange(25.0).reshape(5, 5))
        print(sp_matmul_topn(a, a, top_n=2, n_threads=2).toarray().max(axis=1).tolist())
        """,
    ),
    carrier(
        "pyscipopt",
        "solves an integer programme",
        """
        from pyscipopt import Model
        model = Model()
        model.hideOutput()
        x = model.addVar(vtype="I")
        model.addCons(2 * x >= 5)
        model.setObjective(x)
        model.optimize()
        print(round(model.getObjVal()))
        """,
    ),
)
