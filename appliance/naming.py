"""Names of stores, from people's names."""

import re
import unicodedata


def slug(name: str) -> str:
    """Lower-case letters, digits and hyphens, at most 40: what a store's folder and its schema can be called."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "person"
