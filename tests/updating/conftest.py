"""A box with one release, and what makes others for it."""

from pathlib import Path

import pytest

from appliance.config import Config, load
from tests.updating.box import Box


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A box on which 0.1.0 runs."""
    return Box(tmp_path)


@pytest.fixture
def config(box: Box) -> Config:
    return load(box.data)
