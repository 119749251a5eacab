"""Candidates, site-choice problems and their solvers."""
