"""Pictures of every page, empty and filled, on a phone and a desk, by day and by night: `make screenshots`.

They are for looking at, in ./screenshots; nothing compares them.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, expect

from appliance.config import Config
from appliance.ingest import stating
from appliance.store.database import open_store
from services.demo import PAST_FILE
from tests import boxes, chromium
from tests.boxes import RunningBox

SAMPLES = Path(__file__).parent / "samples"
WIDTHS = {390: 844, 768: 1024, 1280: 860}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
SETTLED_MS = 90_000
STATEMENTS = ("bank-sgml", "card-xml", "comma-decimal", "several-accounts", "bank-sgml", "bad-decimal")
PAGES = {
    "now": "/now",
    "history": "/history",
    "energy": "/energy?store=home",
    "tariff": "/tariff?store=home",
    "compare": "/compare?store=home",
    "insight": "/insight?store=home",
    "budgets": "/budgets?store=home",
    "news": "/news",
    "news-settings": "/news/settings",
    "bills": "/bills?store=home",
    "bills-add": "/bills/add?store=home",
    "records": "/records",
    "import": "/import",
    "feeds": "/feeds",
    "discover": "/discover",
    "feeds-add": "/feeds/add/folder",
    "feeds-add-json": "/feeds/add/json_api",
    "keys": "/keys",
    "people": "/people",
    "backup": "/backup",
    "update": "/update",
    "box": "/box",
    "meters": "/meters",
    "quality": "/quality",
    "keeping": "/keeping",
    "find": "/meters/find",
    "add": "/add",
    "add-plan": "/add/me.plan",
}

ENERGY_PAGES = {
    "energy-day": "/energy?store=home&span=day",
    "energy-year": "/energy?store=home&span=year",
    "energy-gas": "/energy?store=home&supply=gas@house",
    "insight-gas": "/insight?store=home&supply=gas@house",
    "tariff-prices": "/tariff/1/prices?store=home",
    "tariff-mine": "/tariff/1/mine?store=home",
    "energy-all": "/energy/all?store=home",
    "tariff-add": "/tariff/add/day-night?store=home",
    "tariff-times": "/tariff/add/times?store=home",
}
NIGHTS = {"Price by day": "0.3105", "Price at night": "0.1420"}
NAMES = {
    "one": "Everyday",
    "day-night": "Moonlight, fixed for three years, for heat pumps and cars that are charged at home",
}

Shoot = Callable[[str], None]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("screenshots"))
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with chromium.browser() as browser, tempfile.TemporaryDirectory() as scratch:
        with boxes.running(boxes.dashboard(Path(scratch) / "new")) as new:
            shoot_empty(browser, new, folder)
        with boxes.running(boxes.whole(Path(scratch) / "demo")) as demo:
            shoot_filled(browser, demo, folder, Path(scratch) / "demo")
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


def shoot_empty(browser: Browser, box: RunningBox, folder: Path) -> None:
    """A box that is new, from the claim on, and its pages before anything was brought in."""
    code = box.code()
    for page, shoot in _looks(browser, folder, "empty"):
        page.goto(f"{box.address}/claim")
        shoot("claim")
        page.goto(f"{box.address}/claim/restore")
        shoot("restore")
    with _page(browser, 1280, "light") as page:
        boxes.claim(page, box, code)
        for width, scheme in _ways():
            page.set_viewport_size({"width": width, "height": WIDTHS[width]})
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=folder / f"empty-kit-{width}-{scheme}.png", full_page=True)
    _every_page(browser, box, folder, "empty", lambda page: None)


def shoot_filled(browser: Browser, box: RunningBox, folder: Path, data: Path) -> None:
    """A box with a year of a simulated house and some statements."""
    with _page(browser, 1280, "light") as page:
        boxes.claim(page, box)
        page.get_by_role("button", name="I have written it down").click()
        bring(page, box)
        past_is_stored(page, data)
        price(page, box)
        budget(page, box)
        look(data)
        bill(page, box)
        page.goto(f"{box.address}/now")
        expect(page.locator("#curve canvas")).to_be_visible(timeout=SETTLED_MS)
    _every_page(browser, box, folder, "filled", lambda page: expect(page.locator("#curve canvas")).to_be_visible())
    for page, shoot in _looks(browser, folder, "filled"):
        boxes.sign_in(page, box)
        shoot_energy(page, box, shoot)
        shoot_deeper(page, box, shoot)
    bill_ten_years(data)
    for page, shoot in _looks(browser, folder, "decade"):
        boxes.sign_in(page, box)
        page.goto(f"{box.address}/bills?store=home")
        shoot("bills")
    shoot_keys(browser, box, folder)  # last, since it locks the person's store


def past_is_stored(page: Page, data: Path) -> None:
    """Waits for the demo, which stores the past of its house while it runs."""
    while (data / PAST_FILE).exists():
        page.wait_for_timeout(1000)


def bring(page: Page, box: RunningBox) -> None:
    """Imports samples through the page, one of which leaves rows to retry."""
    for name in STATEMENTS:
        page.goto(f"{box.address}/import")
        page.locator("input[type=file]").set_input_files(SAMPLES / "ofx" / f"{name}.ofx")
        expect(page.locator(".report dd").first).to_be_visible()
    page.goto(f"{box.address}/import?store=home")
    page.locator("input[type=file]").set_input_files(SAMPLES / "green_button" / "gas-no-unit.xml")
    expect(page.locator(".report .retry")).to_be_visible()


def price(page: Page, box: RunningBox) -> None:
    """The tariff of the household, and one to compare it with that has a long name."""
    for shape, prices, is_mine in (("one", {"Price (": "0.2815"}, True), ("day-night", NIGHTS, False)):
        page.goto(f"{box.address}/tariff/add/{shape}?store=home")
        named = {"Supplier": "Ember Energy", "What the tariff": NAMES[shape], "Standing": "0.45", "VAT on": "21"}
        for label, value in {**named, **prices}.items():
            page.get_by_label(label).fill(value)
        if is_mine:
            page.get_by_label("You are on it since").fill("2024-01-01")
            page.get_by_label("Exit fee (").fill("50")
        else:
            page.get_by_label("No, it is to compare with").check()
        page.get_by_role("button", name="Keep it").click()
        expect(page.get_by_role("heading", name="What you are on now")).to_be_visible()


def budget(page: Page, box: RunningBox) -> None:
    """A budget that is too small and one that does, and days away."""
    for supply, amount in (("electricity", "20"), ("all together", "900")):
        page.goto(f"{box.address}/budgets?store=home")
        page.get_by_label("What for").select_option(supply)
        page.locator("#set").get_by_label("A month at most").fill(amount)
        page.get_by_role("button", name="Keep this budget").click()
    page.get_by_label("You leave on").fill("2025-07-12")
    page.get_by_label("You are back on").fill("2025-07-26")
    page.get_by_role("button", name="Keep these days").click()
    expect(page.get_by_role("button", name="Take it out")).to_be_visible()


def look(data: Path) -> None:
    """The scheduler's job of every hour."""
    subprocess.run([sys.executable, "-m", "services.job", "alerts", "--data", str(data)], check=True)


