"""The Lorenz attractor: integrate a system of equations and save a picture of it.

Run by ``make demo`` inside the environment of ``recipes/environments/quickstart.yaml``.
"""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("agg")

from matplotlib import pyplot as plt


def velocity(state, sigma=10.0, rho=28.0, beta=8.0 / 3.0):
    """Time derivative of the Lorenz system at ``state`` of shape (3,)."""
    x, y, z = state
    return np.array([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])


def integrate(start, step, count):
    """Classical Runge-Kutta; returns ``count`` states as an array of shape (count, 3)."""
    states = np.empty((count, 3))
    states[0] = start
    for i in range(1, count):
        s = states[i - 1]
        k1 = velocity(s)
        k2 = velocity(s + step / 2 * k1)
        k3 = velocity(s + step / 2 * k2)
        k4 = velocity(s + step * k3)
        states[i] = s + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return states


def main(target):
    """Integrate, check that the attractor was reached, and save its picture."""
    states = integrate((1.0, 1.0, 1.0), 0.01, 8000)
    mean_z = states[1000:, 2].mean()
    figure, axes = plt.subplots(figsize=(7, 6))
    axes.plot(states[:, 0], states[:, 2], linewidth=0.4)
    axes.set(xlabel="x", ylabel="z", title=f"Lorenz attractor, mean z = {mean_z:.2f}")
    figure.savefig(target, dpi=120)
    print(f"numpy {np.__version__} in {np.__file__}")
    print(f"mean z {mean_z:.2f}; saved {target} ({Path(target).stat().st_size:,} bytes)")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "lorenz.png")
