"""Updates, with real files and keys; what systemd does of them is in tests/image."""