def bill(page: Page, box: RunningBox) -> None:
    """The bill of a month, of another price than was agreed."""
    last = date.today().replace(day=1) - timedelta(days=1)
    page.goto(f"{box.address}/bills/add?store=home")
    said = {
        "Supplier": "Ember Energy",
        "Date of the bill": f"{last}",
        "From": f"{last.replace(day=1)}",
        "Up to": f"{last}",
    }
    for label, value in {**said, "To pay": "148.20", "Price of a unit": "0.3315", "Standing": "14.40"}.items():
        page.get_by_label(label).first.fill(value)
    page.get_by_label("What it is for").select_option("electricity")
    page.get_by_role("button", name="Keep and check it").click()
    expect(page.get_by_role("heading", name="Line by line")).to_be_visible()


def bill_ten_years(data: Path) -> None:
    """A bill a month of two supplies, of which the box knows the last year's readings."""
    with open_store(Config(data=data)) as store:
        for supply, amount in (("electricity", "121.35"), ("gas", "64.10")):
            for number in range(120):
                year, month = divmod(date.today().year * 12 + date.today().month - 2 - number, 12)
                period = f"{year}-{month + 1:02}"
                said = {"at": f"{period}-28", "from": f"{period}-01", "until": f"{period}-28", "supply": supply}
                stating.add(
                    store, "energy.bill", {**said, "party": "Ember Energy", "amount": amount, "unit": "EUR"}, "Ann"
                )


def shoot_energy(page: Page, box: RunningBox, shoot: Shoot) -> None:
    """Spans of what energy costs, a tariff's forms, what is wrong in one, and the comparison on paper."""
    for name, path in ENERGY_PAGES.items():
        page.goto(box.address + path)
        page.wait_for_load_state("networkidle")
        shoot(name)
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator(".field-problem").first).to_be_visible()
    shoot("tariff-add-wrong")
    page.goto(f"{box.address}/budgets?store=home")
    page.get_by_role("button", name="Keep this budget").click()
    expect(page.locator(".field-problem").first).to_be_visible()
    shoot("budgets-wrong")
    page.goto(f"{box.address}/bills?store=home")
    page.locator(".bills a").first.click()
    shoot("bill")
    page.goto(f"{box.address}/compare?store=home")
    page.emulate_media(media="print")
    shoot("compare-printed")
    page.emulate_media(media="screen")


def shoot_deeper(page: Page, box: RunningBox, shoot: Shoot) -> None:
    """What lies behind the pages: a record, reports, spans, what went wrong."""
    for span in ("week", "year"):
        page.goto(f"{box.address}/history?span={span}")
        expect(page.locator("#chart canvas")).to_be_visible()
        shoot(f"history-{span}")
    page.goto(f"{box.address}/history?series=electricity.power@house&span=day")
    page.get_by_text("The same figures as a table").click()
    expect(page.locator("#figures tbody tr").first).to_be_visible()
    shoot("history-power")
    page.goto(f"{box.address}/records?search=Hazel")
    shoot("records-search")
    page.locator("a.record").first.click()
    expect(page.locator("mark")).to_be_visible()
    shoot("record")
    page.goto(f"{box.address}/import")
    page.locator("a.record").first.click()
    expect(page.locator(".rejects")).to_be_visible()
    shoot("report")
    page.goto(f"{box.address}/import?store=home")
    page.locator("a.record").first.click()
    expect(page.locator(".retry")).to_be_visible()
    shoot("report-retry")
    page.goto(f"{box.address}/nowhere")
    shoot("error")


