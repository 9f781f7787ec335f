"""Benchmarks: the design's budgets, measured. `make bench` runs them all, `make bench ONLY=name` runs one.

A benchmark is a module `bench_<name>.py` of this package that has `rows() -> list[Row]`. Each runs in a process of its
own, so that it starts cold and what one loads costs the others nothing.
"""
