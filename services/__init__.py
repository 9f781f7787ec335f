"""Inglenook's processes: each wires the library together, loops, and stops on SIGTERM."""
