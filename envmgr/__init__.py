"""envmgr: conda-style environments made of wheels."""

__version__ = "0.1.0"
