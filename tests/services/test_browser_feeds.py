"""What comes by itself, set up by clicks alone in a box that runs: a JSON service, and an energy company."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance import energy
from appliance.config import load
from appliance.store import timeline
from appliance.store.database import open_store
from appliance.store.timeline import Query
from tests import boxes
from tests.boxes import RunningBox
from tests.green_button import FIRST_S, HOUR_S
from tests.green_button_server import CLIENT, SECRET, Company
from tests.web_server import Answered, Asked, serving

FETCHED_MS = 60_000  # the scheduler starts a process for it, on a busy machine
TOKEN = "a-token-that-nobody-may-read"
PAYMENTS = [
    {"id": "p1", "day": "2026-02-01", "amount": "-1.50", "name": "Mill Bakery"},
    {"id": "p2", "day": "30 February", "amount": "-2.50", "name": "Nowhere"},
    {"id": "p3", "day": "2026-02-03", "amount": "-3.50", "name": "Elm Cheese"},
]
MAPPING = """items = "data"
kind = "money.transaction"
source = "Neighbourly"
[columns]
at = "day"
amount = "amount"
title = "{title}"
id = "id"
[constants]
unit = "EUR"
[paging]
next = "links.next"
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("box")


@pytest.fixture(scope="module")
def box(data: Path) -> Iterator[RunningBox]:
    with boxes.running([word for word in boxes.whole(data) if word != "--demo"]) as running:
        yield running


@pytest.fixture(scope="module")
def page(chromium: Browser, box: RunningBox) -> Iterator[Page]:
    """A browser of who claimed the box."""
    with chromium.new_context() as context:
        page = context.new_page()
        boxes.claim(page, box)
        page.get_by_role("button", name="I have written it down").click()
        yield page


def _person(data: Path) -> str:
    return next(each for each in load(data).store_names() if each != "home")


def _titles(data: Path) -> list[str]:
    with open_store(load(data), _person(data)) as store, store.read() as connection:
        return sorted(each.title for each in timeline.matching(connection, Query()))


def _used_wh(data: Path) -> list[int]:
    with open_store(load(data), _person(data)) as store:
        [source] = {each.source for each in energy.series(store)}
        columns, exponent = energy.raw(store, energy.resolved(store, source, "electricity.import"), None, None)
        return [int(energy.decimal(value, exponent) * 1000) for value in columns.values.tolist()]


def _payments(asked: Asked) -> Answered:
    if asked.headers.get("authorization") != f"Bearer {TOKEN}":
        return Answered(b"", 401)
    page = int(asked.params.get("page", "1"))
    said = {"data": PAYMENTS[2 * page - 2 : 2 * page], "links": {"next": "?page=2" if page == 1 else None}}
    return Answered(json.dumps(said).encode())


def _fetches(page: Page, words: str) -> None:
    """Has it fetched, and waits until the page says how that went."""
    page.get_by_role("button", name=words).click()
    _settle(page)


def _settle(page: Page) -> None:
    """Waits until the page asks no more how the fetch goes."""
    expect(page.locator("#state")).to_be_visible()
    expect(page.locator("#state[hx-get]")).to_have_count(0, timeout=FETCHED_MS)


def test_a_service_of_ones_own_is_described_tried_mended_and_fetched(page: Page, box: RunningBox, data: Path) -> None:
    with serving(_payments) as server:
        page.goto(f"{box.address}/feeds")
        page.get_by_role("link", name="Any JSON service").click()
        page.get_by_text("What may stand in it").click()
        expect(page.get_by_text("[paging]")).to_be_visible()
        page.get_by_label("What shall it be called?").fill("Payments")
        page.get_by_label("Address").fill(f"{server.address}/v1/payments")
        page.get_by_label("Token", exact=True).fill(TOKEN)
        page.get_by_label("How its items are read").fill(MAPPING.format(title="nmae"))
        page.get_by_role("button", name="Set it up").click()
        page.get_by_role("button", name="See what comes of it").click()
        expect(page.get_by_text("1 item of 2 can be read")).to_be_visible()
        expect(page.get_by_text("1 item would be rejected")).to_be_visible()
        expect(page.get_by_text("30 February").first).to_be_visible()
        expect(page.get_by_text("Mill Bakery")).to_have_count(0)
        page.get_by_label("How its items are read").fill(MAPPING.format(title="name"))
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="See what comes of it").click()
        expect(page.get_by_text("Mill Bakery")).to_be_visible()
        expect(page.get_by_text("Further pages come after this one")).to_be_visible()
        assert _titles(data) == [], "nothing is stored before somebody says so"
        _fetches(page, "It is right: fetch it")
        expect(page.get_by_text("up to date").first).to_be_visible()
        assert _titles(data) == ["Elm Cheese", "Mill Bakery"]
        _fetches(page, "Fetch now")
        expect(page.get_by_role("row")).to_have_count(3)
        assert _titles(data) == ["Elm Cheese", "Mill Bakery"], "and nothing is doubled"


def test_an_energy_company_is_allowed_on_its_own_page_and_its_readings_come_home(
    page: Page, box: RunningBox, data: Path
) -> None:
    hours = list(range(1, 49))
    company = Company(hours=hours, updated_s=[FIRST_S + hour * HOUR_S for hour in range(len(hours))])
    with serving(company) as server:
        company.address = server.address
        page.goto(f"{box.address}/feeds")
        page.get_by_role("link", name="Green Button Connect").click()
        page.get_by_label("What shall it be called?").fill("Power")
        page.get_by_label("Address of its page for permission").fill(f"{server.address}/oauth/authorize")
        page.get_by_label("token endpoint").fill(f"{server.address}/oauth/token")
        page.get_by_label("Client number").fill(CLIENT)
        page.get_by_label("Client’s secret").fill(SECRET)
        page.get_by_role("button", name="Set it up").click()
        expect(page.get_by_text("It is not allowed at the service yet")).to_be_visible()
        page.get_by_role("button", name="Allow at the service").click()
        page.wait_for_url("**/oauth/authorize?**")
        assert page.url.startswith(server.address), "the person is at the company"
        page.get_by_role("link", name="Allow").click()
        page.wait_for_url(re.compile(r"/feeds/[0-9]+$"))
        _settle(page)
        expect(page.get_by_text("up to date").first).to_be_visible()
        assert _used_wh(data) == hours
        assert not company.codes, "the code was used"
        _fetches(page, "Fetch now")
        assert _used_wh(data) == hours
