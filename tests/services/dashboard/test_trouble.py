"""What a box says that cannot begin, and how it is brought on."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from appliance import config
from appliance.errors import UserError
from appliance.store.database import open_store, store_file
from services import sign
from services.dashboard.shown import Shown
from services.dashboard.trouble import make_trouble

BROKEN = "[dashboard\nhttps = true\n"


def _visitor(data: Path, problems: Sequence[str]) -> FlaskClient:
    return make_trouble(data, problems, Shown(data / "run", "https://inglenook.local/")).test_client()


def test_a_broken_configuration_is_said_everywhere_and_set_aside_by_who_stands_beside_the_box(
    tmp_path: Path,
) -> None:
    file = tmp_path / config.FILE
    file.write_text(BROKEN)
    with pytest.raises(UserError) as raised:
        config.load(tmp_path)
    visitor = _visitor(tmp_path, raised.value.problems)
    page = visitor.get("/energy?span=week")
    assert page.status_code == 503
    assert f"{file}: Expected" in page.text
    assert "inglenook-code.txt" in page.text
    shown = sign.said_last(tmp_path / "run")
    assert shown
    assert "not the code" in visitor.post("/set-aside", data={"code": "AAAA-AAAA"}).text
    assert file.read_text() == BROKEN
    assert visitor.post("/set-aside", data={"code": shown.code}).status_code == 303
    assert (tmp_path / "inglenook.toml.set-aside").read_text() == BROKEN
    assert config.load(tmp_path).meters == ()


def test_a_lost_store_is_said_with_the_way_on_and_nothing_is_set_aside(tmp_path: Path) -> None:
    found = config.load(tmp_path)
    open_store(found, make=True).close()
    store_file(found, "home").unlink()
    with pytest.raises(UserError) as raised:
        open_store(found)
    visitor = _visitor(tmp_path, raised.value.problems)
    page = visitor.get("/").text
    assert "store.db is missing" in page
    assert "bring everything back from the last" in page
    assert "<form" not in page
    assert visitor.post("/set-aside", data={"code": ""}).status_code == 503
    assert (tmp_path / "stores" / "home" / "keys.json").exists()
