"""Somebody in the cellar with a phone types what the meter shows, takes a photo, is asked back, and sees it kept."""

from pathlib import Path
from time import time_ns

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from appliance.config import load
from appliance.records import Source
from appliance.store import series
from appliance.store.database import open_store
from appliance.store.series import Columns, Lineage
from tests import boxes, photos

DAY_MS = 86_400_000
DRAWN = "(picture) => picture.complete && picture.naturalWidth"


def _counted(data: Path) -> None:
    """A meter that the box read for a week, until yesterday: 4,000 kWh and one more each hour."""
    hours = np.arange(24 * 7, dtype=np.int64)
    at_ms = time_ns() // 1_000_000 - 8 * DAY_MS + hours * 3_600_000
    with open_store(load(data)) as store, store.write() as connection:
        made = series.found_or_made(connection, Source("house", "House"), "electricity.import", "kWh", -3, 0)
        values = (4000 + hours) * 10**-made.exponent
        lineage = Lineage(link="serial", meter="dsmr", device="E1", boot="b")
        series.append(connection, made, Columns(at_ms, np.zeros(len(hours), np.int64), values), lineage)


@pytest.mark.parametrize("width", [390, 1280])
def test_a_reading_is_photographed_asked_back_and_kept(chromium: Browser, tmp_path: Path, width: int) -> None:
    photo = tmp_path / "cellar.jpg"
    photo.write_bytes(photos.JPEG)
    phone = width == 390
    with boxes.running(boxes.dashboard(tmp_path / "box")) as box:
        context = chromium.new_context(viewport={"width": width, "height": 844}, has_touch=phone, is_mobile=phone)
        page, complaints = context.new_page(), list[str]()
        page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
        boxes.claim(page, box)
        _counted(tmp_path / "box")
        page.goto(f"{box.address}/meters")
        page.get_by_role("link", name="Type a reading: Electricity from the grid").click()
        page.get_by_role("textbox", name="When").fill("2026-01-01")
        page.get_by_label("It shows").fill("5000")
        page.get_by_label("With the camera" if phone else "Choose one").set_input_files(photo)
        page.get_by_role("button", name="Keep it").click()
        expect(page.get_by_text("Nothing is kept yet")).to_be_visible()
        expect(page.get_by_text("5000 is more than the 4000 kWh that the box read itself")).to_be_visible()
        expect(page.get_by_text("cellar.jpg")).to_be_visible()
        page.get_by_role("button", name="It is right: keep it").click()
        picture = page.get_by_role("img", name="Photo")
        expect(picture).to_be_visible()
        page.wait_for_function(DRAWN, arg=picture.element_handle())
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.goto(f"{box.address}/meters")
        page.get_by_text("1 photo").click()
        picture = page.get_by_role("img", name="Photo of 1 Jan 2026")
        picture.scroll_into_view_if_needed()
        page.wait_for_function(DRAWN, arg=picture.element_handle())
        assert page.evaluate("document.documentElement.scrollWidth") == width
        context.close()
    assert [each for each in complaints if "422" not in each] == []
