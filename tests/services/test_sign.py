"""The sign at the door: the code on the screen and in a file, until the box is claimed; the address always."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from appliance import config, people
from appliance.people import Household
from services import sign
from services.dashboard.app import make_app
from services.dashboard.box import box
from services.dashboard.shown import Shown
from services.dashboard.trouble import make_trouble
from services.sign import Said

TOKEN = re.compile(r'name="form-token" content="([0-9a-f]{64})"')
SAID = {
    "household": "Home Farm",
    "zone": "Europe/Amsterdam",
    "currency": "EUR",
    "name": "Ada",
    "password": "a hearth of words",
    "again": "a hearth of words",
}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    for path in (sign.ISSUE, sign.FILE):
        (tmp_path / path).parent.mkdir(parents=True)
    return tmp_path


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The dashboard of a box that nobody has claimed."""
    app = make_app(config.load(tmp_path / "data"), "https://inglenook.local/")
    yield app
    box(app).stores.close()


def _shown(machine: Path) -> str:
    command = [sys.executable, "-m", "services.sign", "--data", str(machine / "data"), "--root", str(machine)]
    subprocess.run(command, check=True)
    return (machine / sign.ISSUE).read_text()


def test_the_code_stands_on_the_screen_and_in_a_file_until_the_box_is_claimed(machine: Path, app: Flask) -> None:
    shown, file = _shown(machine), machine / sign.FILE
    code = re.findall(r"code:  ([A-Z0-9]{4}-[A-Z0-9]{4})", shown)[0]
    assert "https://inglenook.local/" in shown
    assert "https://\\4/" in shown, "agetty fills in the address"
    assert code in file.read_text()
    client = app.test_client()
    token = TOKEN.search(client.get("/claim").text)
    assert token
    assert client.post("/claim", data=SAID | {"code": code, "form_token": token[1]}).status_code == 303
    shown = _shown(machine)
    assert code not in shown
    assert "https://inglenook.local/" in shown
    assert not file.exists()


def test_after_five_wrong_tries_the_other_code_is_shown(machine: Path, app: Flask) -> None:
    before = _shown(machine)
    for _ in range(5):
        assert box(app).desk
        box(app).desk.accepts("AAAA-AAAA")  # type: ignore[union-attr]
    after = _shown(machine)
    assert re.findall(r"code:  (\S+)", after) != re.findall(r"code:  (\S+)", before)


def test_a_box_that_was_claimed_before_says_its_address_at_each_start(machine: Path, app: Flask) -> None:
    found = box(app)
    people.claim(found.config, found.stores.home, Household("H", "UTC", "EUR"), "Ada", SAID["password"])
    again = make_app(found.config, "https://inglenook.local/")
    assert "code" not in _shown(machine)
    box(again).stores.close()


def test_a_box_that_cannot_begin_says_so_with_the_code_that_sets_a_damaged_file_aside(machine: Path) -> None:
    data = machine / "data"
    data.mkdir()
    damaged = data / config.FILE
    door = Shown(data / "run", "https://inglenook.local/")
    make_trouble(data, [f"{damaged}: Expected"], door)
    shown, file = _shown(machine), (machine / sign.FILE).read_text()
    code = re.findall(r"Set inglenook.toml aside with the code:  (\S+)", shown)[0]
    assert "The box cannot begin" in shown
    assert "inglenook.toml is damaged" in file
    assert "belongs to nobody" not in file
    assert code in file
    make_trouble(data, [f"{data}/stores/home/store.db is missing"], door)
    assert "code" not in _shown(machine)
    assert not (machine / sign.FILE).exists()


def test_the_file_names_the_machine_s_own_addresses_as_they_are_now(machine: Path) -> None:
    numbers = list[str]()
    door = Shown(machine / "data" / "run", "https://inglenook.local/", lambda: numbers)
    door.say("ABCD-EFGH")
    _shown(machine)
    before = (machine / sign.FILE).read_text()
    assert "ABCD-EFGH" in before
    assert "does not open" not in before
    numbers[:] = ["https://192.168.1.20/", "https://10.0.0.3/"]
    door.look()
    called = machine / "data" / "run" / sign.CHANGED
    assert called.exists(), "systemd looks for it"
    _shown(machine)
    assert not called.exists()
    after = (machine / sign.FILE).read_text()
    assert "ABCD-EFGH" in after
    assert "https://192.168.1.20/ or https://10.0.0.3/" in after


def test_what_is_shown_already_is_not_written_to_the_card_again(machine: Path) -> None:
    door = Shown(machine / "data" / "run", "https://inglenook.local/", lambda: ["https://192.168.1.20/"])
    door.say("ABCD-EFGH")
    written = (machine / "data" / "run" / sign.SAID).stat().st_ino
    door.look()
    Shown(machine / "data" / "run", "https://inglenook.local/", lambda: ["https://192.168.1.20/"]).say("ABCD-EFGH")
    assert (machine / "data" / "run" / sign.SAID).stat().st_ino == written


def test_where_there_is_no_boot_partition_the_screen_does(tmp_path: Path) -> None:
    (tmp_path / sign.ISSUE).parent.parent.mkdir()
    sign.say(tmp_path / "data" / "run", Said("https://inglenook.local/", code="ABCD-EFGH"))
    assert "ABCD-EFGH" in _shown(tmp_path)
