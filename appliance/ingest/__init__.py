"""Ingest: what importers and meters bring -> the store, once, with its lineage."""
