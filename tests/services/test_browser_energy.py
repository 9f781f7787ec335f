"""By clicks alone, on a phone: from "add my tariff" to "you would save", and from a bill to why it is too high."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests import boxes

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ZONE = ZoneInfo(boxes.ZONE)
REFUSED = "422"  # a form that comes back is told to the console too
HALF_HOUR = timedelta(minutes=30)


def half_hours(days: int) -> str:
    """A file as Octopus gives it: each half-hour until last midnight, half a kWh by night and a quarter by day."""
    end = datetime.now(ZONE).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    rows = ["Consumption (kwh), Estimated Cost Inc. Tax (p), Start, End"]
    for number in range(days * 48, 0, -1):
        begin = end - number * HALF_HOUR
        kwh = "0.5" if begin.astimezone(ZONE).hour < 7 else "0.25"
        rows.append(f"{kwh}, 1, {begin.isoformat()}, {(begin + HALF_HOUR).isoformat()}")
    return "\n".join(rows) + "\n"


@pytest.fixture
def page(chromium: "Browser", tmp_path: Path) -> Iterator["Page"]:
    """A phone's browser on a box that was just claimed, which complains of nothing."""
    with boxes.running(boxes.dashboard(tmp_path / "box")) as box, _phone(chromium) as context:
        page, complaints = context.new_page(), list[str]()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        boxes.claim(page, box)
        page.get_by_role("button", name="I have written it down").click()
        yield page
        assert [each for each in complaints if REFUSED not in each] == []


def _phone(chromium: "Browser") -> "BrowserContext":
    return chromium.new_context(viewport={"width": 390, "height": 844})


def _fill(page: "Page", **said: str) -> None:
    for label, value in said.items():
        page.get_by_label(re.compile(f"^{label.replace('_', ' ')}(?! of| by| at)")).fill(value)


def _no_wider(page: "Page") -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def _import(page: "Page", file: Path, days: int) -> None:
    """Brings readings in, and looks what they cost."""
    file.write_text(half_hours(days), encoding="utf-8")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Energy").click()
    page.get_by_role("link", name="Import a file").click()
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("All of it is stored").first).to_be_visible(timeout=60_000)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Energy").click()


def test_from_add_my_tariff_to_you_would_save(page: "Page", tmp_path: Path) -> None:
    _import(page, tmp_path / "consumption.csv", days=366)
    expect(page.get_by_text("nobody said which tariff you were on")).to_be_visible()
    _no_wider(page)
    page.get_by_role("link", name="Add my tariff").click()
    page.get_by_role("link", name="One price").click()
    _fill(page, Supplier="Ember", What_the_tariff_is_called="Everyday", Price="30.00", Standing_charge="0.50")
    page.get_by_label("You are on it since").fill("2020-01-01")
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("is more than anybody pays")).to_be_visible()
    _no_wider(page)
    _fill(page, Price="30.00ct", Exit_fee="40")
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("heading", name="What you are on now")).to_be_visible()
    expect(page.get_by_text("Everyday")).to_be_visible()
    _no_wider(page)

    page.get_by_role("link", name="Day and night").click()
    _fill(page, Supplier="Ash", What_the_tariff_is_called="Moonlight", Price_by_day="0.30", Price_at_night="0.10")
    _fill(page, Night_begins="00:00", Standing_charge="0.50")
    page.get_by_label("No, it is to compare with").check()
    expect(page.get_by_label("You are on it since")).to_be_hidden()
    page.get_by_role("button", name="Keep it").click()

    page.get_by_role("link", name="Compare").click()
    # 365 nights (366 in a leap year) of 7 kWh, each kWh 20 cents cheaper, are 511; the exit fee of 40 comes off.
    saving = re.compile(r"You would save €\s47[12]\.[04]0 in the first year")
    expect(page.get_by_role("heading", name=saving)).to_be_visible()
    expect(page.get_by_text("Moonlight of Ash").first).to_be_visible()
    _no_wider(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV").click()
    assert "Moonlight" in Path(download.value.path()).read_text(encoding="utf-8")

    page.get_by_role("link", name="Costs").click()
    expect(page.locator(".bars .bar").first).to_be_visible()
    expect(page.get_by_role("cell", name="Standing charge")).to_be_visible()
    expect(page.get_by_role("heading", name="What was put right since")).to_be_visible()
    page.get_by_role("link", name="Year").click()
    expect(page.get_by_role("heading", name=re.compile(r"^20\d\d$"))).to_be_visible()
    _no_wider(page)

    page.get_by_role("link", name="Insight").click()
    expect(page.get_by_text("Your home hardly ever uses less than 500 W")).to_be_visible()
    page.get_by_text("Exactly, and how it is reckoned").first.click()
    expect(page.get_by_role("cell", name="4,380 kWh")).to_be_visible()
    _no_wider(page)


def _used(first: date, last: date) -> Decimal:
    """The kWh that the file has of these days."""
    rows = [each.split(", ") for each in half_hours(days=60).splitlines()[1:]]
    days = ((Decimal(row[0]), datetime.fromisoformat(row[2]).astimezone(ZONE).date()) for row in rows)
    return sum((kwh for kwh, day in days if first <= day <= last), Decimal(0))


def test_a_bill_with_a_wrong_price_is_typed_and_explained(page: "Page", tmp_path: Path) -> None:
    _import(page, tmp_path / "consumption.csv", days=60)
    page.get_by_role("link", name="Add my tariff").click()
    page.get_by_role("link", name="One price").click()
    _fill(page, Supplier="Ember", What_the_tariff_is_called="Everyday", Price="0.30", Standing_charge="0.50")
    page.get_by_label("You are on it since").fill("2020-01-01")
    page.get_by_role("button", name="Keep it").click()

    page.get_by_role("link", name="Bills").click()
    expect(page.get_by_role("heading", name="No bill yet")).to_be_visible()
    _no_wider(page)
    page.get_by_role("link", name="Type a bill").click()
    last = datetime.now(ZONE).date() - timedelta(days=1)
    first = last - timedelta(days=29)
    asked = (_used(first, last) * Decimal("0.40")).quantize(Decimal("0.01")) + 15
    _fill(page, Supplier="Ember", Date_of_the_bill=f"{last}", From=f"{first}", Up_to=f"{last}", To_pay=f"{asked}")
    page.get_by_label("What it is for").select_option("electricity")
    page.get_by_role("button", name="Keep and check it").click()
    too_much = (_used(first, last) * Decimal("0.10")).quantize(Decimal("0.01"))
    expect(page.get_by_role("heading", name=re.compile(rf"It asks €\s{too_much} too much"))).to_be_visible()
    expect(page.get_by_text(f"It would be right if a kWh cost 0.4000 {boxes.CURRENCY}")).to_be_visible()
    _no_wider(page)

    page.get_by_role("link", name="Correct it", exact=True).click()
    _fill(page, Price_of_a_unit="40ct", Why="it stands on the second page")
    page.get_by_role("button", name="Keep the correction").click()
    why = page.get_by_role("listitem").filter(has_text="The bill fits if a kWh costs 0.4 EUR, and the tariff says 0.3")
    expect(why).to_be_visible()
    _no_wider(page)
    page.get_by_role("button", name="Copy the text").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    selected = "it => it.value.slice(it.selectionStart, it.selectionEnd)"
    copied = page.get_by_label("A text for the supplier").evaluate(selected)
    assert copied.startswith("Dear Ember,")
    page.get_by_role("link", name="Bills").click()
    expect(page.get_by_text("at another price of a unit")).to_be_visible()
    _no_wider(page)
