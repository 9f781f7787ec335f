"""From a budget that is set to a word that is read and put away, by clicks alone, on a phone."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests import boxes
from tests.services.test_browser_energy import _no_wider, _phone, half_hours

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ENDED_S = 120.0


@pytest.fixture
def page(chromium: "Browser", tmp_path: Path) -> Iterator["Page"]:
    """A phone's browser on a box that was just claimed."""
    with boxes.running(boxes.dashboard(tmp_path / "box")) as box, _phone(chromium) as context:
        page = context.new_page()
        boxes.claim(page, box)
        page.get_by_role("button", name="I have written it down").click()
        yield page


def open_(page: "Page", name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()


def the_hour_strikes(data: Path) -> None:
    """The scheduler's job of every hour."""
    command = [sys.executable, "-m", "services.job", "alerts", "--data", str(data)]
    assert subprocess.run(command, timeout=ENDED_S, check=False).returncode == 0


def test_from_a_budget_to_a_word_that_is_seen(page: "Page", tmp_path: Path) -> None:
    open_(page, "Energy")
    page.get_by_role("link", name="Import a file").click()
    file = tmp_path / "consumption.csv"
    file.write_text(half_hours(days=60), encoding="utf-8")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("All of it is stored").first).to_be_visible(timeout=60_000)

    open_(page, "Energy")
    page.get_by_role("link", name="Budget").click()
    page.get_by_label("What for").select_option("electricity")
    page.get_by_label("A month at most").fill("20")
    page.get_by_label("Counted in").select_option("kWh, or m³ of water")
    page.get_by_role("button", name="Keep this budget").click()
    expect(page.get_by_text("At most 20 kWh a month")).to_be_visible()
    _no_wider(page)

    the_hour_strikes(tmp_path / "box")
    open_(page, "Now")
    page.locator(".told-line a").click()
    expect(page.get_by_role("heading", name="News")).to_be_visible()
    _no_wider(page)
    page.get_by_role("link", name="Look at the month").click()
    page.get_by_text("Change or end it").click()
    page.get_by_role("button", name="End this budget").click()
    expect(page.get_by_text("At most 20 kWh a month")).to_have_count(0)

    open_(page, "News")
    page.get_by_role("button", name="I have seen it").click()
    expect(page.get_by_role("heading", name="Nothing to see to")).to_be_visible()
    expect(page.get_by_role("heading", name="Past")).to_be_visible()
    _no_wider(page)
    open_(page, "Now")
    expect(page.locator("#no-meter")).to_be_visible()
    expect(page.locator(".told-line")).to_have_count(0)
