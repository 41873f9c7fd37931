"""Runtimes that packages share: what recipes know of them, and which of several copies serves."""
