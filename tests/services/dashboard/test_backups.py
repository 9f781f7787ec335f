"""The page of backups: places are added, and what went wrong is said with its way on."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import backup, outward
from appliance.backup import targets
from appliance.config import Config
from appliance.errors import UserError
from appliance.store.database import HOME
from appliance.store.keys import KeyRing
from services.dashboard.box import box
from tests import disks

TokenOf = Callable[..., str]

pytestmark = pytest.mark.skipif(shutil.which("restic") is None, reason="restic is not installed")


@pytest.fixture
def config(app: Flask) -> Config:
    """Of a box whose household has a kit."""
    found = box(app).config
    if not KeyRing(found.data).facts(HOME).has_kit:
        KeyRing(found.data).make_kit(HOME)
    (found.data / targets.FILE).unlink(missing_ok=True)
    return found


@pytest.fixture
def stick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a disk is plugged in."""
    monkeypatch.setattr("services.dashboard.disks.FOLDERS", (str(tmp_path),))
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


def _add(ada: FlaskClient, token: str, where: object, name: str = "stick") -> int:
    return ada.post("/backup", data={"name": name, "where": str(where), "form_token": token}).status_code


def test_a_place_is_added_backed_up_tried_and_removed(
    config: Config, ada: FlaskClient, token_of: TokenOf, stick: Path
) -> None:
    token = token_of(ada)
    assert _add(ada, token, stick / "inglenook") == 303
    assert "The first backup begins in a moment" in ada.get("/backup").text
    backup.back_up(config, "stick", datetime.now(UTC))
    page = ada.get("/backup").text
    assert "backed up</span>" in page
    assert "The drill comes next" in page
    assert not targets.named(config, "stick").wanted
    assert ada.post("/backup/stick/now", data={"form_token": token}).status_code == 303
    assert targets.named(config, "stick").wanted
    assert ada.post("/backup/stick/drill", data={"form_token": token}).status_code == 303
    assert ada.post("/backup/stick/remove", data={"form_token": token}).status_code == 303
    assert targets.every(config) == []
    assert ada.post("/backup/stick/now", data={"form_token": token}).status_code == 422


def test_a_disk_that_is_plugged_in_is_named(config: Config, ada: FlaskClient, stick: Path) -> None:
    assert "No disk is plugged in" in ada.get("/backup").text
    with disks.mounted(stick / "usb-STICK", 1 << 20) as plugged:
        page = ada.get("/backup").text
        assert f'Plugged in: <code class="wraps">{plugged}</code>' in page
        assert str(plugged) in ada.get("/box").text


def test_which_ports_lead_to_another_house_is_said_where_the_firewall_is(
    ada: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "In another house it answers at port 22 (SFTP), 443, 80 or 8000"
    assert words not in ada.get("/backup").text
    monkeypatch.setattr(outward, "FIREWALL", tmp_path)
    assert words in ada.get("/backup").text


def test_what_went_wrong_is_said(config: Config, ada: FlaskClient, token_of: TokenOf, stick: Path) -> None:
    _add(ada, token_of(ada), stick / "inglenook")
    shutil.rmtree(stick)
    with pytest.raises(UserError):
        backup.back_up(config, "stick", datetime.now(UTC))
    page = ada.get("/backup").text
    assert "needs you" in page
    assert "The backup" in page
    assert "Plug the disk in" in page
    targets.say(config, "stick", problem="", drilled=datetime.now(UTC), drill_problem="it is damaged")
    assert "The last drill: it is damaged" in ada.get("/backup").text


@pytest.mark.parametrize(
    "where", ["/etc/inglenook", "/var/lib/inglenook/x", "/media/../tmp/x", "nowhere", "rest:http://a:b@host/"]
)
def test_a_place_that_may_not_be_is_refused(config: Config, ada: FlaskClient, token_of: TokenOf, where: str) -> None:
    assert _add(ada, token_of(ada), where) == 422
    assert targets.every(config) == []


def test_without_a_kit_it_says_what_comes_first(new_app: Flask, config: Config, ada: FlaskClient) -> None:
    path = KeyRing(config.data).store_file(HOME)
    kept = path.read_bytes()
    try:
        path.write_bytes(kept.replace(b'"kit"', b'"other"'))
        assert "Make it first" in ada.get("/backup").text
    finally:
        path.write_bytes(kept)
