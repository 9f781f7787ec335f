"""The dashboard: what the household sees in its browser. One blueprint a page; it listens on this machine alone."""
