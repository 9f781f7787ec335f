"""Tests of appliance/importers."""
