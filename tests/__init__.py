"""Tests mirror `appliance/` and `services/`; samples lie beside what they prove."""
