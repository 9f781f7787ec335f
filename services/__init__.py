"""Inglenook's processes: each wires the library together, loops, and stops on SIGTERM."""

import os

# Before numpy is loaded: a pool of threads for matrices that nobody multiplies here costs memory, and forks badly.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
