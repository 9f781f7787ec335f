"""The whole box as a person meets it: claimed, a statement dropped, a record opened, and power that changes."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import boxes
from tests.boxes import RunningBox

SAMPLES = Path(__file__).parents[1] / "samples"
LIVE_MS = 60_000  # a first telegram takes its time on a busy machine
DROP = """
(said) => {
    const bytes = Uint8Array.from(atob(said.data), (letter) => letter.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], said.name));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
}
"""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    with boxes.running(boxes.whole(tmp_path_factory.mktemp("box"))) as running:
        yield running


@pytest.fixture
def page(chromium: Browser, box: RunningBox) -> Iterator[Page]:
    """A page in a browser of its own that fails the test where it asks another host or complains on its console."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, timezone_id="America/New_York")
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    asked = list[str]()
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith((f"{box.address}/", "data:"))] == []


def _drop(page: Page, file: Path) -> None:
    page.evaluate(DROP, {"name": file.name, "data": base64.b64encode(file.read_bytes()).decode()})


def _open(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
    page.wait_for_url(re.compile(f"/{name.lower()}"))  # loaded, its scripts too


def test_1_claiming_the_box(page: Page, box: RunningBox) -> None:
    boxes.claim(page, box)
    expect(page.get_by_role("heading", name="Your recovery kit")).to_be_visible()
    expect(page.locator(".words li")).to_have_count(48)
    page.get_by_role("button", name="I have written it down").click()
    expect(page).to_have_url(re.compile("/now$"))


def test_2_power_changes(page: Page, box: RunningBox) -> None:
    boxes.sign_in(page, box)
    power = page.locator("#power")
    expect(power).to_have_text(re.compile(r"^[\d.]+$"), timeout=LIVE_MS)
    page.wait_for_function("(was) => document.getElementById('power').textContent !== was", arg=power.text_content())
    expect(page.locator("#heard")).to_contain_text("heard")
    expect(page.locator("#curve canvas")).to_be_visible(timeout=LIVE_MS)


def test_3_a_statement_dropped_on_the_page_is_in_the_records(page: Page, box: RunningBox) -> None:
    boxes.sign_in(page, box)
    _open(page, "Import")
    _drop(page, SAMPLES / "ofx" / "bank-sgml.ofx")
    expect(page.locator(".report .stored dd")).not_to_have_text("0")
    _drop(page, SAMPLES / "ofx" / "bad-decimal.ofx")
    expect(page.locator(".report .rejects")).to_be_visible()
    _open(page, "Records")
    page.get_by_role("searchbox").fill("Hazel")
    expect(page.locator("a.record")).to_have_count(1)
    page.locator("a.record").click()
    expect(page.get_by_role("heading", name="Hazel & Sons Grocers")).to_be_visible()
    expect(page.locator("mark")).to_contain_text("<FITID>B1")
    expect(page.locator(".origin")).to_contain_text("bank-sgml.ofx")


def test_4_the_past_is_drawn_and_can_be_looked_into(page: Page, box: RunningBox) -> None:
    boxes.sign_in(page, box)
    _open(page, "History")
    expect(page.locator("#chart canvas")).to_be_visible(timeout=LIVE_MS)
    page.get_by_role("button", name="Week").click()
    expect(page.get_by_role("button", name="Week")).to_have_attribute("aria-pressed", "true")
    page.get_by_text("The same figures as a table").click()
    expect(page.locator("#figures tbody tr").first).to_be_visible()
    page.locator("#chart").press("End")
    expect(page.locator("#cursor")).to_contain_text("kWh")
    page.locator("#chart").press("+")
    expect(page.get_by_role("button", name="Week")).to_have_attribute("aria-pressed", "false")


def test_5_a_file_too_large_for_a_browser_is_told_the_next_step(page: Page, box: RunningBox, tmp_path: Path) -> None:
    boxes.sign_in(page, box)
    _open(page, "Import")
    large = tmp_path / "large.ofx"
    with large.open("wb") as file:
        file.truncate(1 << 30)
    page.locator("input[type=file]").set_input_files(large)
    expect(page.get_by_role("alert")).to_contain_text("inbox folder")


@pytest.mark.parametrize("path", ["/now", "/history", "/records", "/import"])
def test_6_pages_fit_a_small_phone(page: Page, box: RunningBox, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    boxes.sign_in(page, box)
    page.goto(box.address + path)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_7_a_long_word_that_was_corrected_fits_a_small_phone(page: Page, box: RunningBox) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    boxes.sign_in(page, box)
    page.goto(f"{box.address}/add/me.plan")
    page.get_by_label("What I plan").fill("W" * 80)
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("link", name="Correct it").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.get_by_label("What I plan").fill("M" * 80)
    page.get_by_role("button", name="Keep the correction").click()
    expect(page.get_by_role("heading", name="What it said before")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