def shoot_keys(browser: Browser, box: RunningBox, folder: Path) -> None:
    """A kit and its drill, an invitation and who accepts it, a store that is locked and one that is open again."""
    with _page(browser, 1280, "light") as page:
        boxes.sign_in(page, box)
        for name, act in KEY_STEPS.items():
            act(page, box.address)
            for width, scheme in _ways():
                page.set_viewport_size({"width": width, "height": WIDTHS[width]})
                page.emulate_media(color_scheme=scheme)
                page.screenshot(path=folder / f"filled-{name}-{width}-{scheme}.png", full_page=True)


def _open_menu(page: Page, address: str) -> None:
    page.goto(f"{address}/keys")
    page.locator(".who summary").click()


def _make_kit(page: Page, address: str) -> None:
    page.goto(f"{address}/keys")
    page.get_by_role("button", name="kit").click()
    expect(page.locator(".qr")).to_be_visible()


def _print_kit(page: Page, address: str) -> None:
    page.emulate_media(media="print")


def _prove_wrongly(page: Page, address: str) -> None:
    page.emulate_media(media="screen")
    page.goto(f"{address}/keys/prove")
    page.get_by_label("The 24 words").fill("hearthh " * 2 + "abandon " * 22)
    page.get_by_role("button", name="Try them").click()


def _prove(page: Page, address: str) -> None:
    page.goto(f"{address}/kit")
    words = page.locator(".words li").all_inner_texts()
    page.goto(f"{address}/keys/prove")
    page.get_by_label("The 24 words").fill(" ".join(words))
    page.get_by_role("button", name="Try them").click()
    expect(page.get_by_text("The kit works")).to_be_visible()


def _open_locking(page: Page, address: str) -> None:
    page.goto(f"{address}/keys")
    page.get_by_text("Lock it with a passphrase").click()


def _lock(page: Page, address: str) -> None:
    page.get_by_label("Passphrase").fill(boxes.PASSPHRASE)
    page.get_by_label("Once more").fill(boxes.PASSPHRASE)
    page.get_by_role("button", name="Lock it").click()
    page.get_by_text("Change the passphrase").click()


def _shut(page: Page, address: str) -> None:
    page.locator("main").get_by_role("button", name="Lock now").click()
    page.goto(f"{address}/records")


def _unlock_wrongly(page: Page, address: str) -> None:
    page.get_by_label("Your passphrase").fill("nothing of that kind")
    page.get_by_role("button", name="Unlock").click()
    page.get_by_text("I have forgotten it").click()


def _invite(page: Page, address: str) -> None:
    page.goto(f"{address}/people")
    page.get_by_label("Who is it?").fill("Bartholomew")
    page.get_by_role("button", name="Make a code").click()


def _join(page: Page, address: str) -> None:
    page.get_by_text(boxes.NAME).first.click()
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{address}/join")


KEY_STEPS: dict[str, Callable[[Page, str], None]] = {
    "menu": _open_menu,
    "kit-one": _make_kit,
    "kit-printed": _print_kit,
    "kit-wrong": _prove_wrongly,
    "kit-proved": _prove,
    "keys-locking": _open_locking,
    "keys-locked": _lock,
    "unlock": _shut,
    "unlock-wrong": _unlock_wrongly,
    "people-invited": _invite,
    "join": _join,
}


def _every_page(browser: Browser, box: RunningBox, folder: Path, state: str, ready: Callable[[Page], None]) -> None:
    for page, shoot in _looks(browser, folder, state):
        page.goto(f"{box.address}/sign-in")
        shoot("sign-in")
        boxes.sign_in(page, box)
        ready(page)
        for name, path in PAGES.items():
            page.goto(box.address + path)
            page.wait_for_load_state("networkidle")
            shoot(name)


def _ways() -> Iterator[tuple[int, Scheme]]:
    for width in WIDTHS:
        for scheme in SCHEMES:
            yield width, scheme


def _looks(browser: Browser, folder: Path, state: str) -> Iterator[tuple[Page, Shoot]]:
    """A fresh browser of each width and scheme, and what takes its picture."""
    for width, scheme in _ways():
        with _page(browser, width, scheme) as page:

            def shoot(name: str, page: Page = page, ending: str = f"{width}-{scheme}.png") -> None:
                page.screenshot(path=folder / f"{state}-{name}-{ending}", full_page=True)

            yield page, shoot


@contextmanager
def _page(browser: Browser, width: int, scheme: Scheme) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": width, "height": WIDTHS[width]},
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    try:
        yield context.new_page()
    finally:
        context.close()


if __name__ == "__main__":
    main()
