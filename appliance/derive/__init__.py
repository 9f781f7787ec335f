"""Derived: what is computed from the raw facts, and can be dropped and rebuilt at any time."""
