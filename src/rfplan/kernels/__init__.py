"""Numba kernels on plain arrays and floats."""
