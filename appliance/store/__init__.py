"""Stores: one encrypted database of one owner, and what is read from and written to it."""
