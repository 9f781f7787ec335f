"""A new person's way to their own power: a cable is plugged in, found, named, and its power is on the Now page."""

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import time_ns
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from appliance.house import House, Registers, telegram
from tests import boxes
from tests.boxes import RunningBox
from tests.contracts.links import TerminalRig
from tests.p1_sealing import KEY, sealed

LIVE_MS = 60_000  # a first telegram takes its time on a busy machine
EVERY_S = 0.2


@pytest.fixture
def key() -> str:
    """That of the meter, "" where it has none."""
    return ""


@pytest.fixture
def rig(tmp_path: Path, key: str) -> Iterator[TerminalRig]:
    """A cable that is plugged in, at whose other end a meter speaks by itself: what nobody reads is lost."""
    rig, stop = TerminalRig(tmp_path), threading.Event()
    house = House(1, ZoneInfo(boxes.ZONE), 4.0)
    os.set_blocking(rig.meter_end, False)

    def talk() -> None:
        for number in count():
            if stop.wait(EVERY_S):
                return
            said = telegram(house, Registers(), time_ns() // 1_000_000)
            with suppress(BlockingIOError):
                os.write(rig.meter_end, sealed(said, number, key) if key else said)

    thread = threading.Thread(target=talk)
    thread.start()
    yield rig
    stop.set()
    thread.join()
    rig.hang_up()


@pytest.fixture
def box(tmp_path: Path, rig: TerminalRig) -> Iterator[RunningBox]:
    """A box as it is delivered, but for where its ports are; the home's own network is left alone."""
    data = tmp_path / "box"
    data.mkdir()
    ports = f'ports = ["{rig.by_id}/*"]\nbroker = ""\nnetwork = false\none_wire = ""\ngpio = []'
    (data / "inglenook.toml").write_text(f"[collector]\nflush_seconds = 0.2\n{ports}\n")
    with boxes.running([sys.executable, "-m", "appliance.cli", "run", "--data", str(data)]) as running:
        yield running


def test_a_cable_is_found_named_and_its_power_shown_and_no_file_was_touched(
    chromium: Browser, box: RunningBox, tmp_path: Path
) -> None:
    said = (tmp_path / "box" / "inglenook.toml").read_bytes()
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    boxes.claim(page, box)
    page.get_by_role("button", name="I have written it down").click()
    page.get_by_role("link", name="Find my meter").click()
    page.get_by_role("button", name="Look for meters").click()
    expect(page.locator(".offer h3")).to_contain_text("on the USB cable P1 cable: number SIM", timeout=LIVE_MS)
    page.get_by_role("link", name="Use this meter").click()
    expect(page.get_by_label("What shall it be called?")).to_have_value("house")
    expect(page.get_by_label("Time zone of its clock")).to_have_value(boxes.ZONE)
    page.get_by_label("What shall it be called?").fill("Our meter")
    page.get_by_role("button", name="Add it").click()
    expect(page).to_have_url(re.compile("/now$"))
    expect(page.get_by_text("Our meter is set up")).to_be_visible()
    power = page.locator("#power")
    expect(power).to_have_text(re.compile(r"^[\d.]+$"), timeout=LIVE_MS)
    is_another = "(was) => document.getElementById('power').textContent !== was"
    page.wait_for_function(is_another, arg=power.text_content(), timeout=LIVE_MS)
    expect(page.locator("#heard")).to_contain_text("Our meter · heard")
    page.goto(f"{box.address}/meters/find")
    expect(page.get_by_role("button", name="Remove Our meter")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    context.close()
    assert complaints == []
    assert (tmp_path / "box" / "inglenook.toml").read_bytes() == said


@pytest.mark.parametrize("key", [KEY])
def test_an_encrypted_meter_is_read_once_its_key_is_typed(
    chromium: Browser, box: RunningBox, tmp_path: Path, key: str
) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    boxes.claim(page, box)
    page.goto(f"{box.address}/meters/find")
    page.get_by_role("button", name="Look for meters").click()
    expect(page.locator(".offer h3")).to_contain_text("An encrypted P1 meter", timeout=LIVE_MS)
    page.get_by_role("link", name="Type the key").click()
    secret = page.get_by_label("Key: 32 hexadecimal digits")
    expect(secret).to_have_attribute("type", "password")
    secret.fill("0" * 32)
    page.get_by_role("button", name="Try the key").click()
    expect(page.get_by_text("This key does not open what the meter says")).to_be_visible(timeout=LIVE_MS)
    page.get_by_role("link", name="Type the key").click()
    page.get_by_label("Key: 32 hexadecimal digits").fill(key)
    page.get_by_role("button", name="Try the key").click()
    page.get_by_role("link", name="Use this meter").click(timeout=LIVE_MS)
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("#power")).to_have_text(re.compile(r"^[\d.]+$"), timeout=LIVE_MS)
    context.close()
    assert key in (tmp_path / "box" / "meters.toml").read_text()
