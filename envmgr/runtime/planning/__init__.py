"""Decide which copies of shared runtimes in an environment give way to which library."""
