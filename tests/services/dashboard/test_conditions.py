"""What the pages say of the box itself: its disk is nearly full or breaks, its clock is not set."""

import subprocess
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import config, people
from appliance.people import Household
from services.dashboard import conditions
from services.dashboard.access import SESSION_COOKIE
from services.dashboard.app import make_app
from services.dashboard.box import box
from tests import disks

PASSWORD = "a hearth of words"
DISK_BYTES, SHORT_BYTES = 32 << 20, 1 << 20
STATEMENT = Path(__file__).parents[2] / "samples" / "ofx" / "bank-sgml.ofx"


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The disk of a box, of the kind that a test asks for."""
    with disks.mounted(tmp_path / "disk", DISK_BYTES, getattr(request, "param", disks.MEMORY)) as folder:
        yield folder


@pytest.fixture
def app(small_disk: Path) -> Iterator[Flask]:
    """A claimed box with a small disk of its own."""
    app = make_app(config.load(small_disk))
    found = box(app)
    people.claim(found.config, found.stores.home, Household("Home Farm", "Europe/Amsterdam", "EUR"), "Ada", PASSWORD)
    yield app
    found.stores.close()


@pytest.fixture
def ada(app: Flask) -> FlaskClient:
    """A browser in which its person is signed in."""
    client = app.test_client()
    client.set_cookie(SESSION_COOKIE, people.sign_in(box(app).stores.home, "Ada", PASSWORD) or "")
    return client


def test_a_nearly_full_disk_is_said_and_imports_wait_until_there_is_room(
    small_disk: Path, ada: FlaskClient, token_of: Callable[..., str]
) -> None:
    def upload() -> tuple[int, str]:
        form = {"form_token": token_of(ada), "file": (BytesIO(STATEMENT.read_bytes()), STATEMENT.name)}
        answer = ada.post("/import", data=form)
        return answer.status_code, answer.text

    assert "nearly full" not in ada.get("/import").text
    disks.leave_free(small_disk, SHORT_BYTES)
    assert (
        "The disk is nearly full: 1 MB of 34 MB are left. Meters are still read; imports wait" in ada.get("/now").text
    )
    status, page = upload()
    assert status == 422
    assert "the disk is nearly full" in page
    disks.make_room(small_disk)
    assert upload()[0] == 303
    assert "nearly full" not in ada.get("/import").text


@pytest.mark.parametrize("small_disk", [disks.EXT4], indirect=True)
def test_a_card_that_reports_errors_is_said_and_what_to_do(small_disk: Path, ada: FlaskClient) -> None:
    assert "reports errors" not in ada.get("/now").text
    disks.report_error(small_disk)
    for page in ("/now", "/import"):  # the other cannot be shown: it opens a store anew
        assert "The card reports errors, and was made read-only so that nothing on it is spoilt" in ada.get(page).text


@pytest.mark.parametrize("small_disk", [disks.EXT4], indirect=True)
def test_a_disk_that_was_mounted_read_only_is_said(small_disk: Path) -> None:
    remount = ("mount", "--options=remount,ro", str(small_disk))
    assert not conditions.is_read_only(small_disk)
    subprocess.run(remount, check=True)
    assert conditions.is_read_only(small_disk)


def test_a_clock_that_nobody_set_is_said_on_the_appliance(
    ada: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "clock is not set" not in ada.get("/now").text
    monkeypatch.setenv("INGLENOOK_CLOCK", str(tmp_path / "sign"))
    assert "The box’s clock is not set: it believes that it is" in ada.get("/now").text
    (tmp_path / "sign").touch()
    assert "clock is not set" not in ada.get("/now").text
