"""Backups by themselves: a place that was added is backed up and tried with nobody there."""

import shutil
from pathlib import Path

import pytest

from appliance import backup
from appliance.backup import targets
from appliance.config import load
from appliance.store.database import HOME
from appliance.store.keys import KeyRing
from services import setup
from tests.p1_cable import until
from tests.services.processes import service


@pytest.mark.skipif(shutil.which("restic") is None, reason="restic is not installed")
def test_a_new_place_is_backed_up_and_tried_by_itself_and_a_bad_one_stops_no_other(tmp_path: Path) -> None:
    data = tmp_path / "box"
    setup.make(data)
    config = load(data)
    KeyRing(data).make_kit(HOME)
    for name in ("attic", "stick"):
        (tmp_path / name).mkdir()
        backup.add(config, name, str(tmp_path / name / "inglenook"), "", "")
    shutil.rmtree(tmp_path / "attic")
    with service("services.scheduler", data) as running:
        until(lambda: targets.named(config, "stick").drilled is not None, "it was backed up, and the drill was held")
        running.says("Plug the disk in")
        assert running.stopped() == 0
    assert targets.named(config, "stick").drill_problem == ""
    assert "it is not there" in targets.named(config, "attic").problem
