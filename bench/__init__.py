"""Benchmarks; each writes its results to bench/results."""
