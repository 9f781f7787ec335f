"""The real inputs that no one here wrote: ../shared/data, or the folder that INGLENOOK_CORPUS names."""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("INGLENOOK_CORPUS") or Path(__file__).resolve().parents[2] / "shared" / "data")


def corpus_file(name: str) -> Path:
    """That file of the corpus, such as "money/checking.ofx"; skips the test, saying so, where it is absent."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{path} is absent; INGLENOOK_CORPUS names another folder")
    return path
